# DNAT to an address behind a router of the same bridge: bridged to the router's MAC; rp_filter and unreachable routes.
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
ip netns exec b sysctl -qw net.ipv4.ip_forward=1
ip -n b addr add 10.9.0.1/32 dev lo
ip route add 10.9.0.0/24 via 10.0.0.2
sleep 2.5
iptables -t nat -A PREROUTING -d 10.96.0.1 -j DNAT --to-destination 10.9.0.1
iptables -t nat -A PREROUTING -d 10.96.0.2 -j DNAT --to-destination 10.8.0.1
iptables -t nat -A PREROUTING -d 10.96.0.3 -j DNAT --to-destination 10.7.0.1
iptables -t nat -A PREROUTING -d 10.96.0.4 -j DNAT --to-destination 127.0.0.1
ip route add unreachable 10.8.0.0/24
ip netns exec b tcpdump -l -n -t -e -i eth0 --immediate-mode icmp 2>/dev/null >b.txt &
sleep 1
ip netns exec a ping -c 2 -i 0.2 -W 1 10.96.0.1
ip netns exec a ping -c 1 -W 0.5 10.96.0.2
ip netns exec a ping -c 1 -W 0.5 10.96.0.3
ip netns exec a ping -c 1 -W 0.5 10.96.0.4
sleep 0.3
cat b.txt
ip neigh | sort
ip netns exec a ip neigh | sort
