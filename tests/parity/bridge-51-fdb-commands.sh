# bridge fdb add, append, replace, del, show: forms, states, errors.
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
bridge fdb show br br0 | sort
bridge fdb add 02:00:00:00:0a:01 dev p1 master
bridge fdb add 02:00:00:00:0a:02 dev p1 master static
bridge fdb add 02:00:00:00:0a:03 dev p1 master dynamic
bridge fdb add 02:00:00:00:0a:04 dev p1 master permanent
bridge fdb add 02:00:00:00:0a:05 dev p1 self
bridge fdb add 02:00:00:00:0a:06 dev p1
bridge fdb add 02:00:00:00:0a:07 dev br0 self local
bridge fdb show br br0 | sort
bridge fdb show brport p1 | sort
bridge fdb show dev p1 | sort
bridge fdb show br br0 dynamic | sort
bridge fdb show br br0 state static | sort
bridge fdb add 02:00:00:00:0a:02 dev p2 master static
echo "rc=$?"
bridge fdb replace 02:00:00:00:0a:02 dev p2 master static
echo "rc=$?"
bridge fdb show br br0 | grep 0a:02
bridge fdb append 02:00:00:00:0a:02 dev p1 master static
echo "rc=$?"
bridge fdb del 02:00:00:00:0a:02 dev p1 master
echo "rc=$?"
bridge fdb del 02:00:00:00:0a:02 dev p2 master
echo "rc=$?"
bridge fdb del 02:00:00:00:0a:99 dev p2 master
echo "rc=$?"
bridge fdb get 02:00:00:00:0a:01 br br0
bridge fdb get 02:00:00:00:0a:99 br br0
echo "rc=$?"
bridge fdb del 02:00:00:00:01:01 dev p1 master
echo "rc=$?"
bridge fdb show br br0 | sort
