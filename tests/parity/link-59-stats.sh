# ip -s, -s -s, -o -s and -br -s link after exactly two echo requests.
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
ip -n h neigh add 10.0.0.2 lladdr 02:00:00:00:01:02 dev eth0 nud permanent
ip -n r neigh add 10.0.0.1 lladdr 02:00:00:00:01:01 dev eth0 nud permanent
ip netns exec h ping -q -c 2 -i 0.2 10.0.0.2 | tail -n 3
ip -n h -s link show eth0
ip -n h -s -s link show eth0
ip -n r -o -s link show eth0
ip -n h -s link show lo
ip -n r -s -h link show eth0 | tail -n 4
ip netns exec h cat /sys/class/net/eth0/statistics/tx_bytes
ip netns exec h cat /sys/class/net/eth0/statistics/rx_packets
ip netns exec r cat /proc/net/dev | grep eth0 | tr -s ' '
