# JSON of neighbours in each fixed state; permanent entries survive nothing of a link down.
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
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev eth0
ip -n h -j neigh
ip -n h -j -p neigh show dev eth0
ip netns exec h ping -c 1 -W 1 10.0.0.77 >/dev/null
ip -n h neigh show 10.0.0.77
ip -n h -j neigh show 10.0.0.77
sleep 2.5
ip -n h neigh show 10.0.0.77
ip -n h -j neigh show nud failed
ip -n h neigh show nud failed
ip -n h neigh show nud incomplete
ip -n h link set eth0 down
ip -n h -j neigh
ip -n h link set eth0 up
ip -n h neigh
ip -n r neigh add 10.0.0.1 lladdr 02:00:00:00:09:01 dev eth0 nud noarp
ip -n r link set eth0 arp off
ip -n r neigh show
ip -n r link set eth0 address 02:00:00:00:07:07
ip -n r neigh show
