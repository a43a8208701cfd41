# tcpdump filters on one capture: host, net, src, dst, port, portrange, proto, ether, less, greater, flags, and/or/not.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
sleep 2.5
ip netns exec r http-echo -listen :8000 -text hi &
ip netns exec r udp-echo -listen :9000 -text pong &
ip netns exec r tcpdump -n -i eth0 --immediate-mode -w cap.pcap 2>/dev/null &
t=$!
sleep 0.7
ip netns exec h ping -q -c 1 10.0.0.2 | grep received
ip netns exec h udp-probe -bind :1111 10.0.0.2:9000
ip netns exec h udp-probe -bind :1112 10.0.0.2:9001
ip netns exec h nc -z -p 1113 10.0.0.2 8001
ip netns exec h ping -q -c 1 -s 1000 10.0.0.2 | grep received
sleep 0.7
kill $t
sleep 0.3
cat >filters <<'EOF'
host 10.0.0.1
src host 10.0.0.1
dst 10.0.0.1
net 10.0.0.0/24 and udp
src net 10.0.0.2/32
port 9000
src port 9000
dst port 9001
portrange 9000-9001
tcp
udp
icmp
arp
ip
not ip
ether host 02:00:00:00:01:01
ether src 02:00:00:00:01:02
ether broadcast
ether proto 0x0806
greater 500
less 60
tcp[tcpflags] & tcp-syn != 0
tcp[tcpflags] & (tcp-rst|tcp-ack) != 0
tcp[13] == 2
icmp[icmptype] == icmp-echo
icmp[0] == 3
ip[8] == 64 and not icmp
udp or arp
(udp or icmp) and src 10.0.0.2
not (udp or tcp or arp)
tcp port 8001
udp port 8001
ip proto 17
ip6
vlan
broadcast
host 10.0.0.1 and host 10.0.0.2 and icmp
dst host 10.0.0.2 and (tcp or udp)
len > 500
EOF
while read f; do
  echo "$f: $(tcpdump -n -r cap.pcap "$f" 2>/dev/null | wc -l)"
done <filters
