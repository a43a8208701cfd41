# SYN retransmissions to a silent host: how many in 4.5 s; with tcp_syn_retries=1; linear timeouts off.
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
ip netns exec r iptables -A INPUT -p tcp --dport 80 -j DROP
ip netns exec r tcpdump -l -n -t -i eth0 --immediate-mode tcp 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h nc -z -v -w 4 10.0.0.2 80
sleep 0.4
grep -c 'Flags \[S\]' cap.txt
ip netns exec h sysctl -qw net.ipv4.tcp_syn_linear_timeouts=0
ip netns exec h curl -s -S -m 4.5 http://10.0.0.2/
echo "rc=$?"
sleep 0.2
grep -c 'Flags \[S\]' cap.txt
ip netns exec h sysctl -qw net.ipv4.tcp_syn_retries=1
ip netns exec h nc -z -v 10.0.0.2 80
echo "rc=$?"
grep -c 'Flags \[S\]' cap.txt
ip netns exec h ss -H -tan state syn-sent | wc -l
