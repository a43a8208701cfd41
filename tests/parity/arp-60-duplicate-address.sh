# Two hosts with the same address: arping shows both; -D; who gets the traffic after a gratuitous ARP.
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
ip -n h3 addr flush dev eth0
ip -n h3 addr add 10.0.0.2/24 dev eth0
sleep 2.5
ip netns exec h1 arping -c 1 -w 1 -I eth0 10.0.0.2 | sort
ip netns exec h2 arping -D -c 1 -w 1 -I eth0 10.0.0.2
echo "rc=$?"
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
sleep 1.2
ip netns exec h3 arping -q -c 1 -A -I eth0 10.0.0.2
ip -n h1 neigh
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
bridge fdb show br br0 dynamic | sort
sleep 1.2
ip netns exec h2 arping -q -c 1 -U -I eth0 10.0.0.2
ip -n h1 neigh
ip netns exec h2 arping -c 1 -w 1 -I eth0 10.0.0.2
