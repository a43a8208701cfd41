# A broadcast that comes back to its sender keeps its connection: nat's PREROUTING and INPUT don't see it.
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
ip -n s addr add 10.0.0.3/24 dev eth0
ip -n s link set eth0 up
sleep 2.5
ip netns exec c iptables -t nat -A PREROUTING
ip netns exec c iptables -t nat -A INPUT
ip netns exec c iptables -t nat -A POSTROUTING -j MASQUERADE
ip netns exec c iptables -A INPUT
ip netns exec c ping -n -b -c 1 -W 0.2 10.0.0.255
ip netns exec c nping -N -H -S 10.0.0.1 --udp -g 1000 -p 99 -c 2 --delay 10ms 10.0.0.255 >/dev/null 2>&1
sleep 0.2
ip netns exec c iptables-save -c
ip netns exec c conntrack -L
