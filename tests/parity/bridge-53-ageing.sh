# ageing_time: a learned address disappears, is refreshed by traffic; static ones stay; -s shows used.
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
ip link set br0 type bridge ageing_time 300
sleep 2.5
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
bridge fdb show br br0 dynamic | sort
bridge -s fdb show br br0 dynamic | grep -c used
bridge fdb add 02:00:00:00:0a:01 dev p1 master static
bridge fdb add 02:00:00:00:0a:02 dev p1 master dynamic extern_learn
sleep 2
ip netns exec h1 arping -c 1 -w 1 -f -I eth0 10.0.0.2 >/dev/null
sleep 2
bridge fdb show br br0 dynamic | wc -l
sleep 6
bridge fdb show br br0 | grep -v permanent | sort
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
ip link set br0 type bridge ageing_time 0
ip netns exec h2 ping -q -c 1 10.0.0.1 | grep received
sleep 1.5
bridge fdb show br br0 dynamic | sort
ip link set br0 type bridge fdb_flush
bridge fdb show br br0 | grep -v permanent | sort
