# Multipath routes: listing, weights, replacing, deleting, errors, a next hop that goes down.
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
ip -n h addr add 10.1.0.1/24 dev eth1
ip -n h link set eth1 up
ip -n r link set eth1 up
sleep 2.5
ip -n h route add 10.9.0.0/16 nexthop via 10.0.0.2 nexthop via 10.1.0.2 weight 3
ip -n h route add 10.8.0.0/16 nexthop dev eth0 nexthop via 10.1.0.2 dev eth1 onlink
ip -n h route
ip -n h route show 10.9.0.0/16
ip -n h -o route show 10.9.0.0/16
ip -n h -j route show 10.9.0.0/16
ip -n h route add 10.9.0.0/16 nexthop via 10.0.0.2 nexthop via 10.1.0.2
echo "rc=$?"
ip -n h route add 10.7.0.0/16 nexthop via 10.0.0.2 weight 0
echo "rc=$?"
ip -n h route add 10.7.0.0/16 nexthop via 10.0.0.2 weight 257
echo "rc=$?"
ip -n h route add 10.7.0.0/16 nexthop via 10.0.0.2 nexthop via 10.5.0.2
echo "rc=$?"
ip -n h route add 10.7.0.0/16 nexthop via 10.0.0.2 weight 5
ip -n h route show 10.7.0.0/16
ip -n r link set eth1 down
sleep 1.2
ip -n h route show 10.9.0.0/16
ip -n h link set eth1 down
ip -n h route show 10.9.0.0/16
ip -n h route show 10.8.0.0/16
ip -n h link set eth1 up
ip -n r link set eth1 up
sleep 1.2
ip -n h route
ip -n h route del 10.9.0.0/16
ip -n h route del 10.8.0.0/16 nexthop dev eth0
echo "rc=$?"
ip -n h route
