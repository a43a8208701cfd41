# Own addresses as source, accept_local, route_localnet, 127/8 from outside, zero and broadcast sources.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
ip -n h addr add 10.5.0.1/32 dev lo
ip -n r addr add 10.5.0.1/32 dev lo
sleep 2.5
ip -n r route add 10.6.0.1 via 10.0.0.1
ip netns exec h ping -q -c 1 -W 1 -I 10.5.0.1 10.0.0.2 | grep received
ip -n h neigh replace 10.0.0.2 lladdr 02:00:00:00:01:02 dev eth0
ip -n r neigh replace 10.0.0.1 lladdr 02:00:00:00:01:01 dev eth0
ip netns exec r tcpdump -l -n -t -i eth0 --immediate-mode icmp 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h ping -q -c 1 -W 1 -I 10.5.0.1 10.0.0.2 | grep received
cat cap.txt
ip netns exec r sysctl -qw net.ipv4.conf.eth0.accept_local=1
ip netns exec h ping -q -c 1 -W 1 -I 10.5.0.1 10.0.0.2 | grep received
ip -n h route add 127.5.0.0/16 via 10.0.0.2
ip netns exec h ping -q -c 1 -W 1 127.5.0.1 | grep received
ip netns exec h ping -q -c 1 -W 1 -I 10.0.0.1 127.5.0.1 | grep received
ip netns exec r iptables -t nat -A PREROUTING -d 10.6.0.2 -p icmp -j DNAT --to-destination 127.0.0.1
ip -n h route add 10.6.0.2 via 10.0.0.2
ip netns exec h ping -q -c 1 -W 1 10.6.0.2 | grep received
ip netns exec r sysctl -qw net.ipv4.conf.eth0.route_localnet=1
ip netns exec h ping -q -c 1 -W 1 10.6.0.2 | grep received
