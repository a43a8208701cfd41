# ip route show: dev, proto, via, table, scope, type, root, match, exact, src, default filters.
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
ip -n h link add eth1 address 02:00:00:00:02:01 type veth peer name eth1 address 02:00:00:00:02:02 netns r
ip -n h addr add 10.1.0.1/24 dev eth1
ip -n h link set eth1 up
ip -n r link set eth1 up
sleep 2.5
ip -n h route add default via 10.0.0.2
ip -n h route add 10.4.0.0/16 via 10.1.0.2 proto static
ip -n h route add 10.4.4.0/24 via 10.0.0.2 proto 99 metric 20
ip -n h route add 10.4.4.4 via 10.0.0.2 proto boot src 10.1.0.1
ip -n h route add blackhole 10.6.0.0/16
ip -n h route add 10.7.0.0/16 via 10.0.0.2 table 50
ip -n h route show dev eth1
ip -n h route show proto static
ip -n h route show proto kernel
ip -n h route show proto 99
ip -n h route show via 10.0.0.2
ip -n h route show table 50
ip -n h route show table main scope link
ip -n h route show type blackhole
ip -n h route show root 10.4.0.0/16
ip -n h route show match 10.4.4.4
ip -n h route show exact 10.4.4.0/24
ip -n h route show 10.4.4.0/24
ip -n h route show 10.4.0.0/15
ip -n h route list default
ip -n h route show src 10.1.0.1
ip -n h route show metric 20
echo "rc=$?"
ip -n h route show table 77
echo "rc=$?"
ip -n h route show dev nosuch
echo "rc=$?"
ip -n h route show 0.0.0.0/0
ip -n h route ls table 0 dev eth1
