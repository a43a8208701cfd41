# Point-to-point addresses: peer, routes they make, deletion, ping.
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
ip -n h addr flush dev eth0
ip -n r addr flush dev eth0
sleep 2.5
ip -n h addr add 10.1.1.1 peer 10.1.1.2 dev eth0
ip -n r addr add 10.1.1.2 peer 10.1.1.1/32 dev eth0
ip -n h addr show eth0
ip -n h route
ip -n h route show table local dev eth0
ip netns exec h ping -q -c 1 10.1.1.2 | head -n 4 | tail -n 2
ip -n h addr add 10.1.2.1 peer 10.1.3.0/24 dev eth0
ip -n h route
ip -n h -br addr
ip -n h addr add 10.1.1.1 peer 10.1.1.9 dev eth0
echo "rc=$?"
ip -n h addr add 10.1.1.1/24 dev eth0
echo "rc=$?"
ip -n h addr show eth0 | grep inet
ip -n h addr del 10.1.1.1 peer 10.1.1.2 dev eth0
ip -n h addr del 10.1.1.1/32 dev eth0
echo "rc=$?"
ip -n h addr show eth0 | grep inet
ip -n h -j addr show eth0 | grep -o '"local".*'
