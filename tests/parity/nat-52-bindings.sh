# Null bindings, SNAT in INPUT, NETMAP in OUTPUT and INPUT, rules asked for connections that began before them, a redirect.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name lan address 02:00:00:00:01:02 netns r
ip -n c addr add 192.168.1.2/24 dev eth0
ip -n c link set eth0 up
ip -n r addr add 192.168.1.1/24 dev lan
ip -n r link set lan up
ip -n s link add eth0 address 02:00:00:00:02:01 type veth peer name wan address 02:00:00:00:02:02 netns r
ip -n s addr add 203.0.113.2/24 dev eth0
ip -n s link set eth0 up
ip -n r addr add 203.0.113.1/24 dev wan
ip -n r link set wan up
ip -n c route add default via 192.168.1.1
ip -n s route add default via 203.0.113.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip netns exec s udp-echo -listen :53 -text dns -show-peer &
ip netns exec r udp-echo -listen :54 -text router -show-peer &
sleep 2.5
ip netns exec r iptables -A FORWARD -m conntrack --ctstate NEW
ip netns exec c ping -c 1 -W 0.5 203.0.113.2 >/dev/null
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:99
ip netns exec r iptables -t nat -A POSTROUTING -o wan -p udp -j MASQUERADE
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:99
ip netns exec r iptables -t nat -L POSTROUTING -n -v -x
ip netns exec r conntrack -L
ip netns exec r conntrack -F
ip netns exec r iptables -t nat -F
ip netns exec r iptables -t nat -A INPUT -p udp --dport 54 -j SNAT --to-source 10.5.5.5:600
ip -n r route add 10.5.5.5 via 192.168.1.2
ip netns exec c udp-probe -timeout 0.5 -bind :3001 192.168.1.1:54
ip netns exec r conntrack -L
ip netns exec r iptables -t nat -F
ip netns exec r iptables -t nat -A OUTPUT -d 10.8.0.0/24 -j NETMAP --to 203.0.113.0/24
ip netns exec r iptables -t nat -A INPUT -s 192.168.1.0/24 -p udp -j NETMAP --to 10.7.0.0/24
ip -n r route add 10.8.0.0/24 via 203.0.113.2
ip -n r route add 10.7.0.0/24 via 192.168.1.2
ip netns exec r udp-probe -timeout 0.5 -bind :3002 10.8.0.2:53
ip netns exec r ping -c 1 -W 0.5 10.8.0.2
ip netns exec c udp-probe -timeout 0.5 -bind :3003 192.168.1.1:54
ip netns exec r conntrack -L
ip netns exec r iptables -t nat -L -n -v -x
ip netns exec r iptables -t nat -F
ip netns exec r iptables -A FORWARD -p udp --dport 77 -j REJECT
ip netns exec r iptables -A FORWARD -p tcp --dport 77 -j REJECT --reject-with tcp-reset
ip netns exec r iptables -t nat -A POSTROUTING -j ACCEPT
ip netns exec c udp-probe -timeout 0.5 -bind :3004 203.0.113.2:77
ip netns exec c nc -w 1 -v 203.0.113.2 77
ip netns exec r iptables -t nat -L POSTROUTING -n -v -x
ip netns exec r conntrack -L
