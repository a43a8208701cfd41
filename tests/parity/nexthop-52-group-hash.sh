# A group of nexthop objects: which member a flow takes, members that are replaced, fail or go.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
for i in 0 1; do
  ip -n h link add eth$i address 02:00:00:00:0$i:01 type veth peer name eth$i address 02:00:00:00:0$i:02 netns r
  ip -n h addr add 10.$i.0.1/24 dev eth$i
  ip -n h link set eth$i up
  ip -n r addr add 10.$i.0.2/24 dev eth$i
  ip -n r link set eth$i up
done
ip -n r addr add 10.9.0.1/16 dev lo
sleep 2.5
t() {
  echo "\$ $*"
  ip -n h "$@" 2>&1
  echo "rc=$?"
}
get() {
  for i in 1 2 3 4 5 6 7 8; do
    ip -n h route get 10.9.0.$i | head -n 1
  done
}
t nexthop add id 1 via 10.0.0.2 dev eth0
t nexthop add id 2 via 10.1.0.2 dev eth1
t nexthop add id 3 via 10.1.0.3 dev eth1
t nexthop add id 4 blackhole
t nexthop add id 10 group 1,3/2/3,2
t nexthop add id 11 group 10
t nexthop add id 11 group 4
t nexthop add id 12 group 3/9
t nexthop add id 12 group 3
t -j nexthop show groups
t nexthop replace id 10 via 10.0.0.2 dev eth0
t nexthop replace id 3 blackhole
t route add 10.9.0.0/16 nhid 10
t route add 10.8.0.0/16 nhid 11
t route add 10.7.0.0/16 nhid 12
t route add 10.6.0.0/16 nhid 10 scope host
t route
t -d route show 10.9.0.0/16
t -j route show 10.9.0.0/16
t route get fibmatch 10.9.0.1
t route get 10.8.0.1
ip netns exec h sysctl -w net.ipv4.fib_multipath_hash_seed=77
get
ip netns exec h ping -q -c 1 -W 1 10.9.0.2 | grep received
t nexthop replace id 10 group 1/2/3
get
echo "failed neighbours"
ip -n h neigh replace 10.1.0.3 dev eth1 nud failed
get
ip -n h neigh replace 10.0.0.2 dev eth0 nud failed
get
ip -n h neigh replace 10.1.0.2 dev eth1 nud failed
get
ip -n h neigh flush all
t nexthop del id 3
t route
t nexthop
get
ip netns exec h sysctl -qw net.ipv4.nexthop_compat_mode=0
t route
ip netns exec h sysctl -qw net.ipv4.nexthop_compat_mode=1
ip -n h link set eth0 down
t route
t nexthop
ip -n h link set eth1 mtu 60
t nexthop
t route
