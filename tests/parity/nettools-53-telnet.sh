# telnet: refused, no route, timeouts of an unreachable host, a conversation from a pipe.
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
sleep 0.5
ip netns exec h telnet 10.0.0.2 81 </dev/null
echo "rc=$?"
ip netns exec h telnet 10.9.0.1 80 </dev/null
echo "rc=$?"
ip netns exec h telnet 10.0.0.99 80 </dev/null
echo "rc=$?"
ip netns exec h telnet 10.0.0.2 80 </dev/null
echo "rc=$?"
(printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1) | ip netns exec h telnet 10.0.0.2 80 | tr -d '\r'
echo "rc=$?"
ip netns exec r iptables -A INPUT -p tcp --dport 99 -j REJECT --reject-with icmp-admin-prohibited
ip netns exec h telnet 10.0.0.2 99 </dev/null
echo "rc=$?"
