# ip neigh add with every nud state, replace, change, del; listing order by one entry at a time.
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
for s in permanent noarp reachable stale incomplete failed none; do
  ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev eth0 nud $s
  echo "rc=$?"
  ip -n h neigh show 10.0.0.9
  ip -n h neigh del 10.0.0.9 dev eth0
done
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev eth0
ip -n h neigh show
ip -n h neigh change 10.0.0.9 lladdr 02:00:00:00:09:0a dev eth0
ip -n h neigh show dev eth0
ip -n h neigh replace 10.0.0.9 lladdr 02:00:00:00:09:0b dev eth0 nud noarp
ip -n h neigh show
ip -n h neigh show nud permanent
ip -n h neigh show nud noarp
ip -n h neigh show nud all
ip -n h neigh del 10.0.0.9 dev eth0
ip -n h neigh show
