# Two bridges of one namespace joined by a veth: a packet meets the hooks once for each.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge mcast_snooping 0
ip link set br0 address 02:00:00:00:00:b0
ip link set br0 up
ip link add br1 type bridge mcast_snooping 0
ip link set br1 address 02:00:00:00:00:b1
ip link set br1 up
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add pa address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns a
ip link set pa up
ip -n a addr add 10.0.0.1/24 dev eth0
ip -n a link set eth0 up
ip link set pa master br0
ip link add pb address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns b
ip link set pb up
ip -n b addr add 10.0.0.2/24 dev eth0
ip -n b link set eth0 up
ip link set pb master br1
ip addr add 10.0.0.254/24 dev br0
ip link add j0 address 02:00:00:00:07:01 type veth peer name j1 address 02:00:00:00:07:02
ip link set j0 up
ip link set j1 up
ip link set j0 master br0
ip link set j1 master br1
ip netns exec b udp-echo -listen :9000 -text b -show-peer &
sleep 2.5
for c in PREROUTING FORWARD POSTROUTING; do
  iptables -t mangle -A $c -p udp
done
iptables -t mangle -A FORWARD -p udp -m physdev --physdev-in pa --physdev-out j0
iptables -t mangle -A FORWARD -p udp -m physdev --physdev-in j1 --physdev-out pb
iptables -A FORWARD -p udp -m conntrack --ctstate NEW
iptables -A FORWARD -p udp -m conntrack --ctstate ESTABLISHED
iptables -t mangle -A PREROUTING -p udp -i br0 -j MARK --set-mark 7
iptables -t mangle -A FORWARD -p udp -i br1 -m mark --mark 7
iptables -t nat -A PREROUTING -p udp -i br0
iptables -t nat -A PREROUTING -p udp -i br1
ip netns exec a udp-probe -timeout 1 -bind :5000 10.0.0.2:9000
ip netns exec a udp-probe -timeout 1 -bind :5000 10.0.0.2:9000
iptables-save -c | grep -v "^#" | grep -v ":[A-Z]"
conntrack -L
