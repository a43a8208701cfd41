# Both rule engines look at every packet, the newest first; one connection table, both nat tables asked until one has an answer.
for n in a r b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n a link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns b
ip -n a addr add 10.1.0.2/24 dev eth0
ip -n r addr add 10.1.0.1/24 dev eth0
ip -n r addr add 10.2.0.1/24 dev eth1
ip -n b addr add 10.2.0.2/24 dev eth0
for x in "a eth0" "r eth0" "r eth1" "b eth0"; do set -- $x; ip -n $1 link set $2 up; done
ip -n a route add default via 10.1.0.1
ip -n b route add default via 10.2.0.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
sleep 2.5
r="ip netns exec r"
$r iptables -A FORWARD -p icmp -j ACCEPT
$r iptables-legacy -A FORWARD -p icmp -j ACCEPT
$r iptables-legacy -A FORWARD -p udp -j DROP
$r iptables -A FORWARD -p udp
$r iptables-legacy -t nat -A PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.2.0.2
$r iptables -t nat -A PREROUTING -d 10.9.9.9
$r iptables -t nat -A PREROUTING -d 10.9.9.8 -j DNAT --to-destination 10.2.0.2
$r iptables-legacy -t nat -A PREROUTING -d 10.9.9.8
$r iptables-legacy -t nat -A POSTROUTING -o eth1
$r iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE
$r iptables-legacy -t mangle -A PREROUTING -j MARK --set-mark 7
$r iptables -t mangle -A PREROUTING -m mark --mark 7
ip netns exec b udp-echo -listen :5000 -text s1 &
sleep 0.3
ip netns exec a ping -c 1 -W 0.5 10.2.0.2
ip netns exec a ping -c 1 -W 0.5 10.9.9.9
ip netns exec a ping -c 1 -W 0.5 10.9.9.8
ip netns exec a udp-probe -timeout 0.3 -bind :4000 10.2.0.2:5000
$r iptables -t mangle -A PREROUTING -m mark --mark 0
ip netns exec a ping -c 1 -W 0.5 10.2.0.2
$r iptables-save -c | grep -v "^#"
$r iptables-legacy-save -c | grep -v "^#"
$r conntrack -L 2>/dev/null | sed "s/icmp *1 [0-9]*/icmp T/; s/id=[0-9]*/id=N/g" | sort
