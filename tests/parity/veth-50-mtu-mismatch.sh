# veth ends with different MTUs: what passes, which counters move, what ping says.
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
ip -n r link set eth0 mtu 1000
ip netns exec h ping -c 1 -W 1 -s 972 10.0.0.2 | head -n 2
ip netns exec h ping -c 1 -W 1 -s 976 -M do 10.0.0.2 | head -n 2
ip netns exec h ping -c 1 -W 1 -s 977 -M do 10.0.0.2
echo "rc=$?"
ip netns exec r ping -c 1 -W 1 -s 1200 10.0.0.1
ip -n h -s link show eth0 | tail -n 4
ip -n r -s link show eth0 | tail -n 4
ip -n r link set eth0 down
ip netns exec h ping -c 1 -W 1 10.0.0.2
ip -n h link set eth0 down
ip netns exec h ping -c 1 -W 1 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -W 1 10.0.0.1 | head -n 2
