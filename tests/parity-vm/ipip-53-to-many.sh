# Calico's way: one ipip device without remote, next hops as outer destinations, onlink routes.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:02 type veth peer name eth0 address 02:00:00:00:02:01 netns s
ip -n c addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n s addr add 10.0.2.2/24 dev eth0
for n in c r s; do
  ip -n $n link set eth0 up
done
ip -n r link set eth1 up
ip -n c route add default via 10.0.1.1
ip -n s route add default via 10.0.2.1
ip netns exec c sysctl -qw net.ipv4.ip_forward=1
ip -n c link add tunl1 type ipip local 10.0.1.2
ip -n s link add tunl1 type ipip local 10.0.2.2
for n in c s; do
  ip -n $n link set tunl1 mtu 1480 up
done
ip -n c addr add 10.244.1.1/32 dev tunl1
ip -n s addr add 10.244.2.1/32 dev tunl1
sleep 2.5
ip -n c -d link show tunl1 | sed 's/gso_max_size.*//'
ip -n c route add 10.244.2.0/26 via 10.0.2.2 dev tunl1 onlink
ip -n s route add 10.244.1.0/26 via 10.0.1.2 dev tunl1 onlink
ip -n c route
ip netns exec c ping -c 1 10.244.2.1
ip -n c route get 10.244.2.1
ip -n c route add 10.244.3.0/26 dev tunl1
ip netns exec c ping -c 1 -W 1 10.244.3.1
ip -n c -s link show tunl1 | tail -n 4
ip -n c neigh show nud all dev tunl1 | sort
