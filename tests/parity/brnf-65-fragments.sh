# Fragments through a bridge: as they are without conntrack; put together and cut again with it.
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
ip netns exec b udp-echo -listen :9000 -text b &
sleep 2.5
iptables -t mangle -A PREROUTING -p udp -m physdev --physdev-in pa
iptables -t mangle -A FORWARD -p udp -m physdev --physdev-in pa
iptables -t mangle -A FORWARD -p udp -m physdev --physdev-in pa -f
iptables -t mangle -A POSTROUTING -p udp -m physdev --physdev-in pa
ip netns exec b tcpdump -l -n -t -e -v -i eth0 --immediate-mode udp 2>/dev/null >b.txt &
sleep 1
ip netns exec a udp-probe -timeout 1 -size 3000 -bind :5000 10.0.0.2:9000
sleep 0.3
cat b.txt
iptables-save -c -t mangle | grep -v "^#" | grep -v ":[A-Z]"
echo "== conntrack"
iptables -t mangle -Z
iptables -A FORWARD -p udp -m conntrack --ctstate NEW
ip netns exec a udp-probe -timeout 1 -size 3000 -bind :5001 10.0.0.2:9000
sleep 0.3
cat b.txt
iptables-save -c | grep -v "^#" | grep -v ":[A-Z]"
echo "== smaller fragments"
iptables -t mangle -Z
ip -n a link set eth0 mtu 800
ip netns exec a udp-probe -timeout 1 -size 3000 -bind :5002 10.0.0.2:9000
ip netns exec a ping -c 1 -W 1 -s 2000 10.0.0.2 | grep packets
ip netns exec a ping -c 1 -W 1 -s 2000 10.0.0.254 | grep packets
sleep 0.3
cat b.txt
iptables-save -c -t mangle | grep -v "^#" | grep -v ":[A-Z]"
echo "== a lost one"
iptables -t mangle -Z
iptables -t raw -A PREROUTING -p udp -j DROP
ip netns exec a udp-probe -timeout 0.3 -size 3000 -bind :5003 10.0.0.2:9000
iptables-save -c | grep -v "^#" | grep -v ":[A-Z]"
