# TOS, DSCP, TTL, TCPMSS, MARK, CONNMARK with shifts: what they change, seen on the wire and by later rules.
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
ip netns exec s udp-echo -listen :5555 -text pong &
ip netns exec s http-echo -listen :80 -text web &
sleep 2.5
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -j TOS --set-tos 0x10/0x3f
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -m tos --tos Minimize-Delay
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -j TOS --or-tos 0x08
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -m tos --tos 0x18
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -j TOS --xor-tos 0x18
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -m tos ! --tos 0x18
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -j DSCP --set-dscp-class AF21
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -m dscp --dscp-class AF21
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -m dscp ! --dscp 18
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -j TTL --ttl-inc 10
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.2.0.2 -m ttl --ttl-gt 72
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.1.0.2 -j TTL --ttl-dec 40
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.1.0.2 -m ttl --ttl-lt 24
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.1.0.2 -m ttl --ttl-eq 23
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.1.0.2 -j DSCP --set-dscp 0x3f
ip netns exec r iptables -t mangle -A FORWARD -p udp -d 10.1.0.2 -j TOS --and-tos 0x1f
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.1.0.2 -j MARK --set-mark 0x12
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.1.0.2 -j CONNMARK --save-mark --left-shift-mark 4
ip netns exec r iptables -t mangle -A PREROUTING -p udp -m connmark --mark 0x120
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.2.0.2 -j CONNMARK --restore-mark --nfmask 0xff00 --ctmask 0xff0
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.2.0.2 -m mark --mark 0x120
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.2.0.2 -j CONNMARK --restore-mark --right-shift-mark 8
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.2.0.2 -m mark --mark 0x1
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.2.0.2 -j CONNMARK --or-mark 0xf000
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.2.0.2 -j CONNMARK --and-mark 0xfff0f
ip netns exec r iptables -t mangle -A PREROUTING -p udp -s 10.2.0.2 -j CONNMARK --xor-mark 0x5
ip netns exec r iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 900
ip netns exec r iptables -t mangle -A FORWARD -p tcp --syn -m tcpmss --mss 900
ip netns exec r iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
ip netns exec s tcpdump -l -n -t -v -i eth0 --immediate-mode udp 2>/dev/null >cap.txt &
ip netns exec c tcpdump -l -n -t -v -i eth0 --immediate-mode udp 2>/dev/null >cap2.txt &
sleep 1
ip netns exec c udp-probe -timeout 0.5 -bind :9001 10.2.0.2:5555
ip netns exec c nc -z -w 1 10.2.0.2 80
sleep 0.5
cat cap.txt
cat cap2.txt
ip netns exec r conntrack -L -p udp 2>/dev/null
ip netns exec r iptables -t mangle -S PREROUTING -v
ip netns exec r iptables -t mangle -S FORWARD -v
ip netns exec r iptables -t mangle -L FORWARD -n
ip netns exec r iptables -t mangle -L
