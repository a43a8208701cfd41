# ip neigh flush with filters, proxy entries, get, to, -s flush.
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
for i in 3 4 5; do
  ip -n h neigh add 10.0.0.$i lladdr 02:00:00:00:09:0$i dev eth0 nud stale
done
ip -n h neigh add 10.0.0.6 lladdr 02:00:00:00:09:06 dev eth0 nud permanent
ip -n h neigh add 10.0.0.7 lladdr 02:00:00:00:09:07 dev eth0 nud noarp
ip -n h neigh show to 10.0.0.4/30 | sort
ip -n h neigh get 10.0.0.4 dev eth0
ip -n h neigh get 10.0.0.44 dev eth0
echo "rc=$?"
ip -n h neigh get 10.0.0.4
echo "rc=$?"
ip -n h neigh flush 10.0.0.3
ip -n h neigh | sort
ip -n h -s neigh flush dev eth0
ip -n h neigh | sort
ip -n h neigh flush
echo "rc=$?"
ip -n h neigh flush all
ip -n h neigh flush dev eth0 nud permanent
ip -n h neigh | sort
ip -n h neigh flush dev eth0 nud noarp
ip -n h neigh add proxy 10.0.0.50 dev eth0
ip -n h neigh add proxy 10.0.0.51 dev eth0
ip -n h neigh show proxy | sort
ip -n h neigh
ip -n h neigh del proxy 10.0.0.50 dev eth0
ip -n h neigh show proxy
ip -n h neigh del proxy 10.0.0.99 dev eth0
echo "rc=$?"
ip -n h neigh flush dev nosuch
echo "rc=$?"
