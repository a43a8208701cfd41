# TCP that isn't what it should be: flags nobody sends, segments out of the blue, loose, resets, windows.
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
ip netns exec s iptables -A OUTPUT -p tcp --tcp-flags RST RST -j DROP
ip netns exec r iptables -A FORWARD -i lan -m conntrack --ctstate INVALID -j ACCEPT
ip netns exec r iptables -A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT
ip netns exec r iptables -A FORWARD -i lan -m conntrack --ctstate ESTABLISHED -j ACCEPT
P="ip netns exec c nping --tcp -c 1 -p 90"
for flags in syn,fin fin,urg,psh syn,rst ack fin,ack rst syn,ack syn; do
  $P -g 4000 --flags $flags 203.0.113.2 >/dev/null 2>&1
  echo $flags
  ip netns exec r iptables -L FORWARD -n -v -x | sed 's/ [0-9]* ACCEPT/ N ACCEPT/'
  ip netns exec r iptables -Z FORWARD
  ip netns exec r conntrack -L
done
ip netns exec r conntrack -F
ip netns exec r sysctl -w net.netfilter.nf_conntrack_tcp_loose=0
for flags in ack fin,ack syn; do
  $P -g 4001 --flags $flags 203.0.113.2 >/dev/null 2>&1
done
ip netns exec r iptables -L FORWARD -n -v -x | sed 's/ [0-9]* ACCEPT/ N ACCEPT/'
ip netns exec r conntrack -L
