# tcpdump of ARP and ping with -n, -e, -v, -q, -x, -t; -c; -w and -r.
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
ip netns exec r tcpdump -l -n -t -i eth0 --immediate-mode -w cap.pcap 2>err.txt &
t=$!
sleep 0.7
ip netns exec h ping -q -c 1 10.0.0.2 | grep received
sleep 0.5
ip netns exec h ping -q -c 1 -s 16 -t 9 -Q 0x10 10.0.0.2 | grep received
sleep 0.5
kill $t
sleep 0.3
tail -n 3 err.txt
tcpdump -n -t -r cap.pcap 2>/dev/null
tcpdump -n -t -e -r cap.pcap 2>/dev/null
tcpdump -n -t -v -r cap.pcap icmp 2>/dev/null
tcpdump -n -t -q -r cap.pcap 2>/dev/null
tcpdump -n -t -r cap.pcap -c 2 2>/dev/null
tcpdump -n -t -r cap.pcap arp 2>/dev/null
tcpdump -n -t -x -r cap.pcap arp 2>/dev/null
tcpdump -n -t -xx -r cap.pcap arp 2>/dev/null | head -n 3
tcpdump -n -t -e -v -r cap.pcap 'icmp[icmptype] = icmp-echoreply' 2>/dev/null
tcpdump -n -r cap.pcap -t host 10.0.0.9 2>/dev/null | wc -l
tcpdump -n -r nosuch.pcap
echo "rc=$?"
tcpdump -r cap.pcap -n foo
echo "rc=$?"
