# What ends a masqueraded connection: the address goes, the device goes down, the route leads elsewhere.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name lan address 02:00:00:00:01:02 netns r
ip -n c addr add 192.168.1.2/24 dev eth0
ip -n c link set eth0 up
ip -n r addr add 192.168.1.1/24 dev lan
ip -n r link set lan up
ip -n s link add eth0 address 02:00:00:00:02:01 type veth peer name wan address 02:00:00:00:02:02 netns r
ip -n s addr add 203.0.113.2/24 dev eth0
ip -n s link set eth0 up
ip -n r addr add 203.0.113.1/24 dev wan
ip -n r link set wan up
ip -n c route add default via 192.168.1.1
ip -n s route add default via 203.0.113.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip netns exec s udp-echo -listen :53 -text dns -show-peer &
sleep 2.5
ip netns exec r iptables -t nat -A POSTROUTING -o wan -j MASQUERADE
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:53
ip netns exec r conntrack -L
ip -n r addr add 203.0.113.9/24 dev wan
ip -n r addr del 203.0.113.9/24 dev wan
sleep 0.5
ip netns exec r conntrack -L
ip -n r addr add 203.0.113.9/24 dev wan
ip -n r addr del 203.0.113.1/24 dev wan
sleep 0.5
ip netns exec r conntrack -L
ip -n r addr add 203.0.113.7/24 dev wan
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:53
ip netns exec r conntrack -L
ip -n r link set wan down
sleep 0.5
ip netns exec r conntrack -L
ip -n r link set wan up
sleep 1.5
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:53
ip -n s link add eth1 address 02:00:00:00:03:01 type veth peer name wan2 address 02:00:00:00:03:02 netns r
ip -n s addr add 198.51.100.2/24 dev eth1
ip -n s link set eth1 up
ip -n r addr add 198.51.100.1/24 dev wan2
ip -n r link set wan2 up
sleep 1.5
ip netns exec r iptables -t nat -A POSTROUTING -o wan2 -j MASQUERADE
ip netns exec r conntrack -L
ip -n r route add 203.0.113.2 via 198.51.100.2
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:53
ip netns exec r conntrack -L
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:53
ip netns exec r conntrack -L
ip -n r addr flush dev wan2
ip netns exec c udp-probe -timeout 0.5 -bind :3001 203.0.113.2:53
