# Flooded frames: FORWARD and POSTROUTING once for each port; a broadcast also goes up.
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
sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
ip netns exec c sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
sleep 2.5
iptables -t mangle -A PREROUTING -p icmp --icmp-type 8 -m pkttype --pkt-type broadcast
iptables -t mangle -A PREROUTING -p icmp --icmp-type 8 -m pkttype --pkt-type unicast
iptables -t mangle -A FORWARD -p icmp --icmp-type 8 -m pkttype --pkt-type broadcast
iptables -t mangle -A FORWARD -p icmp --icmp-type 8 -m mac --mac-source 02:00:00:00:01:02
iptables -t mangle -A FORWARD -p icmp -m physdev --physdev-out pa
iptables -t mangle -A FORWARD -p icmp -m physdev --physdev-out pb
iptables -t mangle -A FORWARD -p icmp -m physdev --physdev-out pc
iptables -t mangle -A INPUT -p icmp --icmp-type 8 -m pkttype --pkt-type broadcast
iptables -t mangle -A INPUT -p icmp --icmp-type 8 -m physdev --physdev-in pa
iptables -t mangle -A POSTROUTING -p icmp --icmp-type 8 -m pkttype --pkt-type broadcast
iptables -t mangle -A POSTROUTING -p icmp --icmp-type 8 -m physdev --physdev-out pb
iptables -A INPUT -m conntrack --ctstate NEW
iptables -A FORWARD -m conntrack --ctstate NEW
ip netns exec a ping -b -c 1 -W 1 10.0.0.255 | grep packets
sleep 0.3
iptables-save -c | grep -v "^#" | grep -v ":[A-Z]"
conntrack -L | sort
echo "== unknown unicast"
iptables -t mangle -Z
ip -n a neigh add 10.0.0.50 lladdr 02:00:00:00:99:99 dev eth0
ip netns exec a ping -c 1 -W 0.3 10.0.0.50 | grep packets
iptables-save -c -t mangle | grep -v "^#" | grep -v ":[A-Z]"
