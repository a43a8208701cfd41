# Two customers with the same addresses, kept apart by zones; zones of one direction; the mark as zone.
for n in a b r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
for n in a b; do
  ip -n $n link add eth0 type veth peer name to$n netns r
  ip -n $n addr add 10.0.0.2/24 dev eth0
  ip -n $n link set eth0 up
  ip -n $n route add default via 10.0.0.1
  ip -n r link set to$n up
done
ip -n r addr add 10.0.0.1/24 dev toa
ip -n r addr add 10.0.0.1/24 dev tob
ip -n s link add eth0 type veth peer name wan netns r
ip -n s addr add 203.0.113.2/24 dev eth0
ip -n s link set eth0 up
ip -n r addr add 203.0.113.1/24 dev wan
ip -n r link set wan up
ip netns exec r sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
ip -n r route add 10.0.0.0/24 dev toa table 1
ip -n r route add 10.0.0.0/24 dev tob table 2
ip -n r rule add fwmark 1 lookup 1 pref 10
ip -n r rule add fwmark 2 lookup 2 pref 11
ip netns exec s udp-echo -listen :53 -text dns -show-peer &
ip netns exec s http-echo -listen :80 -text web -show-peer &
sleep 2.5
ip netns exec r iptables -t raw -A PREROUTING -i toa -j CT --zone-orig 1
ip netns exec r iptables -t raw -A PREROUTING -i tob -j CT --zone-orig 2
ip netns exec r iptables -t mangle -A PREROUTING -i toa -j CONNMARK --set-mark 1
ip netns exec r iptables -t mangle -A PREROUTING -i tob -j CONNMARK --set-mark 2
ip netns exec r iptables -t mangle -A PREROUTING -i wan -j CONNMARK --restore-mark
ip netns exec r iptables -t nat -A POSTROUTING -o wan -p udp -j SNAT --to-source 203.0.113.1:4000-4001
ip netns exec r iptables -t nat -A POSTROUTING -o wan -j MASQUERADE
for n in a b; do
  ip netns exec $n ping -c 1 -W 0.5 203.0.113.2
  ip netns exec $n udp-probe -timeout 0.5 -bind :4000 203.0.113.2:53
  ip netns exec $n curl -s --max-time 2 http://203.0.113.2/ | sed 's/from.*//'
done
ip netns exec r conntrack -L | sed 's/id=[0-9]*/id=N/g; s/port=[345][0-9][0-9][0-9][0-9]/port=P/g; s/dport=4001/dport=4000/' | sort
ip netns exec r conntrack -L -w 1
ip netns exec r conntrack -L --orig-zone 1 -p udp | sed 's/dport=4001/dport=4000/'
ip netns exec r conntrack -D --orig-zone 2 -p icmp | sed 's/id=[0-9]*/id=N/g'
ip netns exec r conntrack -F
ip netns exec r iptables -t raw -F
ip netns exec r iptables -t raw -A PREROUTING -i toa -j MARK --set-mark 7
ip netns exec r iptables -t raw -A PREROUTING -i toa -j CT --zone mark
ip netns exec a udp-probe -timeout 0.5 -bind :4000 203.0.113.2:53
ip netns exec r conntrack -L
ip netns exec r iptables -t raw -S
