# traceroute: default udp, -n, -I, -T, -q, -m, -f, -w; unreachable marks !H !N !X; a silent hop.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:02 type veth peer name eth0 address 02:00:00:00:02:01 netns s
ip -n c addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n s addr add 10.0.2.2/24 dev eth0
for n in c r s; do
  ip -n $n link set eth0 up
done
ip -n r link set eth1 up
ip -n c route add default via 10.0.1.1
ip -n s route add default via 10.0.2.1
ip netns exec r sysctl -qw net.ipv4.icmp_ratelimit=0
ip netns exec s sysctl -qw net.ipv4.icmp_ratelimit=0
sleep 2.5
ip netns exec c traceroute -n 10.0.2.2
sleep 0.1
ip netns exec c traceroute -n -q 1 10.0.2.2
sleep 0.1
ip netns exec c traceroute -n -I -q 1 10.0.2.2
sleep 0.1
ip netns exec c traceroute -n -T -q 1 -p 80 10.0.2.2
sleep 0.1
ip netns exec c traceroute -n -U -q 1 -p 53 10.0.2.2
sleep 0.1
ip netns exec c traceroute -n -f 2 -q 1 10.0.2.2
sleep 0.1
ip netns exec c traceroute -n -m 1 -q 2 10.0.2.2
sleep 0.1
ip netns exec c traceroute -n -q 1 10.0.1.1
sleep 0.1
ip netns exec c traceroute -n -q 1 10.0.1.2
sleep 0.1
ip netns exec c traceroute -n -q 1 10.0.2.2 500
sleep 0.1
ip netns exec c traceroute -n -q 1 -w 1 -m 2 10.0.1.99
ip netns exec r ip route add unreachable 10.0.7.0/24
ip netns exec r ip route add prohibit 10.0.8.0/24
sleep 0.1
ip netns exec c traceroute -n -q 1 -m 3 10.0.7.1
sleep 1.2
ip netns exec c traceroute -n -q 1 -m 3 10.0.8.1
sleep 1.2
ip netns exec c traceroute -n -q 1 -m 3 10.0.9.1
ip netns exec r iptables -A OUTPUT -p icmp --icmp-type time-exceeded -j DROP
sleep 0.1
ip netns exec c traceroute -n -q 2 -w 0.5 10.0.2.2
