# At OUTPUT only tables mangle and nat have a packet routed again, each at once: later hooks don't see what has no route.
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
ip -n c route add blackhole default table 100
ip -n c rule add fwmark 1 lookup 100
ip netns exec s udp-echo -listen :53 -text s -show-peer &
sleep 2.5
for t in raw filter nat mangle; do
  ip netns exec c iptables-restore <<EOF
*raw
:OUTPUT ACCEPT [0:0]
COMMIT
*mangle
:OUTPUT ACCEPT [0:0]
COMMIT
*nat
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
*filter
:OUTPUT ACCEPT [0:0]
COMMIT
EOF
  ip netns exec c iptables -t $t -A OUTPUT -j MARK --set-mark 1
  echo "mark in $t"
  ip netns exec c udp-probe -timeout 0.2 10.0.0.2:53
  ip netns exec c iptables-save -c
done
ip netns exec c iptables -t mangle -F OUTPUT
echo "mark in raw, destination in nat"
ip netns exec c iptables -t raw -A OUTPUT -j MARK --set-mark 1
ip netns exec c iptables -t nat -A OUTPUT -j DNAT --to-destination 10.0.0.3
ip netns exec c udp-probe -timeout 0.2 10.0.0.2:53
ip netns exec c iptables-save -c
