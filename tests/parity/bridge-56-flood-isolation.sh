# flood, bcast_flood, mcast_flood off; isolated ports: counters tell who got what.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1 2 3; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
sleep 2.5
for o in flood bcast_flood mcast_flood; do
  bridge link set dev p2 $o off
done
ip -n h1 neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev eth0
ip netns exec h1 ping -q -c 1 -W 1 10.0.0.9 | grep received
ip netns exec h1 arping -c 1 -w 1 -I eth0 10.0.0.9 | grep Received
ip netns exec h1 ping -q -c 1 -W 1 -I eth0 224.0.0.77 | grep received
for n in 2 3; do
  ip -n h$n -s link show eth0 | tail -n 3 | head -n 1
done
bridge link set dev p2 bcast_flood on flood on mcast_flood on
bridge link set dev p1 isolated on
bridge link set dev p2 isolated on
ip netns exec h1 arping -c 1 -w 1 -f -I eth0 10.0.0.2 | grep Received
ip netns exec h1 arping -c 1 -w 1 -f -I eth0 10.0.0.3 | grep Received
for n in 2 3; do
  ip -n h$n -s link show eth0 | tail -n 4 | head -n 2
done
