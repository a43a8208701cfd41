# DNAT on a bridge to a host of another bridge: the packet goes up and is routed; the reply too.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge mcast_snooping 0
ip link set br0 address 02:00:00:00:00:b0
ip addr add 10.0.0.254/24 dev br0
ip link set br0 up
ip link add br1 type bridge mcast_snooping 0
ip link set br1 address 02:00:00:00:00:b1
ip addr add 10.1.0.254/24 dev br1
ip link set br1 up
for n in a b c d; do
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
ip -n c addr add 10.1.0.3/24 dev eth0
ip -n c link set eth0 up
ip link set pc master br1
ip -n c route add default via 10.1.0.254
ip link add pd address 02:00:00:00:04:01 type veth peer name eth0 address 02:00:00:00:04:02 netns d
ip link set pd up
ip -n d addr add 10.1.0.4/24 dev eth0
ip -n d link set eth0 up
ip link set pd master br1
ip -n d route add default via 10.1.0.254
sysctl -qw net.ipv4.ip_forward=1
ip netns exec c http-echo -listen :80 -text c -show-peer &
ip netns exec c udp-echo -listen :9000 -text c -show-peer &
sleep 2.5
iptables -t nat -A PREROUTING -d 10.96.0.1 -j DNAT --to-destination 10.1.0.3
iptables -t mangle -A FORWARD -i br0 -o br1 -m physdev --physdev-in pa
iptables -t mangle -A FORWARD -i br0 -o br1 -m physdev --physdev-is-bridged
iptables -t mangle -A FORWARD -i br1 -o br0 -m physdev --physdev-in pc
iptables -t mangle -A FORWARD -i br0 -o br1 -m ttl --ttl-eq 63
iptables -t mangle -A POSTROUTING -o br1 -m physdev --physdev-in pa
iptables -t mangle -A POSTROUTING -o br1
ip netns exec c tcpdump -l -n -t -e -v -i eth0 --immediate-mode icmp 2>/dev/null >cap.txt &
sleep 1
ip netns exec a ping -c 1 -W 1 10.96.0.1
ip netns exec a udp-probe -timeout 1 -bind :5000 10.96.0.1:9000
ip netns exec a curl -s --max-time 1 http://10.96.0.1/
sleep 0.5
cat cap.txt
conntrack -L -p udp
iptables-save -c -t mangle | grep -v "^#" | grep -v ":[A-Z]"
iptables-save -c -t nat | grep PREROUTING
ip neigh | sort
