# ipproto, dport, oif, iif lo and tos selectors at work.
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
for t in 61 62 63 64 65; do
  ip -n h route add default via 10.0.0.$t table $t
done
ip -n h route add default via 10.0.0.2
ip -n h rule add pref 61 ipproto tcp dport 80-90 table 61
ip -n h rule add pref 62 ipproto udp table 62
ip -n h rule add pref 63 oif eth0 table 63
ip -n h rule add pref 64 from 10.0.0.1 table 64
ip -n h rule add pref 65 iif lo to 9.0.0.0/8 table 65
ip -n h rule
ip -n h route get 8.8.8.8 ipproto tcp dport 80
ip -n h route get 8.8.8.8 ipproto tcp dport 91
ip -n h route get 8.8.8.8 ipproto udp dport 80
ip -n h route get 8.8.8.8 oif eth0
ip -n h route get 8.8.8.8 from 10.0.0.1
ip -n h route get 9.9.9.9
ip -n h route get 9.9.9.9 from 10.0.0.1
ip -n h rule del ipproto udp
ip -n h route get 8.8.8.8 ipproto udp dport 80
ip -n h rule save >/dev/null 2>/dev/null
echo "rc=$?"
