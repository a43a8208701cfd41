# MSS in SYN and SYN-ACK: device MTU, route mtu, advmss, a path MTU exception.
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
ip netns exec r http-echo -listen :80 -text hi &
ip netns exec r tcpdump -l -n -t -i eth0 --immediate-mode 'tcp[tcpflags] & tcp-syn != 0' 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h curl -s http://10.0.0.2/
ip -n h link set eth0 mtu 1400
ip netns exec h curl -s http://10.0.0.2/
ip -n h link set eth0 mtu 1500
ip -n h route add 10.0.0.2 dev eth0 mtu 1200
ip netns exec h curl -s http://10.0.0.2/
ip -n h route replace 10.0.0.2 dev eth0 advmss 700
ip netns exec h curl -s http://10.0.0.2/
ip -n h route replace 10.0.0.2 dev eth0 mtu 200
ip netns exec h curl -s http://10.0.0.2/
ip -n h route replace 10.0.0.2 dev eth0 window 5000
ip netns exec h curl -s http://10.0.0.2/
ip -n h route del 10.0.0.2 dev eth0
ip -n r route add 10.0.0.1 dev eth0 advmss 900
ip netns exec h curl -s http://10.0.0.2/
ip netns exec h sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0 net.ipv4.tcp_window_scaling=0
ip netns exec h curl -s http://10.0.0.2/
sleep 0.3
grep -o 'Flags \[[^]]*\]\|win [0-9]*\|options \[[^]]*\]' cap.txt
