# A device with arp off: packets leave without resolution, with the device's broadcast-like own MAC? Answers are not sent.
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
ip -n h link set eth0 arp off
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n h neigh show
ip -n h neigh show nud noarp
ip -n r neigh show
ip -n r -s link show eth0 | tail -n 4
ip netns exec r ping -q -c 1 -W 1 10.0.0.1 | grep received
ip -n r neigh show
ip -n r neigh replace 10.0.0.1 lladdr 02:00:00:00:01:01 dev eth0 nud permanent
ip netns exec r ping -q -c 1 -W 1 10.0.0.1 | grep received
ip -n h neigh replace 10.0.0.2 lladdr 02:00:00:00:01:02 dev eth0 nud permanent
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n h link set eth0 arp on
ip -n h neigh show
