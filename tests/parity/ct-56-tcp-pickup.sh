# TCP through a tracker that forgets, that doubts, and that is told to be liberal.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name lan address 02:00:00:00:01:02 netns r
ip -n c addr add 192.168.1.2/24 dev eth0
ip -n c link set eth0 up
ip -n r addr add 192.168.1.1/24 dev lan
ip -n r link set lan up
ip -n s link add eth0 address 02:00:00:00:02:01 type veth peer name wan address 02:00:00:00:02:02 netns r
ip -n s addr add 203.0.113.2/24 dev eth0
ip -n s link set eth0 up
ip -n r addr add 203.0.113.1/24 dev wan
ip -n r link set wan up
ip -n c route add default via 192.168.1.1
ip -n s route add default via 203.0.113.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip netns exec s nc -l -k -p 80 >/dev/null &
sleep 2.5
ip netns exec r iptables -A FORWARD -m conntrack --ctstate INVALID
ip netns exec r iptables -A FORWARD -m conntrack --ctstate NEW
ip netns exec r iptables -A FORWARD -m conntrack --ctstate ESTABLISHED
(echo a; sleep 1; echo b; sleep 1; echo c; sleep 1) | ip netns exec c nc -q 0 -p 4000 203.0.113.2 80 &
sleep 0.5
ip netns exec r conntrack -L
ip netns exec r conntrack -F
sleep 1
ip netns exec r conntrack -L
ip netns exec r iptables -L FORWARD -n -v -x | sed 's/^ *\([0-9]*\) *[0-9]* /\1 /'
sleep 2.2
ip netns exec r conntrack -L
ip netns exec r iptables -L FORWARD -n -v -x | sed 's/^ *\([0-9]*\) *[0-9]* /\1 /'
ip netns exec r conntrack -F
ip netns exec r sysctl -w net.netfilter.nf_conntrack_tcp_loose=0
(echo a; sleep 1; echo b; sleep 1) | ip netns exec c nc -q 0 -p 4001 203.0.113.2 80 &
sleep 0.5
ip netns exec r conntrack -F
sleep 2.2
ip netns exec r conntrack -L
ip netns exec r sysctl -w net.netfilter.nf_conntrack_tcp_loose=1 net.netfilter.nf_conntrack_tcp_timeout_established=7
(echo a; sleep 1) | ip netns exec c nc -q 0 -p 4002 203.0.113.2 80 &
sleep 0.5
ip netns exec r conntrack -L -o xml -p tcp --orig-port-src 4002 | grep -o '<timeout>[0-9]\|<state>[A-Z_]*'
sleep 1
ip netns exec r conntrack -L -p tcp --orig-port-src 4002
ip netns exec c nc -w 1 -p 4003 203.0.113.2 81
ip netns exec s iptables -A INPUT -p tcp --dport 82 -j DROP
ip netns exec c nc -w 3 -p 4004 203.0.113.2 82
ip netns exec r conntrack -L -p tcp --orig-port-dst 82
ip netns exec r conntrack -L -p tcp --orig-port-dst 81
