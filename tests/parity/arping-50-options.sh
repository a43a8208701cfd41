# arping: -c -w -f -q -b -s -D -U -A -I; output and exit codes.
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
ip netns exec h arping -c 2 -I eth0 10.0.0.2
echo "rc=$?"
ip netns exec h arping -f -c 5 -I eth0 10.0.0.2
ip netns exec h arping -q -c 1 -I eth0 10.0.0.2
echo "rc=$?"
ip netns exec h arping -b -c 2 -I eth0 10.0.0.2
ip netns exec h arping -c 1 -w 1 -I eth0 10.0.0.77
echo "rc=$?"
ip netns exec h arping -D -c 1 -w 1 -I eth0 10.0.0.2
echo "rc=$?"
ip netns exec h arping -D -c 1 -w 1 -I eth0 10.0.0.77
echo "rc=$?"
ip netns exec h arping -D -c 1 -w 1 -I eth0 10.0.0.1
echo "rc=$?"
ip netns exec h arping -U -c 1 -I eth0 10.0.0.1
echo "rc=$?"
ip netns exec h arping -A -c 2 -I eth0 10.0.0.1
echo "rc=$?"
ip netns exec h arping -c 1 -w 1 -s 10.0.0.1 -I eth0 10.0.0.2
ip netns exec h arping -c 1 -w 1 -s 10.0.0.99 -I eth0 10.0.0.2
echo "rc=$?"
ip -n r neigh | sort
