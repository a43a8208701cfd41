# bridge fdb flush, link down of a port, nomaster: which entries go.
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
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
bridge fdb add 02:00:00:00:0a:01 dev p1 master static
bridge fdb add 02:00:00:00:0a:02 dev p2 master permanent
bridge fdb add 02:00:00:00:0a:03 dev p2 master dynamic
bridge fdb show br br0 | sort
ip link set p1 type bridge_slave fdb_flush
bridge fdb show br br0 | grep -v permanent | sort
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
ip link set p2 down
bridge fdb show br br0 | grep -v permanent | sort
bridge fdb show br br0 | grep permanent | sort
ip link set p2 up
bridge fdb flush dev br0
echo "rc=$?"
bridge fdb show br br0 | grep -v permanent | sort
ip link set p1 nomaster
bridge fdb show br br0 | sort
ip link set br0 down
bridge fdb show br br0 | sort
