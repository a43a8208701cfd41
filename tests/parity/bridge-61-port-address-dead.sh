# An IP address on a bridge port is dead; moving it to the bridge heals; a frame to the port's own MAC.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
ip addr add 10.0.0.9/24 dev p1
sleep 2.5
ip route
ping -q -c 1 -W 1 10.0.0.1 | grep received
ip netns exec h1 ping -q -c 1 -W 1 10.0.0.9 | grep received
ip neigh show dev p1
ip -n h1 neigh | sort
ip addr add 10.0.0.8/24 dev br0
ip netns exec h1 ping -q -c 1 -W 1 10.0.0.8 | grep received
ip route
ip route get 10.0.0.1
sleep 0.4
ping -q -c 1 -W 0.5 10.0.0.1 | grep received
ip addr del 10.0.0.9/24 dev p1
ping -q -c 1 -W 1 10.0.0.1 | grep received
ip -n h1 neigh replace 10.0.0.8 lladdr 02:00:00:00:01:01 dev eth0 nud permanent
ip netns exec h1 ping -q -c 1 -W 1 10.0.0.8 | grep received
ip link set br0 address 02:00:00:00:01:01
ip netns exec h1 ping -q -c 1 -W 1 10.0.0.8 | grep received
