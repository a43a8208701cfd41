# Port states: disabled, listening, learning, forwarding, blocking: what passes and what is learned.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1 2; do
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
for s in 0 1 2 4 3; do
  bridge link set dev p2 state $s
  bridge fdb flush dev br0 2>/dev/null
  ip link set br0 type bridge fdb_flush
  ip -n h1 neigh flush dev eth0
  ip -n h2 neigh flush dev eth0
  bridge link show dev p2 | grep -o 'state [a-z]*'
  ip netns exec h1 arping -c 1 -w 1 -I eth0 10.0.0.2 | grep Received
  ip netns exec h2 arping -c 1 -w 1 -I eth0 10.0.0.1 | grep Received
  bridge fdb show br br0 | grep 02:00:00:00:02:02
done
bridge link set dev p1 learning off
ip link set br0 type bridge fdb_flush
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
bridge fdb show br br0 dynamic | sort
