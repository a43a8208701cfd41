# connlimit looks its list through once a tick: a second packet of the same tick is counted again.
for n in r a b c d; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip netns exec $n sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=10000 net.ipv4.tcp_synack_retries=0 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0
  ip netns exec $n sysctl -qw net.bridge.bridge-nf-call-iptables=0
  ip -n $n link set lo up
done
ip -n a link add eth0 address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:01:01 netns r
ip -n a link set eth0 up
ip -n r link set eth0 up
ip -n a addr add 172.27.0.2/24 dev eth0
ip -n r addr add 172.27.0.11/24 dev eth0
ip -n r addr add 172.27.0.16/24 dev eth0
ip -n b link add eth0 address 02:00:00:00:03:01 type veth peer name eth1 address 02:00:00:00:01:02 netns r
ip -n b link set eth0 mtu 1400 up
ip -n r link set eth1 mtu 1400 up
ip -n b addr add 203.0.111.3/24 dev eth0
ip -n r addr add 203.0.111.13/24 dev eth1
ip -n c link add eth0 address 02:00:00:00:04:01 type veth peer name eth2 address 02:00:00:00:01:03 netns r
ip -n c link set eth0 up
ip -n r link set eth2 up
ip -n c addr add 172.22.2.2/24 dev eth0
ip -n r addr add 172.22.2.12/24 dev eth2
ip -n r addr add 172.22.2.17/24 dev eth2
ip -n d link add eth0 address 02:00:00:00:05:01 type veth peer name eth3 address 02:00:00:00:01:04 netns r
ip -n d link set eth0 up
ip -n r link set eth3 up
ip -n d addr add 203.0.113.3/24 dev eth0
ip -n r addr add 203.0.113.12/24 dev eth3
ip -n r route add blackhole default
ip -n a route add default via 172.27.0.11
ip -n b route add default via 203.0.111.13
ip -n c route add default via 172.22.2.12
ip -n d route add default via 203.0.113.12
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
sleep 2.5
ip netns exec r iptables-restore <<EOF
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A OUTPUT ! -s 203.0.111.3 -d 172.27.0.0/24 ! -p sctp -m conntrack --ctstate NEW,ESTABLISHED,RELATED -m connlimit --connlimit-upto 1 --connlimit-mask 32 -j REJECT
COMMIT
EOF
ip netns exec r conntrack -F 2>/dev/null
ip -n r route flush cache
ip netns exec r nping -N -H -S 172.27.0.11 --tcp --flags psh,ack -g 10191 -p 80 -c 2 --delay 10ms 172.27.0.2 >/dev/null 2>&1
sleep 0.03
sleep 0.1
ip netns exec r iptables-save -c
ip netns exec r conntrack -L
