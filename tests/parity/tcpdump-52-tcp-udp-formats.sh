# How tcpdump prints a UDP exchange, a port unreachable, a SYN with RST, fragments, a TCP conversation's flags.
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
ip -n h neigh add 10.0.0.2 lladdr 02:00:00:00:01:02 dev eth0
ip -n r neigh add 10.0.0.1 lladdr 02:00:00:00:01:01 dev eth0
ip netns exec h tcpdump -n -i eth0 --immediate-mode -w cap.pcap 2>/dev/null &
t=$!
sleep 0.7
ip netns exec h udp-probe -bind :1111 10.0.0.2:9000
ip netns exec h udp-probe -bind :1112 10.0.0.2:9001
ip netns exec h nc -z -p 1113 10.0.0.2 8001
ip netns exec h ping -q -c 1 -s 2000 10.0.0.2 | grep received
ip netns exec h curl -s --local-port 2000 http://10.0.0.2:8000/
sleep 0.7
kill $t
sleep 0.3
tcpdump -n -t -r cap.pcap udp or icmp 2>/dev/null | grep -v ' id ' 
tcpdump -n -t -r cap.pcap port 8001 2>/dev/null
tcpdump -n -t -r cap.pcap port 8001 -q 2>/dev/null
tcpdump -n -t -v -r cap.pcap udp 2>/dev/null
tcpdump -n -t -v -r cap.pcap 'icmp[0] == 3' 2>/dev/null
tcpdump -n -t -v -r cap.pcap 'icmp[0] != 3' 2>/dev/null
tcpdump -n -t -e -r cap.pcap 'ip[6:2] & 0x3fff != 0' 2>/dev/null
tcpdump -n -t -r cap.pcap port 8000 2>/dev/null | grep -o '10.*Flags \[[^]]*\]\|length [0-9]*' | head -n 8
