# More errors of ip route: duplicates of keywords, tables, types, downed devices, gateways behind gateways.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
sleep 2.5
ip -n h route add 10.3.0.0/16 via 10.0.0.2 table nosuch
echo "rc=$?"
ip -n h route add 10.3.0.0/16 via 10.0.0.2 proto nosuch
echo "rc=$?"
ip -n h route add 10.3.0.0/16 via 10.0.0.2 scope nosuch
echo "rc=$?"
ip -n h route add 10.3.0.0/16 via 10.0.0.2 bar
echo "rc=$?"
ip -n h route add 10.3.0.0/16 via 10.0.0.2 mtu abc
echo "rc=$?"
ip -n h route add 10.3.0.0/16 10.4.0.0/16
echo "rc=$?"
ip -n h route add 10.3.0.0/16 via
echo "rc=$?"
ip -n h route add nosuch 10.3.0.0/16
echo "rc=$?"
ip -n h route add blackhole 10.3.0.0/16 via 10.0.0.2
echo "rc=$?"
ip -n h route add 10.5.0.0/16 via 10.0.0.2
ip -n h route add 10.6.0.0/16 via 10.5.0.1
echo "rc=$?"
ip -n h route add 10.6.0.0/16 via 10.5.0.1 dev eth0
echo "rc=$?"
ip -n h route add 10.6.0.0/16 via 10.5.0.1 dev eth0 onlink
echo "rc=$?"
ip -n h route add 10.7.0.0/16 dev eth0 onlink
echo "rc=$?"
ip -n h route add 10.7.0.0/16 via 10.0.0.2 scope link
echo "rc=$?"
ip -n h route add 10.7.0.0/16 via 10.0.0.2 scope host
echo "rc=$?"
ip -n h route add 10.8.0.0/16 via 127.0.0.1
echo "rc=$?"
ip -n h route add 10.8.0.0/16 dev lo
echo "rc=$?"
ip -n h route
ip -n h link set eth0 down
ip -n h route add 10.9.0.0/16 dev eth0
echo "rc=$?"
ip -n h route add 10.9.0.0/16 via 10.0.0.2
echo "rc=$?"
ip -n h route
