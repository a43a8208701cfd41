# arping: missing device, bad device, lo, down device, bad address.
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
ip netns exec h arping -c 1 -w 1 10.0.0.2
echo "rc=$?"
ip netns exec h arping -c 1 -I nosuch 10.0.0.2
echo "rc=$?"
ip netns exec h arping -c 1 -w 1 -I lo 127.0.0.1
echo "rc=$?"
ip netns exec h arping -c 1 -I eth0 2>&1 | head -n 1
ip netns exec h arping -c abc -I eth0 10.0.0.2
echo "rc=$?"
ip netns exec h arping -c 1 -w 1 -s 10.9.9.9 -I eth0 10.0.0.2
echo "rc=$?"
ip netns exec h arping -c 1 -w 1 -U -I eth0 10.0.0.50
echo "rc=$?"
ip -n h addr flush dev eth0
ip netns exec h arping -c 1 -w 1 -I eth0 10.0.0.2
echo "rc=$?"
ip netns exec h arping -D -c 1 -w 1 -I eth0 10.0.0.2
echo "rc=$?"
ip -n h link set eth0 down
ip netns exec h arping -c 1 -w 1 -I eth0 10.0.0.2
echo "rc=$?"
