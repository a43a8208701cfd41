# conntrack -E: connections begin, are answered, become assured, end; what rules and the command itself do; event masks.
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
ip netns exec s http-echo -listen :80 -text web &
ip netns exec s udp-echo -listen :53 -text dns &
sleep 2.5
ip netns exec r iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP
ip netns exec c udp-probe -timeout 0.5 -bind :3999 203.0.113.2:53
ip netns exec r conntrack -E >all.txt 2>err.txt &
E=$!
ip netns exec r conntrack -E -e NEW,DESTROY -p udp >some.txt 2>err2.txt &
F=$!
sleep 0.5
ip netns exec c ping -c 1 -W 0.5 203.0.113.2 >/dev/null
ip netns exec c udp-probe -timeout 0.5 -bind :3999 203.0.113.2:53
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:53
sleep 2.2
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:53
ip netns exec c udp-probe -timeout 0.5 -bind :3001 203.0.113.2:99
ip netns exec c curl -s --max-time 2 http://203.0.113.2/
ip netns exec c nc -w 1 203.0.113.2 81
ip netns exec r iptables -t mangle -A FORWARD -p udp --dport 54 -j CONNMARK --set-mark 5
ip netns exec c udp-probe -timeout 0.5 -bind :3002 203.0.113.2:54
ip netns exec r conntrack -D -p udp --orig-port-src 3000 >/dev/null 2>&1
ip netns exec r conntrack -D -p udp --orig-port-src 3999 >/dev/null 2>&1
ip netns exec r conntrack -U -p udp --orig-port-src 3002 -m 9 >/dev/null 2>&1
ip netns exec r conntrack -D -p udp --orig-port-src 3002 >/dev/null 2>&1
sleep 0.3
kill $E $F
sleep 0.3
sed 's/ portid=.*//; s/ 432000 / 4 /; s/ [0-9]* src=/ T src=/; s/id=[0-9]*/id=N/g; s/port=[345][0-9][0-9][0-9][0-9]/port=P/g' all.txt
cat err.txt
sed 's/ portid=.*//; s/ [0-9]* src=/ T src=/' some.txt
cat err2.txt
