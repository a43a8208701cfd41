# ip route add/del: errors and exit codes.
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
ip -n h route add 10.2.0.0/33 via 10.0.0.2
echo "rc=$?"
ip -n h route add foo via 10.0.0.2
echo "rc=$?"
ip -n h route add 10.2.0.0/16 via foo
echo "rc=$?"
ip -n h route add 10.2.0.0/16 via 10.9.9.9
echo "rc=$?"
ip -n h route add 10.2.0.0/16 via 10.0.0.2 dev nosuch
echo "rc=$?"
ip -n h route add 10.2.0.0/16 via 10.0.0.1
echo "rc=$?"
ip -n h route add 10.2.0.0/16 via 10.0.0.255
echo "rc=$?"
ip -n h route add 10.2.0.1/16 via 10.0.0.2
echo "rc=$?"
ip -n h route add 10.2.0.0/16 via 10.0.0.2
ip -n h route add 10.2.0.0/16 via 10.0.0.2
echo "rc=$?"
ip -n h route add 10.2.0.0/16 dev eth0
echo "rc=$?"
ip -n h route add 10.2.0.0/16 via 10.0.0.2 metric 5
echo "rc=$?"
ip -n h route add 10.3.0.0/16
echo "rc=$?"
ip -n h route add 2>&1 | head -n 1
ip -n h route del 10.4.0.0/16
echo "rc=$?"
ip -n h route del 10.2.0.0/16 via 10.0.0.9
echo "rc=$?"
ip -n h route add 10.3.0.0/16 via 10.0.0.2 src 10.0.0.77
echo "rc=$?"
ip -n h route add 10.3.0.0/16 via 10.0.0.2 metric abc
echo "rc=$?"
ip -n h route foo
echo "rc=$?"
ip -n h route
