# A bridge with multicast snooping and an up address joins 224.0.0.106 itself; hosts' joins; counters after a long sleep.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 1
ip link set br0 up
for n in h1; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add p1 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns h1
ip link set p1 up
ip -n h1 addr add 10.0.0.1/24 dev eth0
ip -n h1 link set eth0 up
sleep 1
ip link set p1 master br0
sleep 4
ip -s link show br0 | tail -n 4
ip -n h1 -s link show eth0 | tail -n 4
bridge mdb show
ip maddr show dev br0
ip -n h1 maddr show dev eth0
ip -n h1 maddr show dev lo
ip link set br0 type bridge mcast_snooping 0
ip maddr show dev br0
