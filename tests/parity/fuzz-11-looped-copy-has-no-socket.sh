# The copy of an own broadcast that comes back meets POSTROUTING first, and belongs to no socket.
for n in r b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n r link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns b
ip -n r addr add 10.3.0.1/24 brd 10.3.0.255 dev eth0
ip -n b addr add 10.3.0.2/24 dev eth0
ip -n r link set eth0 up
ip -n b link set eth0 up
sleep 2.5
ip netns exec r iptables -t nat -A POSTROUTING -m owner --socket-exists
ip netns exec r iptables -t nat -A POSTROUTING -p icmp
ip netns exec r iptables -t mangle -A POSTROUTING -m owner --socket-exists
ip netns exec r iptables -t mangle -A POSTROUTING -p icmp
ip netns exec r iptables -t nat -A POSTROUTING -j MASQUERADE -p udp
ip netns exec r ping -n -c 1 -W 0.2 -b 10.3.0.255 2>&1 | grep received
ip netns exec r ping -n -c 1 -W 0.2 10.3.0.2 | grep received
ip netns exec r iptables-save -c | grep -v "^#"
