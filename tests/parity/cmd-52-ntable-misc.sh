# ip route, link and addr forms written without keywords and in other orders.
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
ip -n h link set dev eth0 down
ip -n h link set up dev eth0
ip -n h link set up eth0
ip -n h addr add dev eth0 10.5.0.1/24
ip -n h addr add 10.6.0.1/24 brd 10.6.0.255 scope global dev eth0
ip -n h addr add local 10.7.0.1/24 dev eth0
ip -n h route add to 10.20.0.0/16 via 10.0.0.2
ip -n h route add dev eth0 10.21.0.0/16
ip -n h route add via 10.0.0.2 10.22.0.0/16
ip -n h route add unicast 10.23.0.0/16 via inet 10.0.0.2
ip -n h route add 0/0 via 10.0.0.2 metric 50
ip -n h route add default dev eth0 metric 60
ip -n h route add any via 10.0.0.2 metric 70
ip -n h route add 10.24/16 via 10.0.0.2
ip -n h route add 10.25.0.0/255.255.0.0 via 10.0.0.2
ip -n h route add 10.26.0.5 via 10.0.0.2 preference 3
ip -n h route add 10.27.0.0/16 via 10.0.0.2 priority 4
ip -n h route
ip -n h route del default
ip -n h route del via 10.0.0.2 dev eth0 10.20.0.0/16
ip -n h route show default
ip -n h route del default metric 60
ip -n h route show default
ip -n h neigh add dev eth0 lladdr 02:00:00:00:09:09 10.0.0.9
ip -n h neigh add to 10.0.0.8 dev eth0 lladdr 2:0:0:0:9:8
ip -n h neigh | sort
ip -n h -br addr
