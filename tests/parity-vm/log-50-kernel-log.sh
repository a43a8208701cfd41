# LOG in the initial namespace: every option, on packets received, sent and forwarded; iptables-legacy's TRACE. Other namespaces log nothing.
for n in c s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link set lo up
ip link add vc address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns c
ip link add vs address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns s
sysctl -qw net.ipv6.conf.vc.disable_ipv6=1 net.ipv6.conf.vs.disable_ipv6=1 net.ipv4.ip_forward=1
ip addr add 10.1.0.1/24 dev vc
ip link set vc up
ip addr add 10.2.0.1/24 dev vs
ip link set vs up
ip -n c addr add 10.1.0.2/24 dev eth0
ip -n c link set eth0 up
ip -n s addr add 10.2.0.2/24 dev eth0
ip -n s link set eth0 up
ip -n c route add default via 10.1.0.1
ip -n s route add default via 10.2.0.1
sleep 2.5
iptables -A INPUT -p icmp -j LOG --log-prefix "in: " --log-ip-options
iptables -A OUTPUT -p icmp -j LOG --log-prefix "out: " --log-uid
iptables -A FORWARD -p udp -j LOG --log-prefix "fwd: " --log-macdecode
iptables -t mangle -A POSTROUTING -p udp -j LOG --log-prefix "post: " --log-level 7
iptables -A INPUT -p tcp -j LOG --log-prefix "tcp: " --log-tcp-sequence --log-tcp-options
iptables -A INPUT -p udp -j LOG --log-prefix "udp: "
iptables -t mangle -A PREROUTING -p udp --dport 99 -j MARK --set-mark 0x42
ip netns exec c iptables -A OUTPUT -j LOG --log-prefix "silent: "
ip netns exec c ping -c 1 -W 1 10.1.0.1 >/dev/null
ping -c 1 -W 1 10.1.0.2 >/dev/null
ip netns exec c sh -c "echo probe | nc -u -w 1 -p 7001 10.2.0.2 9999"
ip netns exec c sh -c "echo probe | nc -u -w 1 -p 7002 10.1.0.1 99"
ip netns exec c nc -z -p 7003 -w 1 10.1.0.1 81
sh -c "echo probe | nc -u -w 1 -p 7004 127.0.0.1 98"
dmesg | grep -o -E "(in|out|fwd|post|tcp|udp|silent): IN=.*" | sed "s/ ID=[0-9]* / ID=N /g; s/SEQ=[0-9]* ACK/SEQ=N ACK/; s/OPT (.*) /OPT /; s/ID=[0-9]* SEQ/ID=N SEQ/g"
iptables -F
iptables -t mangle -F
iptables-legacy -t raw -A PREROUTING -p udp -j TRACE
iptables-legacy -N web
iptables-legacy -A FORWARD -j web
iptables-legacy -A web -p tcp -j DROP
iptables-legacy -A FORWARD -s 10.9.9.9 -j ACCEPT
iptables-legacy -A FORWARD -p udp -j ACCEPT
ip netns exec c sh -c "echo probe | nc -u -w 1 -p 7005 10.2.0.2 9999"
dmesg | grep -o "TRACE: .*" | sed "s/ ID=[0-9]* / ID=N /g"
