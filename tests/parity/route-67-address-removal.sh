# Deleting an address: which routes go (prefsrc, connected), which stay (gateways); cached sources; adding it again.
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
ip -n h addr add 10.1.0.1/24 dev eth0
ip -n h addr add 10.5.0.1/32 dev lo
sleep 2.5
ip -n h route add default via 10.1.0.2
ip -n h route add 10.6.0.0/16 via 10.0.0.2 src 10.1.0.1
ip -n h route add 10.7.0.0/16 via 10.0.0.2 src 10.5.0.1
ip -n h route add 10.8.0.0/16 via 10.1.0.2
ip -n h route add 10.9.0.0/16 dev eth0
ip -n h route add 10.7.0.0/16 via 10.0.0.2 src 10.5.0.1 table 50
ip -n h route
ip -n h addr del 10.1.0.1/24 dev eth0
ip -n h route
ip -n h route get 10.8.0.1
ip -n h addr del 10.5.0.1/32 dev lo
ip -n h route
ip -n h route show table 50
ip -n h route show table local dev eth0
ip -n h addr add 10.1.0.1/24 dev eth0
ip -n h route
ip -n h addr add 10.1.0.9/24 dev lo
ip -n h addr del 10.1.0.1/24 dev eth0
ip -n h route
ip -n h route show table local
ip -n h addr flush dev eth0
ip -n h route
