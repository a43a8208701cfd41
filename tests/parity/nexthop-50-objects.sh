# ip nexthop objects: add, show, groups, routes by nhid, errors, deletion takes routes along.
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
ip -n h addr add 10.1.0.1/24 dev eth0
sleep 2.5
ip -n h nexthop add id 1 via 10.0.0.2 dev eth0
ip -n h nexthop add id 2 via 10.1.0.2 dev eth0
ip -n h nexthop add id 10 group 1/2,3
ip -n h nexthop add id 5 blackhole
ip -n h nexthop show
ip -n h nexthop show id 10
ip -n h nexthop get id 1
ip -n h route add 10.9.0.0/16 nhid 10
ip -n h route add 10.8.0.0/16 nhid 1
ip -n h route add 10.7.0.0/16 nhid 5
ip -n h route
ip -n h route get 10.8.0.1
ip -n h nexthop add id 1 via 10.0.0.3 dev eth0
echo "rc=$?"
ip -n h nexthop replace id 1 via 10.0.0.3 dev eth0
ip -n h route show 10.8.0.0/16
ip -n h nexthop add id 11 via 10.99.0.1 dev eth0
echo "rc=$?"
ip -n h nexthop del id 77
echo "rc=$?"
ip -n h route add 10.6.0.0/16 nhid 77
echo "rc=$?"
ip -n h nexthop del id 1
ip -n h route
ip -n h nexthop
ip -n h link set eth0 down
ip -n h nexthop
