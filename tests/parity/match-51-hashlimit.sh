# hashlimit: packets and bytes per source, above and up to, masks, rate-match, the file in /proc.
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
ip netns exec s udp-echo -listen :7000 -text pong &
sleep 2.5
F=/proc/net/ipt_hashlimit
ip netns exec s iptables -A INPUT -p udp --dport 7000 -m hashlimit --hashlimit-upto 2/min --hashlimit-burst 3 --hashlimit-mode srcip --hashlimit-name per -j ACCEPT
ip netns exec s iptables -A INPUT -p udp --dport 7000 -j REJECT
for i in 1 2 3 4 5; do
  ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.1:700$i 10.0.0.2:7000
done
ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.3:7000 10.0.0.2:7000
ip netns exec s ls $F
ip netns exec s grep -o "[0-9.:]*->[0-9.:]*" $F/per | sort
ip netns exec s grep -o "[0-9]* [0-9]*$" $F/per
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -F
ip netns exec s ls $F
echo "== above, by destination port and network"
ip netns exec s iptables -A INPUT -p udp -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 2 --hashlimit-mode srcip,dstport --hashlimit-srcmask 24 --hashlimit-name net -j REJECT
ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.1:7101 10.0.0.2:7000
ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.3:7102 10.0.0.2:7000
ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.1:7103 10.0.0.2:7000
ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.1:7104 10.0.0.2:7001
ip netns exec s grep -o "[0-9.:]*->[0-9.:]*" $F/net | sort
ip netns exec s iptables -F
echo "== two rules, one table; the first rule's settings count"
ip netns exec s iptables -A INPUT -p udp --dport 7000 -m hashlimit --hashlimit-upto 1/min --hashlimit-burst 2 --hashlimit-name both -j ACCEPT
ip netns exec s iptables -A INPUT -p udp --dport 7001 -m hashlimit --hashlimit-upto 1/min --hashlimit-burst 50 --hashlimit-name both -j ACCEPT
ip netns exec s iptables -A INPUT -p udp -j DROP
for i in 1 2 3; do
  ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
done
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7001
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -F
echo "== bytes"
ip netns exec s iptables -A INPUT -p udp -m hashlimit --hashlimit-upto 500b/s --hashlimit-mode srcip --hashlimit-name bytes -j ACCEPT
ip netns exec s iptables -A INPUT -p udp -j REJECT
ip netns exec c udp-probe -timeout 0.3 -size 400 10.0.0.2:7000
ip netns exec c udp-probe -timeout 0.3 -size 400 10.0.0.2:7000
ip netns exec c udp-probe -timeout 0.3 -size 1200 10.0.0.2:7000
sleep 1.5
ip netns exec c udp-probe -timeout 0.3 -size 400 10.0.0.2:7000
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -F
echo "== credit comes back"
ip netns exec s iptables -A INPUT -p udp -m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name sec --hashlimit-htable-expire 10000 -j ACCEPT
ip netns exec s iptables -A INPUT -p udp -j REJECT
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
sleep 1.5
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -F
echo "== rate-match"
ip netns exec s iptables -A INPUT -p udp -m hashlimit --hashlimit-above 2/sec --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name rm --hashlimit-rate-match -j REJECT
for i in 1 2 3 4; do
  ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
done
ip netns exec s iptables -L INPUT -n -v -x
