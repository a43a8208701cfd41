# Pinging own addresses, 127/8, localhost, an address of another own device; TTL of -t 1.
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
ip -n h addr add 10.5.0.1/32 dev lo
ip netns exec h ping -c 1 127.0.0.1
ip netns exec h ping -c 1 127.9.9.9
ip netns exec h ping -c 1 10.0.0.1
ip netns exec h ping -c 1 -t 1 10.5.0.1
ip netns exec h ping -c 1 -n localhost
ip netns exec h ping -c 1 -W 1 -I eth0 10.0.0.1
ip netns exec h ping -c 1 -W 1 -I 10.5.0.1 10.0.0.2
echo "rc=$?"
ip -n r route add 10.5.0.1 via 10.0.0.1
ip netns exec h ping -q -c 1 -W 1 -I 10.5.0.1 10.0.0.2
ip netns exec r ping -c 1 10.5.0.1
ip netns exec h ping -c 1 -W 1 -I 127.0.0.1 10.0.0.2
echo "rc=$?"
