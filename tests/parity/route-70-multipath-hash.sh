# Which way a flow takes: the seed, weights, policies 0, 1 and 3, bound sources, failed neighbours, forwarded packets.
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
ip -n r addr add 10.1.0.2/24 dev eth1
sleep 2.5
ip -n h route add 10.9.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.1.0.2 nexthop via 10.0.0.9 weight 2
for seed in 1 4711 4294967295; do
  ip netns exec h sysctl -w net.ipv4.fib_multipath_hash_seed=$seed
  for i in 1 2 3 4 5 6 7 8; do
    ip -n h route get 10.9.$i.$i | head -n 1
  done
done
ip netns exec h sysctl -w net.ipv4.fib_multipath_hash_seed=4294967296
ip netns exec h sysctl -w net.ipv4.fib_multipath_hash_seed=-1
ip netns exec h sysctl net.ipv4.fib_multipath_hash_seed
for i in 1 2 3 4; do
  ip -n h route get 10.9.$i.$i from 10.0.0.1 | head -n 1
  ip -n h route get 10.9.$i.$i from 10.1.0.1 | head -n 1
done
echo "policy 1"
ip netns exec h sysctl -qw net.ipv4.fib_multipath_hash_policy=1
for i in 1 2 3 4 5 6 7 8; do
  ip -n h route get 10.9.0.1 ipproto udp sport 100$i dport 53 | head -n 1
  ip -n h route get 10.9.0.1 ipproto tcp sport 5 dport 800$i | head -n 1
done
echo "failed neighbours"
ip netns exec h sysctl -qw net.ipv4.fib_multipath_hash_policy=0 net.ipv4.fib_multipath_use_neigh=1
ip netns exec h ping -q -c 1 -W 1 10.1.0.2 | grep received
ip -n h neigh add 10.0.0.9 dev eth0 nud failed
for i in 1 2 3 4 5 6 7 8; do
  ip -n h route get 10.9.$i.$i | head -n 1
done
echo "received packets"
ip netns exec h sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
ip -n h route add 10.8.0.0/16 via 10.0.0.2
for i in 1 2 3 4 5 6; do
  ip -n h route get 10.9.0.1 from 10.8.0.$i iif eth0 | head -n 1
done
echo "policy 3"
ip netns exec h sysctl -qw net.ipv4.fib_multipath_hash_policy=3
for fields in 1 2 7 48 55; do
  ip netns exec h sysctl -qw net.ipv4.fib_multipath_hash_fields=$fields
  for i in 1 2 3 4; do
    ip -n h route get 10.9.0.$i from 10.8.0.$i iif eth0 ipproto udp sport 100$i dport 53 | head -n 1
  done
done
