# The same network on two devices: order of connected routes, metrics, which one is used; removal.
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
ip -n h link add eth1 address 02:00:00:00:02:01 type veth peer name eth1 address 02:00:00:00:02:02 netns r
ip -n h link set eth1 up
ip -n r link set eth1 up
sleep 2.5
ip -n h addr add 10.0.0.3/24 dev eth1
ip -n h route
ip -n h route get 10.0.0.2
ip -n h link set eth0 down
ip -n h route get 10.0.0.2
ip -n h link set eth0 up
sleep 1.2
ip -n h route
ip -n h route get 10.0.0.2
ip -n h route get 10.0.0.2 oif eth1
ip -n h route get 10.0.0.2 from 10.0.0.3
ip -n h route get 10.0.0.2 oif eth0
ip -n h addr del 10.0.0.3/24 dev eth1
ip -n h route
ip -n h route show table local
