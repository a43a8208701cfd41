# Permanent entries: no requests; a wrong MAC; replaced by a right one; flush leaves them; the asked side learns.
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
ip -n h neigh add 10.0.0.2 lladdr 02:00:00:00:01:99 dev eth0
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n r -s link show eth0 | tail -n 4 | head -n 2
ip -n r neigh
ip -n h neigh replace 10.0.0.2 lladdr 02:00:00:00:01:02 dev eth0
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n r neigh
ip -n h neigh flush dev eth0
ip -n h neigh
ip netns exec r ping -q -c 1 -W 1 10.0.0.1 | grep received
ip -n h -s link show eth0 | tail -n 4
ip -n h neigh del 10.0.0.2 dev eth0
ip -n h neigh
ip netns exec h arping -c 1 -w 1 -I eth0 10.0.0.2
ip -n h neigh
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n h neigh replace 10.0.0.2 lladdr 02:00:00:00:01:55 dev eth0 nud reachable
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n r link set eth0 address 02:00:00:00:01:55
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
