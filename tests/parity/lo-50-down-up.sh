# lo down and up: routes of the local table, own addresses, 127/8, a namespace whose lo was never up.
ip netns add a
ip netns exec a sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip -n a addr show lo
ip -n a route show table local
ip netns exec a ping -c 1 -W 1 127.0.0.1
echo "rc=$?"
ip -n a link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip -n a addr add 10.0.0.1/24 dev v0
ip -n a link set v0 up
ip -n a link set v1 up
sleep 2.5
ip -n a route show table local
ip netns exec a ping -q -c 1 -W 1 10.0.0.1 | grep received
ip -n a link set lo up
ip -n a route show table local
ip netns exec a ping -q -c 1 -W 1 10.0.0.1 | grep received
ip -n a addr add 10.8.0.1/32 dev lo
ip -n a addr add 127.0.0.9/8 dev lo
ip -n a addr show lo
ip -n a link set lo down
ip -n a route show table local
ip -n a -br addr
ip netns exec a ping -q -c 1 -W 1 10.0.0.1 | grep received
ip netns exec a ping -c 1 -W 1 127.0.0.1
ip -n a link set lo up
ip -n a route show table local
ip -n a addr del 127.0.0.1/8 dev lo
ip -n a route show table local
ip netns exec a ping -q -c 1 -W 1 127.0.0.1 | grep received
ip -n a addr flush dev lo
ip -n a route show table local
