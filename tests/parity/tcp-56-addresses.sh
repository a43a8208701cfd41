# TCP and addresses: the source by route, by binding; servers on one address; a reply from a secondary address.
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
ip -n h addr add 10.0.0.7/24 dev eth0
ip -n h addr add 10.5.0.1/32 dev lo
ip -n r addr add 10.0.0.9/24 dev eth0
ip -n r addr add 10.6.0.1/32 dev lo
ip -n r route add 10.5.0.1 via 10.0.0.1
sleep 2.5
ip netns exec r http-echo -listen :80 -text any -show-peer &
ip netns exec r http-echo -listen 10.0.0.9:81 -text nine -show-peer &
sleep 0.5
ip -n h route add 10.6.0.1 via 10.0.0.2
ip netns exec h curl -s http://10.0.0.2/
ip netns exec h curl -s http://10.0.0.9/
ip netns exec h curl -s http://10.6.0.1/
ip netns exec h curl -s http://10.0.0.9:81/
ip netns exec h curl -s http://10.0.0.2:81/
echo "rc=$?"
ip -n h route replace 10.6.0.1 via 10.0.0.2 src 10.0.0.7
ip netns exec h curl -s http://10.6.0.1/
ip -n h route replace 10.6.0.1 via 10.0.0.2 src 10.5.0.1
ip netns exec h curl -s http://10.6.0.1/
ip netns exec h curl -s --interface 10.5.0.1 http://10.0.0.2/
ip netns exec h curl -s --interface lo -m 1 http://10.0.0.2/
echo "rc=$?"
ip -n h addr del 10.0.0.1/24 dev eth0
ip netns exec h curl -s -m 1 http://10.0.0.2/
echo "rc=$?"
ip -n h -br addr
