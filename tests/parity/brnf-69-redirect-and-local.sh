# REDIRECT and DNAT to the bridge's own host, and a packet with TTL 1 across the bridge.
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
udp-echo -listen :9000 -text host -show-peer &
ip addr add 192.168.7.7/32 dev lo
sleep 2.5
iptables -t nat -A PREROUTING -d 10.0.0.2 -p udp --dport 53 -j REDIRECT --to-ports 9000
iptables -t nat -A PREROUTING -d 10.0.0.3 -p udp --dport 53 -j DNAT --to-destination 192.168.7.7:9000
iptables -A INPUT -p udp -m physdev --physdev-in pa
iptables -A INPUT -p udp -d 192.168.7.7
iptables -A INPUT -p udp -d 10.0.0.254
iptables -A FORWARD
iptables -A FORWARD -m ttl --ttl-eq 1
ip netns exec a tcpdump -l -n -t -e -i eth0 --immediate-mode udp 2>/dev/null >a.txt &
sleep 1
ip netns exec a udp-probe -timeout 1 -bind :5000 10.0.0.2:53
ip netns exec a udp-probe -timeout 1 -bind :5001 10.0.0.3:53
ip netns exec a ping -c 1 -W 1 -t 1 10.0.0.2 | grep packets
sleep 0.3
cat a.txt
conntrack -L -p udp
iptables-save -c | grep "^.[0-9]"
