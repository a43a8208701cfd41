# ip neigh: errors and exit codes.
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
ip -n h neigh add 10.0.0.9 dev eth0
echo "rc=$?"
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:09
echo "rc=$?"
ip -n h neigh add lladdr 02:00:00:00:09:09 dev eth0
echo "rc=$?"
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09 dev eth0
echo "rc=$?"
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:zz dev eth0
echo "rc=$?"
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev nosuch
echo "rc=$?"
ip -n h neigh add foo lladdr 02:00:00:00:09:09 dev eth0
echo "rc=$?"
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev eth0 nud nosuch
echo "rc=$?"
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev eth0
ip -n h neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev eth0
echo "rc=$?"
ip -n h neigh change 10.0.0.8 lladdr 02:00:00:00:09:09 dev eth0
echo "rc=$?"
ip -n h neigh del 10.0.0.8 dev eth0
echo "rc=$?"
ip -n h neigh del 10.0.0.9
echo "rc=$?"
ip -n h neigh del 10.0.0.9 lladdr 02:00:00:00:00:01 dev eth0
echo "rc=$?"
ip -n h neigh add 10.0.0.1 lladdr 02:00:00:00:09:09 dev eth0
echo "rc=$?"
ip -n h neigh add 10.99.0.1 lladdr 02:00:00:00:09:09 dev eth0
echo "rc=$?"
ip -n h neigh add 10.0.0.7 lladdr 02:00:00:00:09:09 dev lo
echo "rc=$?"
ip -n h neigh show dev nosuch
echo "rc=$?"
ip -n h neigh show nud bar
echo "rc=$?"
ip -n h neigh foo
echo "rc=$?"
ip -n h neigh | sort
