# bridge link, -d, -o, show dev; bridge link set: every option, errors.
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
bridge link
bridge -d link show dev p1
bridge -o -d link show dev p1
bridge link set dev p1 hairpin on isolated on learning off flood off mcast_flood off
bridge -d link show dev p1
bridge link set dev p1 cost 77 priority 5
bridge link set dev p2 state 0
bridge link
bridge link set dev p2 state 3
bridge link set dev p2 guard on root_block on fastleave on
bridge -d link show dev p2
bridge link set dev p2 neigh_suppress on
bridge -d link show dev p2 | grep -o 'neigh_suppress [a-z]*'
bridge link set dev p1 hairpin maybe
echo "rc=$?"
bridge link set dev nosuch hairpin on
echo "rc=$?"
bridge link set dev br0 hairpin on
echo "rc=$?"
bridge link set dev p1 priority 64
echo "rc=$?"
bridge link set dev p1 state 9
echo "rc=$?"
bridge link set dev p1 foo 2>&1 | head -n 1
bridge link show dev nosuch
echo "rc=$?"
bridge link show dev lo
echo "rc=$?"
bridge foo
echo "rc=$?"
bridge link foo
echo "rc=$?"
