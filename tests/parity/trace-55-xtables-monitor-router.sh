# xtables-monitor on a router: TCP and UDP through all tables, user chains that end, goto, policies, local packets over lo.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n r link add vc address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns c
ip -n r link add vs address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns s
ip -n r addr add 10.1.0.1/24 dev vc
ip -n r link set vc up
ip -n c addr add 10.1.0.2/24 dev eth0
ip -n c link set eth0 up
ip -n r addr add 10.2.0.1/24 dev vs
ip -n r link set vs up
ip -n s addr add 10.2.0.2/24 dev eth0
ip -n s link set eth0 up
ip -n c route add default via 10.1.0.1
ip -n s route add default via 10.2.0.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip netns exec s http-echo -listen :80 -text web &
ip netns exec r iptables -t raw -A PREROUTING -p tcp --tcp-flags SYN SYN -j TRACE
ip netns exec r iptables -t raw -A PREROUTING ! -p tcp -j TRACE
ip netns exec r iptables -t raw -A OUTPUT -p icmp -j TRACE
ip netns exec r iptables -t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 1200
ip netns exec r iptables -t mangle -A POSTROUTING -j MARK --set-mark 7
ip netns exec r iptables -t nat -A PREROUTING -d 10.9.9.9 -p tcp -j DNAT --to-destination 10.2.0.2:80
ip netns exec r iptables -t nat -A POSTROUTING -o vs -j MASQUERADE
ip netns exec r iptables -P FORWARD DROP
ip netns exec r iptables -N empty
ip netns exec r iptables -N side
ip netns exec r iptables -A FORWARD -j empty
ip netns exec r iptables -A FORWARD -p udp -g side
ip netns exec r iptables -A FORWARD -p tcp -m conntrack --ctstate NEW -j ACCEPT
ip netns exec r iptables -A FORWARD -m conntrack --ctstate ESTABLISHED
ip netns exec r iptables -A FORWARD -p tcp -j ACCEPT
ip netns exec r iptables -A side -p udp --dport 53 -j RETURN
ip netns exec r iptables -A side -p udp --dport 54 -j REJECT
ip netns exec r iptables -A side -j LOG
ip netns exec r iptables -A INPUT -p icmp -j NFQUEUE --queue-bypass
ip netns exec r iptables -A INPUT -p udp -j RETURN
sleep 2.5
ip netns exec r xtables-monitor --trace >t.txt 2>/dev/null &
sleep 1
ip netns exec c nc -z -p 7100 -w 1 10.9.9.9 8080
sleep 0.3
ip netns exec c udp-probe -timeout 0.2 -bind :7001 10.2.0.2:53
ip netns exec c udp-probe -timeout 0.2 -bind :7002 10.2.0.2:54
ip netns exec c udp-probe -timeout 0.2 -bind :7003 10.2.0.2:55
ip netns exec c udp-probe -timeout 0.2 -bind :7004 10.1.0.1:56
ip netns exec r ping -c 1 -W 1 10.1.0.1 >/dev/null
ip netns exec r ping -c 1 -W 1 10.1.0.2 >/dev/null
sleep 1
cat t.txt
