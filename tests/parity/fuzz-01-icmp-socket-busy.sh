# The kernel's ICMP socket sends one message at a time: an own echo reply or error that is rejected isn't answered.
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
ip netns exec s iptables -A INPUT
ip netns exec s iptables -A OUTPUT -p icmp -j REJECT --reject-with icmp-admin-prohibited
ip netns exec c ping -n -c 2 -i 0.01 -W 0.2 10.0.0.2
ip netns exec c udp-probe -timeout 0.2 10.0.0.2:99
ip netns exec s iptables-save -c
ip netns exec s iptables -F OUTPUT
ip netns exec s iptables -A OUTPUT -p udp -j REJECT --reject-with icmp-admin-prohibited
ip netns exec s udp-probe -timeout 0.2 10.0.0.1:99
sleep 0.1
ip netns exec s iptables-save -c
