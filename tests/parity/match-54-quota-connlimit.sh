# quota and connlimit.
for n in c s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns s
ip -n c addr add 10.0.0.1/24 dev eth0
ip -n c addr add 10.0.0.3/24 dev eth0
ip -n c link set eth0 up
ip -n s addr add 10.0.0.2/24 dev eth0
ip -n s link set eth0 up
ip netns exec s http-echo -listen :80 -text web &
ip netns exec s udp-echo -listen :7000 -text pong &
sleep 2.5
ip netns exec s iptables -A INPUT -p udp -m quota --quota 100 -j ACCEPT
ip netns exec s iptables -A INPUT -p udp -j REJECT
for i in 1 2 3 4; do
  ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
done
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -F INPUT
ip netns exec s iptables -A INPUT -p udp -m quota ! --quota 100 -j REJECT
for i in 1 2 3 4; do
  ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
done
ip netns exec s iptables -L INPUT -n -v -x
ip netns exec s iptables -F INPUT
echo "== connlimit"
ip netns exec s iptables -A INPUT -p tcp --syn --dport 80 -m connlimit --connlimit-above 2 -j REJECT --reject-with tcp-reset
ip netns exec s iptables -A INPUT -p tcp --syn --dport 80 -m connlimit --connlimit-upto 1 --connlimit-mask 24
ip netns exec s iptables -A INPUT -p tcp --syn --dport 80 -m connlimit --connlimit-above 1 --connlimit-daddr
ip netns exec c sh -c "sleep 4 | nc -p 7001 10.0.0.2 80" &
sleep 0.2
ip netns exec c sh -c "sleep 4 | nc -p 7002 10.0.0.2 80" &
sleep 0.2
ip netns exec c nc -z -v -w 1 10.0.0.2 80
ip netns exec c nc -z -v -w 1 -s 10.0.0.3 10.0.0.2 80
sleep 5
ip netns exec c nc -z -v -w 1 10.0.0.2 80
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -L INPUT -n
