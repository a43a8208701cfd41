# MASQUERADE and SNAT of bridged packets: the bridge's address; without one the packet is dropped.
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
ip netns exec b udp-echo -listen :9000 -text b -show-peer &
ip netns exec b http-echo -listen :80 -text b -show-peer &
sleep 2.5
echo "== forwarding is off"
iptables -t nat -A POSTROUTING -s 10.0.0.1 -d 10.0.0.2 -j MASQUERADE
ip netns exec a udp-probe -timeout 0.5 -bind :4999 10.0.0.2:9000
conntrack -F
sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.br0.send_redirects=0
echo "== forwarding is on"
iptables -A FORWARD -m physdev --physdev-is-bridged
iptables -A FORWARD
iptables -A INPUT
ip netns exec b tcpdump -l -n -t -e -v -i eth0 --immediate-mode icmp 2>/dev/null >b.txt &
sleep 1
ip netns exec a ping -c 2 -i 0.2 -W 1 10.0.0.2
ip netns exec a udp-probe -timeout 1 -bind :5000 10.0.0.2:9000
ip netns exec a curl -s --max-time 1 http://10.0.0.2/
sleep 0.3
cat b.txt
conntrack -L -p udp
iptables-save -c -t filter | grep -v "^#" | grep -v ":[A-Z]"
iptables -t nat -F
conntrack -F
iptables -t nat -A POSTROUTING -s 10.0.0.1 -p udp -j SNAT --to-source 10.0.0.77
ip addr add 10.0.0.77/24 dev br0
ip netns exec a udp-probe -timeout 1 -bind :5000 10.0.0.2:9000
conntrack -L -p udp
iptables -t nat -F
conntrack -F
iptables -t nat -A POSTROUTING -s 10.0.0.1 -j MASQUERADE
ip addr flush dev br0
ip netns exec a udp-probe -timeout 0.5 -bind :5001 10.0.0.2:9000
conntrack -L -p udp
iptables-save -c -t nat | grep MASQ
