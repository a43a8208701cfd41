# Ports and ids that two clients want: the classes of ports, used-up ranges, ids of pings, --random, errors translated both ways.
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
ip -n c addr add 192.168.1.3/24 dev eth0
ip -n c addr add 192.168.1.4/24 dev eth0
ip netns exec s udp-echo -listen :53 -text dns &
sleep 2.5
ip netns exec r iptables -t nat -A POSTROUTING -o wan -p udp --dport 99 -j SNAT --to-source 203.0.113.1:7000-7001
ip netns exec r iptables -t nat -A POSTROUTING -o wan -p udp --dport 98 -j MASQUERADE --random
ip netns exec r iptables -t nat -A POSTROUTING -o wan -j MASQUERADE
for i in 2 3; do
  for port in 100 700 3000; do
    ip netns exec c udp-probe -timeout 0.5 -bind 192.168.1.$i:$port 203.0.113.2:53
  done
done
ip netns exec r conntrack -L -s 192.168.1.2 | sed 's/ id=77 / ID /g'
ip netns exec r conntrack -L -s 192.168.1.3 -p udp --orig-port-src 100 | grep -c 'dport=[0-9]\{1,3\} mark\|dport=[0-9]\{1,3\} \[' 
ip netns exec r conntrack -L -s 192.168.1.3 -p udp --orig-port-src 700 | grep -c 'dport=[0-9]\{3,4\} mark'
for i in 2 3 4; do
  ip netns exec c udp-probe -timeout 0.5 -bind 192.168.1.$i:4000 203.0.113.2:99
done
ip netns exec r conntrack -L -p udp --orig-port-dst 99 | sed 's/dport=700[01]/dport=700x/'
ip netns exec r conntrack -S | sed 's/.*\(insert_failed=[0-9]* drop=[0-9]*\).*/\1/' | sort -r | head -1
ip netns exec c udp-probe -timeout 0.5 -bind 192.168.1.2:4001 203.0.113.2:98
ip netns exec r conntrack -L -p udp --orig-port-dst 98 | grep -c 'dport=4001 mark'
ip netns exec r iptables -t nat -L POSTROUTING -n -v -x
ip netns exec s iptables -A INPUT -p udp --dport 97 -j REJECT --reject-with icmp-host-prohibited
ip netns exec s tcpdump -l -n -t -i eth0 --immediate-mode icmp 2>/dev/null >out.txt &
ip netns exec c tcpdump -l -n -t -i eth0 --immediate-mode icmp 2>/dev/null >in.txt &
sleep 1
ip netns exec c udp-probe -timeout 0.5 -bind 192.168.1.2:4002 203.0.113.2:97
sleep 0.5
cat out.txt in.txt | grep -v echo
