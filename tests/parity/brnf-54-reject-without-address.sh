# REJECT of bridged packets by a bridge without an address: no route to the sender, so that nobody is told.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge mcast_snooping 0
ip link set br0 address 02:00:00:00:00:b0
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
ip link add pb address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns b
ip link set pb up
ip -n b addr add 10.0.0.2/24 dev eth0
ip -n b link set eth0 up
ip link set pb master br0
ip link add pc address 02:00:00:00:03:01 type veth peer name eth0 address 02:00:00:00:03:02 netns c
ip link set pc up
ip -n c addr add 10.0.0.3/24 dev eth0
ip -n c link set eth0 up
ip link set pc master br0
ip netns exec b http-echo -listen :80 -text b &
sleep 2.5
ip netns exec a ping -c 1 -W 1 10.0.0.2 | tail -n 3
iptables -A FORWARD -p icmp -j REJECT
iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset
ip netns exec a ping -c 1 -W 0.5 10.0.0.2
ip netns exec a curl -s --max-time 0.5 http://10.0.0.2/
echo "rc=$?"
iptables-save -c | grep -v "^#" | grep -v ":[A-Z]"
echo "== with a route"
ip route add 10.0.0.0/24 dev br0
ip netns exec a ping -c 1 -W 0.5 10.0.0.2
ip netns exec a curl -s --max-time 0.5 http://10.0.0.2/
echo "rc=$?"
