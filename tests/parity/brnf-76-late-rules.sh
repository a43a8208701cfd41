# Rules of table nat made after a connection began: asked for each of its packets without a reply, to no effect.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge mcast_snooping 0
ip link set br0 address 02:00:00:00:00:b0
ip addr add 10.0.0.254/24 dev br0
ip link set br0 up
for n in a b c; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add pa address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns a
ip link set pa up
ip -n a addr add 10.0.0.1/24 dev eth0
ip -n a link set eth0 up
ip link set pa master br0
ip -n a route add default via 10.0.0.254
ip link add pb address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns b
ip link set pb up
ip -n b addr add 10.0.0.2/24 dev eth0
ip -n b link set eth0 up
ip link set pb master br0
ip -n b route add default via 10.0.0.254
ip link add pc address 02:00:00:00:03:01 type veth peer name eth0 address 02:00:00:00:03:02 netns c
ip link set pc up
ip -n c addr add 10.0.0.3/24 dev eth0
ip -n c link set eth0 up
ip link set pc master br0
ip -n c route add default via 10.0.0.254
sysctl -qw net.ipv4.ip_forward=1
sleep 2.5
iptables -A FORWARD -m conntrack --ctstate NEW
ip netns exec c udp-probe -timeout 0.3 -bind :5000 10.0.0.2:9000
ip netns exec b iptables -A INPUT -p udp -j DROP
ip netns exec a udp-probe -timeout 0.3 -bind :5000 10.0.0.2:9000
iptables -t nat -A POSTROUTING -p udp -j SNAT --to-source 10.0.0.77
iptables -t nat -A PREROUTING -p udp -j DNAT --to-destination 10.0.0.3
ip netns exec a udp-probe -timeout 0.3 -bind :5000 10.0.0.2:9000
ip netns exec a udp-probe -timeout 0.3 -bind :5000 10.0.0.2:9000
iptables-save -c -t nat | grep "^.[0-9]"
conntrack -L -p udp
