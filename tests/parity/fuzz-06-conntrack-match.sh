# conntrack: a packet without a connection fits by its state alone; addresses keep the bits outside their mask; SYN with FIN is invalid.
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
ip netns exec s iptables -A INPUT -m conntrack --ctstate INVALID --ctorigdst 192.0.2.1
ip netns exec s iptables -A INPUT -m conntrack --ctstate INVALID,NEW ! --ctorigsrc 10.0.0.1
ip netns exec s iptables -A INPUT -m conntrack --ctorigdst 192.0.2.1
ip netns exec s iptables -A INPUT -m conntrack --ctorigsrc 10.0.0.9/24
ip netns exec s iptables -A INPUT -m conntrack --ctreplsrc 10.0.200.9/255.255.0.255
ip netns exec c ping -n -c 1 -W 0.2 10.0.0.2
ip netns exec c nping -N -H -S 10.0.0.1 --tcp --flags syn,fin -g 1000 -p 80 -c 2 --delay 10ms 10.0.0.2 >/dev/null 2>&1
sleep 0.1
ip netns exec s iptables-save -c
ip netns exec s iptables -nL INPUT
ip netns exec s conntrack -L
