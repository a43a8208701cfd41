# connbytes: packets, bytes and averages of a connection; the rule turns accounting on.
for n in c s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns s
ip -n c addr add 10.0.0.1/24 dev eth0
ip -n c addr add 10.0.0.3/24 dev eth0
ip -n c link set eth0 up
ip -n s addr add 10.0.0.2/24 dev eth0
ip -n s link set eth0 up
ip netns exec s udp-echo -listen :5555 -text pong &
sleep 2.5
ip netns exec s sysctl net.netfilter.nf_conntrack_acct
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 3: --connbytes-dir original --connbytes-mode packets
ip netns exec s sysctl net.netfilter.nf_conntrack_acct
ip netns exec s iptables -A INPUT -p udp -m connbytes ! --connbytes 3: --connbytes-dir original --connbytes-mode packets
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 1:2 --connbytes-dir reply --connbytes-mode packets
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 100:200 --connbytes-dir both --connbytes-mode bytes
ip netns exec s iptables -A INPUT -p udp -m connbytes ! --connbytes 100:200 --connbytes-dir both --connbytes-mode bytes
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 33:33 --connbytes-dir original --connbytes-mode avgpkt
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 4 --connbytes-dir original --connbytes-mode packets -j REJECT
for i in 1 2 3 4 5; do
  ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.1:7000 10.0.0.2:5555
done
ip netns exec s conntrack -L -p udp 2>/dev/null
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -L INPUT -n
ip netns exec s iptables -F
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 10:5 --connbytes-dir reply --connbytes-mode avgpkt
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 5 --connbytes-dir foo --connbytes-mode avgpkt
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 5 --connbytes-dir reply --connbytes-mode foo
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes 5
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes x --connbytes-dir reply --connbytes-mode bytes
ip netns exec s iptables -A INPUT -p udp -m connbytes --connbytes : --connbytes-dir reply --connbytes-mode bytes
ip netns exec s iptables -S INPUT
