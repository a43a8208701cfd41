# A RST that rejects an own answer closes the connection of the answer (nf_ct_set_closing).
for n in r a b c; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip netns exec $n sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=10000 net.ipv4.tcp_synack_retries=0 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0
  ip netns exec $n sysctl -qw net.bridge.bridge-nf-call-iptables=1
  ip -n $n link set lo up
done
ip -n a link add eth0 address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:01:01 netns r
ip -n a link set eth0 up
ip -n r link set eth0 up
ip -n a addr add 10.208.0.4/24 dev eth0
ip -n a addr add 10.208.0.9/24 dev eth0
ip -n r addr add 10.208.0.11/24 dev eth0
ip -n r addr add 10.208.0.16/24 dev eth0
ip -n r addr add 10.99.1.1/32 dev eth0
ip -n b link add eth0 address 02:00:00:00:03:01 type veth peer name eth1 address 02:00:00:00:01:02 netns r
ip -n b link set eth0 mtu 1000 up
ip -n r link set eth1 mtu 1000 up
ip -n b addr add 192.168.13.1/24 dev eth0
ip -n r addr add 192.168.13.13/24 dev eth1
ip -n r addr add 10.99.1.2/32 dev eth1
ip -n c link add eth0 address 02:00:00:00:04:01 type veth peer name eth2 address 02:00:00:00:01:03 netns r
ip -n c link set eth0 up
ip -n r link set eth2 up
ip -n c addr add 192.168.21.4/24 dev eth0
ip -n r addr add 192.168.21.15/24 dev eth2
ip -n r route add blackhole default
ip -n a route add default via 10.208.0.11
ip -n b route add default via 192.168.13.13
ip -n c route add default via 192.168.21.15
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip netns exec r http-echo -listen :80 -text r &
sleep 2.5
ip netns exec r iptables-restore <<EOF
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p tcp -m conntrack --ctstate UNTRACKED,ESTABLISHED,DNAT -j REJECT --reject-with tcp-reset
COMMIT
EOF
ip netns exec r conntrack -F 2>/dev/null
ip -n c route flush cache
ip netns exec c nping -N -H -S 192.168.21.4 --tcp --flags syn -g 10084 -p 80 -c 2 --delay 10ms 10.208.0.11 >/dev/null 2>&1
sleep 0.03
sleep 0.1
ip netns exec r iptables-save -c
ip netns exec r conntrack -L
