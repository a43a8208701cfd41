# bridge fdb: parser errors, kernel errors, exit codes.
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
sleep 2.5
bridge fdb add
echo "rc=$?"
bridge fdb add 02:00:00:00:0a:01
echo "rc=$?"
bridge fdb add 02:00:00:00:0a dev p1 master
echo "rc=$?"
bridge fdb add foo dev p1 master
echo "rc=$?"
bridge fdb add 02:00:00:00:0a:01 dev nosuch master
echo "rc=$?"
bridge fdb add 01:00:5e:00:00:01 dev p1 master
echo "rc=$?"
bridge fdb add 00:00:00:00:00:00 dev p1 master
echo "rc=$?"
bridge fdb add 02:00:00:00:0a:01 dev lo
echo "rc=$?"
bridge fdb add 02:00:00:00:0a:01 dev br0 master
echo "rc=$?"
bridge fdb add 02:00:00:00:0a:01 dev p1 master dst 10.0.0.1
echo "rc=$?"
bridge fdb show br nosuch
echo "rc=$?"
bridge fdb show dev nosuch
echo "rc=$?"
bridge fdb show br p1
echo "rc=$?"
bridge fdb foo
echo "rc=$?"
bridge fdb show state foo
echo "rc=$?"
bridge -j fdb show dev p1 | grep -o '"mac":"02[^"]*"'
