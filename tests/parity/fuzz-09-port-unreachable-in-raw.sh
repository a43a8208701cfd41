# The error about a closed UDP port belongs to its connection only after conntrack has looked at it: not in table raw.
for n in c s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns s
ip -n c addr add 10.0.0.1/24 dev eth0
ip -n c link set eth0 up
ip -n s addr add 10.0.0.2/24 dev eth0
ip -n s link set eth0 up
sleep 2.5
for t in raw mangle; do
  ip netns exec s iptables -t $t -A OUTPUT -m conntrack --ctstate RELATED
  ip netns exec s iptables -t $t -A OUTPUT -m conntrack --ctstate INVALID
done
ip netns exec c udp-probe -timeout 0.2 -bind :5000 10.0.0.2:99
ip netns exec s iptables -A INPUT -p udp -j REJECT
ip netns exec c udp-probe -timeout 0.2 -bind :5001 10.0.0.2:99
sleep 0.1
ip netns exec s iptables-save -c
ip netns exec s conntrack -L
