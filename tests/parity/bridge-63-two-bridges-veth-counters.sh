# Counters of every device on the way of one ping through two bridges joined by a veth.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in h1 h2; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
for i in 1 2; do
  ip link add br$i address 02:00:00:00:00:b$i type bridge mcast_snooping 0
  ip link set br$i up
  ip link add p$i address 02:00:00:00:0$i:01 type veth peer name eth0 address 02:00:00:00:0$i:02 netns h$i
  ip link set p$i up master br$i
  ip -n h$i addr add 10.0.0.$i/24 dev eth0
  ip -n h$i link set eth0 up
done
ip link add x1 address 02:00:00:00:03:01 type veth peer name x2 address 02:00:00:00:03:02
ip link set x1 up master br1
ip link set x2 up master br2
sleep 2.5
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
for d in br1 br2 p1 p2 x1 x2; do
  echo "$d $(ip -s link show $d | tail -n 3 | head -n 1 | tr -s ' ')"
  echo "$d $(ip -s link show $d | tail -n 1 | tr -s ' ')"
done
bridge fdb show br br1 dynamic | sort
bridge fdb show br br2 dynamic | sort
ip link set x1 down
ip netns exec h1 ping -q -c 1 -W 1 10.0.0.2 | grep received
bridge fdb show br br1 dynamic | sort
