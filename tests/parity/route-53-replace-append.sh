# replace, change, append, prepend, add with metrics: which entry is touched and the order of the list.
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
ip -n h route change 10.2.0.0/16 via 10.0.0.2
echo "rc=$?"
ip -n h route replace 10.2.0.0/16 via 10.0.0.2
ip -n h route replace 10.2.0.0/16 via 10.0.0.3
ip -n h route replace 10.2.0.0/16 via 10.0.0.4 metric 10
ip -n h route show 10.2.0.0/16
ip -n h route append 10.2.0.0/16 via 10.0.0.5
ip -n h route prepend 10.2.0.0/16 via 10.0.0.6
ip -n h route show 10.2.0.0/16
ip -n h route get 10.2.0.1
ip -n h route change 10.2.0.0/16 via 10.0.0.7
ip -n h route show 10.2.0.0/16
ip -n h route replace 10.2.0.0/16 via 10.0.0.8
ip -n h route show 10.2.0.0/16
ip -n h route del 10.2.0.0/16
ip -n h route show 10.2.0.0/16
ip -n h route del 10.2.0.0/16 metric 10
ip -n h route show 10.2.0.0/16
ip -n h route append 10.2.0.0/16 via 10.0.0.5
echo "rc=$?"
ip -n h route add 10.2.0.0/16 via 10.0.0.9 tos 0x10
ip -n h route show 10.2.0.0/16
ip -n h route get 10.2.0.1 tos 0x10
ip -n h route test 10.2.0.0/16 via 10.0.0.5
echo "rc=$?"
