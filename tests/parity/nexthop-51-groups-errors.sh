# Nexthop objects: chosen ids, refusals, groups and their hash, JSON, details, filters, flush, compat mode, devices that go.
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
sleep 2.5
t() {
  echo "\$ $*"
  ip -n h "$@" 2>&1
  echo "rc=$?"
}
t nexthop add via 10.0.0.2 dev eth0
t nexthop add dev eth1
t nexthop add id 7 via 10.1.0.2 dev eth1 proto static
t nexthop add via 10.77.0.1 dev eth1 onlink
t nexthop add id 20 blackhole proto 99
t nexthop add id 21 blackhole
t nexthop
t -d nexthop
t -j nexthop
t nexthop add id 30 via 10.0.0.2
t nexthop add id 30 dev nosuch
t nexthop add id 30
t nexthop add id 30 dev eth0 onlink
t nexthop add id 30 blackhole dev eth0
t nexthop add id 30 via 10.0.0.1 dev eth0
t nexthop add id 30 via 10.1.0.2 dev eth0
t nexthop add id 30 group 1/99
t nexthop add id 30 group 1/1
t nexthop add id 30 group 1/20
t nexthop add id 30 group 1 dev eth0
t nexthop add id 30 group 1,0
t nexthop add id 30 group 1,257
t nexthop add id 30 group x/1
t nexthop add id 30 group 1,3/7,256
t nexthop add id 31 group 30
t nexthop add id 31 group 20
t nexthop add id 31 bogus
t nexthop del
t nexthop del id 0
t nexthop get id 99
t nexthop get
t nexthop show id 30
t nexthop show groups
t nexthop show dev eth1
t nexthop show proto 4
t -4 nexthop show
t nexthop replace via 10.0.0.2 dev eth0
t nexthop replace id 30 via 10.0.0.2 dev eth0
t nexthop replace id 1 group 7
t nexthop replace id 7 blackhole
t route add 10.20.0.0/16 nhid 30 dev eth0
t route add 10.20.0.0/16 nhid 30
t route add 10.20.0.0/16 nhid 1
t route append 10.20.0.0/16 nhid 1
t route add 10.21.0.0/16 nhid 31 metric 5
t route add 10.22.0.0/16 nhid 4 scope link
t route add 10.22.0.0/16 nhid 2 scope link
t route add local 10.23.0.0/16 nhid 1
t route add local 10.23.0.0/16 nhid 2
t route add blackhole 10.24.0.0/16 nhid 1
t route add 10.25.0.0/16 nhid abc
t route
t -d route show 10.20.0.0/16
t -j route show 10.20.0.0/16
t route get 10.21.0.1
t route get fibmatch 10.20.0.1
t nexthop replace id 2 blackhole
t nexthop replace id 7 via 10.1.0.9 dev eth1
t route show 10.20.0.0/16
t route del 10.20.0.0/16 nhid 7
t route del 10.20.0.0/16 nhid 99
t route del 10.20.0.0/16 via 10.0.0.2
t route del 10.20.0.0/16 nhid 1
ip netns exec h sysctl -w net.ipv4.fib_multipath_hash_seed=9
for i in 1 2 3 4 5 6; do
  ip -n h route get 10.20.0.$i | head -n 1
done
t nexthop replace id 30 group 7,2/1
for i in 1 2 3 4 5 6; do
  ip -n h route get 10.20.0.$i | head -n 1
done
echo "a failed neighbour is passed over"
ip -n h neigh add 10.1.0.9 dev eth1 nud failed
for i in 1 2 3 4 5 6; do
  ip -n h route get 10.20.0.$i | head -n 1
done
ip netns exec h sysctl -w net.ipv4.nexthop_compat_mode=0
t route show 10.20.0.0/16
t route show 10.21.0.0/16
ip netns exec h sysctl -qw net.ipv4.nexthop_compat_mode=1
t route flush 10.21.0.0/16
t route del 10.24.0.0/16
ip netns exec h ping -c 1 -W 1 10.21.0.1
echo "the other end goes down"
ip -n r link set eth1 down
sleep 0.3
t nexthop
t route
t nexthop add id 50 dev eth1
t nexthop flush proto 3
t nexthop flush dev eth0
t nexthop flush
t nexthop
t route
t nexthop flush id 5
ip -n h link set lo down
t nexthop add id 51 blackhole
ip -n h link set eth1 down
t nexthop add id 50 dev eth1
