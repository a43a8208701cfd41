# ip_local_port_range of one and two ports: which source port, what happens when all are in use; -p in use.
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
ip netns exec r udp-echo -listen :9000 -text ok &
ip netns exec r tcpdump -l -n -t -i eth0 --immediate-mode 'tcp[13] == 2 or udp' 2>/dev/null >cap.txt &
ip netns exec h sysctl -w net.ipv4.ip_local_port_range="20000 20000"
ip netns exec r sysctl -qw net.ipv4.tcp_tw_reuse=0
sleep 0.7
ip netns exec h nc -z -v -w 1 10.0.0.2 80
ip netns exec h nc -z -v -w 1 10.0.0.2 80
ip netns exec h udp-probe 10.0.0.2:9000
ip netns exec h udp-probe 10.0.0.2:9000
sleep 0.2
cat cap.txt
sleep 4 | ip netns exec h nc 10.0.0.2 80 &
sleep 1.5
ip netns exec h ss -H -tan
ip netns exec h sysctl -w net.ipv4.ip_local_port_range="20001 20001"
sleep 3 | ip netns exec h nc 10.0.0.2 80 &
sleep 0.5
ip netns exec h nc -z -v -w 1 10.0.0.2 80
echo "rc=$?"
ip netns exec h nc -z -v -w 1 -p 20001 10.0.0.2 80
echo "rc=$?"
ip netns exec h sysctl -w net.ipv4.ip_local_port_range="20 10"
echo "rc=$?"
ip netns exec h sysctl net.ipv4.ip_local_port_range
