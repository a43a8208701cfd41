# A server that answers itself without end wakes those who capture beside it: that takes time, so nobody is ended for it.
ip netns add r
ip netns exec r sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip -n r link set lo up
ip -n r addr add 10.0.0.1/24 dev lo
ip netns exec r udp-echo -listen :7000 -text r &
sleep 2.5
ip netns exec r iptables -t nat -A OUTPUT -p udp -m conntrack --ctstate NEW -j REDIRECT --to-ports 7000
ip netns exec r nping -N -H -S 10.0.0.1 --udp -g 10216 -p 53 -c 2 --delay 20ms 10.0.0.2 >/dev/null 2>&1
echo "nping has ended"
ip netns exec r ping -q -c 3 -i 0.1 127.0.0.1 | grep received
ip netns exec r udp-probe -timeout 0.3 127.0.0.1:9
kill $!
sleep 0.1
ip netns exec r iptables -t nat -S OUTPUT
