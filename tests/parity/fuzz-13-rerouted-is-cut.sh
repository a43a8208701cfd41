# A local datagram with DF is cut after all if OUTPUT has it routed by a smaller MTU, unless its socket insists on DF.
for n in c s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip netns exec $n sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=10000
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns s
ip -n c addr add 10.0.0.1/24 dev eth0
ip -n c link set eth0 up
ip -n s addr add 10.0.0.2/24 dev eth0
ip -n s link set eth0 up
ip -n c rule add fwmark 1 lookup 100
ip -n c route add 10.0.0.0/24 dev eth0 mtu 1000 table 100
ip -n c rule add fwmark 2 lookup 200
ip -n c route add 10.0.0.0/24 dev eth0 mtu 1400 table 200
ip netns exec s udp-echo -listen :53 -text s &
sleep 2.5
ip netns exec c ping -q -c 1 10.0.0.2 | grep received
ip netns exec s tcpdump -lntv -i eth0 --immediate-mode 'ip and src 10.0.0.1' 2>/dev/null >seen.txt &
sleep 0.7
ip netns exec c iptables -t mangle -A OUTPUT -m mark --mark 0 -j MARK --set-mark 1
for m in want dont do; do
  echo "ping -M $m"
  ip netns exec c ping -c 1 -W 0.5 -s 1200 -M $m 10.0.0.2 2>&1 | sort | grep -e bytes -e From -e received
done
head -c 1200 /dev/zero | tr '\0' x >long.txt
ip netns exec c nc -u -p 5002 -w 1 10.0.0.2 53 <long.txt
echo " nc"
# Cut for the first route, then for the second.
ip netns exec c ping -c 1 -W 0.5 -s 2000 10.0.0.2 | grep received
# Cut for the first route, and left so by the second, whose MTU is the larger.
ip netns exec c iptables -t mangle -F OUTPUT
ip netns exec c iptables -t mangle -A OUTPUT -m mark --mark 0 -j MARK --set-mark 2
ip -n c route change 10.0.0.0/24 dev eth0 mtu 1000 src 10.0.0.1
ip netns exec c ping -c 1 -W 0.5 -s 2000 10.0.0.2 | grep received
ip netns exec c ping -c 1 -W 0.5 -s 1200 10.0.0.2 | grep received
sleep 0.2
grep -o 'offset [0-9]*, flags.*' seen.txt
ip netns exec c iptables-save -t mangle -c
