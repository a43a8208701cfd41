# recent: the file in /proc, writing to it, seconds, hitcount, reap, rttl, rdest, mask, lists that share a name.
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
sleep 2.5
F=/proc/net/xt_recent
ip netns exec s iptables -A INPUT -p udp --dport 1001 -m recent --name a --set -j DROP
ip netns exec s iptables -A INPUT -p udp --dport 1002 -m recent --name a --rcheck -j REJECT
ip netns exec s iptables -A INPUT -p udp --dport 1003 -m recent --name a --update --seconds 60 --hitcount 3 -j REJECT
ip netns exec s iptables -A INPUT -p udp --dport 1004 -m recent --name a --remove -j DROP
ip netns exec s iptables -A INPUT -p udp --dport 1005 -m recent --name dst --set --rdest -j DROP
ip netns exec s iptables -A INPUT -p udp --dport 1006 -m recent ! --rcheck --name a -j REJECT
ip netns exec s iptables -A INPUT -p udp --dport 1007 -m recent --name net --set --mask 255.255.255.0 -j DROP
ip netns exec s iptables -A INPUT -p udp --dport 1008 -m recent --name net --rcheck -j REJECT
ip netns exec s iptables -A INPUT -p udp -j DROP
ip netns exec s ls $F
echo "== set and rcheck"
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1002
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1006
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1001
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1002
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1006
ip netns exec s cat $F/a
echo "== hitcount: update adds what fits only"
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1003
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1001
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1001
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1003
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1003
ip netns exec s grep -o "oldest_pkt: [0-9]*" $F/a
echo "== rdest, mask"
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1005
ip netns exec s grep -o "src=.*ttl: [0-9]*" $F/dst
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1007
ip netns exec c udp-probe -timeout 0.1 -bind 10.0.0.3:7000 10.0.0.2:1008
ip netns exec s grep -o "src=.*ttl: [0-9]*" $F/net
echo "== by hand"
ip netns exec s sh -c "echo +10.9.9.9 >$F/a"
ip netns exec s sh -c "echo +10.0.0.3 >$F/a"
ip netns exec s grep -o "src=.*ttl: [0-9]*" $F/a | sort
ip netns exec c udp-probe -timeout 0.1 -bind 10.0.0.3:7001 10.0.0.2:1002
ip netns exec s sh -c "echo -10.0.0.1 >$F/a"
ip netns exec s grep -o "src=.*ttl: [0-9]*" $F/a | sort
ip netns exec s sh -c "echo hello >$F/a" || echo "rc=$?"
ip netns exec s sh -c "echo +300.1.1.1 >$F/a" || echo "rc=$?"
ip netns exec s sh -c "echo / >$F/a"
ip netns exec s cat $F/a
ip netns exec s sh -c "echo + >$F/nosuch" || echo "rc=$?"
echo "== remove"
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1001
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1004
ip netns exec s cat $F/a
echo "== the list lives as long as a rule names it"
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1001
ip netns exec s iptables -D INPUT 1
ip netns exec s grep -c src $F/a
ip netns exec s iptables -F
ip netns exec s ls $F
echo "== seconds, reap, rttl"
ip netns exec s iptables -A INPUT -p udp --dport 1001 -m recent --set -j DROP
ip netns exec s iptables -A INPUT -p udp --dport 1002 -m recent --rcheck --seconds 1 -j REJECT
ip netns exec s iptables -A INPUT -p udp --dport 1003 -m recent --rcheck --seconds 1 --reap -j REJECT
ip netns exec s iptables -A INPUT -p udp --dport 1004 -m recent --rcheck --rttl -j REJECT
ip netns exec s iptables -A INPUT -p udp -j DROP
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1001
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1002
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1004
ip netns exec c iptables -t mangle -A OUTPUT -j TTL --ttl-set 9
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1004
sleep 2
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1002
ip netns exec s grep -o "src=.*ttl: [0-9]*" $F/DEFAULT
ip netns exec c udp-probe -timeout 0.1 10.0.0.2:1003
ip netns exec s cat $F/DEFAULT
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -L INPUT -n
