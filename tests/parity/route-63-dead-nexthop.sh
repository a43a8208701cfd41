# A multipath route with a next hop whose link is down: what remains in use; ignore_routes_with_linkdown.
# The hash has a seed, so that flows take the same way in every run.
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
ip -n r addr add 10.9.0.1/32 dev lo
ip -n r addr add 10.1.0.2/24 dev eth1
sleep 2.5
ip netns exec h sysctl -qw net.ipv4.fib_multipath_hash_seed=7
ip -n h route add 10.9.0.0/16 nexthop via 10.0.0.2 nexthop via 10.1.0.2
ip -n h link set eth1 down
for i in 1 2 3; do
  ip -n h route get 10.9.0.$i | head -n 1
done
ip netns exec h ping -q -c 1 -W 1 10.9.0.1 | grep received
ip -n h link set eth1 up
sleep 1.2
ip -n h route show 10.9.0.0/16
ip -n r link set eth0 down
sleep 1.2
ip -n h route show 10.9.0.0/16
ip netns exec h sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1
ip -n h route show 10.9.0.0/16
ip -n h route show 10.0.0.0/24
for i in 1 2 3 4 5 6; do
  ip -n h route get 10.9.0.$i | head -n 1
done
echo "the bounds change with the next event of a device"
ip -n h addr add 10.3.0.1/24 dev eth1
for i in 1 2 3 4 5 6; do
  ip -n h route get 10.9.0.$i | head -n 1
done
ip -n h route get 10.0.0.2
echo "rc=$?"
