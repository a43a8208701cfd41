# Which address MASQUERADE takes on a bridge: a bridged packet has no next hop but its destination; a DNATed one has its route's.
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
sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.br0.send_redirects=0
ip addr flush dev br0
ip addr add 192.168.5.1/24 dev br0
ip addr add 10.0.0.254/24 dev br0
ip addr add 10.0.0.253/24 dev br0
ip route add 10.9.0.0/24 via 10.0.0.2
ip -n b addr add 10.9.0.1/32 dev lo
ip -n b route add 192.168.5.0/24 via 10.0.0.254
ip -n a route replace default via 10.0.0.2
ip netns exec b sysctl -qw net.ipv4.ip_forward=1
ip netns exec b udp-echo -listen :9000 -text b -show-peer &
sleep 2.5
iptables -t nat -A PREROUTING -d 10.96.0.1 -p udp -j DNAT --to-destination 10.9.0.1
iptables -t nat -A POSTROUTING -p udp -j MASQUERADE
iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
for to in 10.0.0.2 10.9.0.1; do
  ip netns exec a udp-probe -timeout 0.5 -bind :5000 $to:9000
done
ip -n a route replace 10.96.0.0/16 via 10.0.0.254
ip netns exec a udp-probe -timeout 0.5 -bind :5001 10.96.0.1:9000
conntrack -L -p udp
echo "== mss"
ip netns exec b http-echo -listen :80 -text b -show-peer &
ip netns exec b tcpdump -l -n -t -i eth0 --immediate-mode "tcp[13] == 2" 2>/dev/null >b.txt &
sleep 1
ip link set br0 mtu 1400
ip netns exec a curl -s --max-time 1 http://10.0.0.2/
ip route replace 10.9.0.0/24 via 10.0.0.2 mtu 1300
ip netns exec a curl -s --max-time 1 http://10.9.0.1/
sleep 0.3
cat b.txt
iptables-save -c -t mangle | grep "^.[0-9]"
