# ip -j and -j -p of link, also with -s and -d (parts).
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
ip -n h -j link show eth0
ip -n h -j -p link show lo
ip -n h -j -br link
ip -n h -j -s link show lo
ip -n h -j link show nosuch
echo "rc=$?"
ip -n h -j -d link show lo
ip -n r -br -o link
