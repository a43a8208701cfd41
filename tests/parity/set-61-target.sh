# -j SET: adding and removing packets' addresses and ports, timeouts, maps to marks.
for n in c s; do
  ip netns add $n
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns s
ip -n c addr add 10.0.0.1/24 dev eth0
ip -n c link set eth0 up
ip -n s addr add 10.0.0.2/24 dev eth0
ip -n s link set eth0 up
ip netns exec s sysctl -qw net.ipv4.icmp_ratelimit=0
ip -n c addr add 10.0.0.7/24 dev eth0
sleep 2.5
ip netns exec s ipset restore <<EOF
create seen hash:ip counters timeout 100
create tmp hash:ip timeout 2
create flows hash:ip,port,ip
create nets hash:net
add nets 10.9.0.0/24
create ports bitmap:port range 0-1000
create gone hash:ip
add gone 10.0.0.1
add gone 10.0.0.7
create first hash:ip maxelem 1
create second hash:ip,port
create l list:set
add l first
add l second
create marks hash:ip skbinfo
add marks 10.0.0.1 skbmark 0x11/0xff
add marks 10.0.0.7
EOF
ip netns exec s iptables -A INPUT -j SET --add-set seen src
ip netns exec s iptables -A INPUT -j SET --add-set tmp src --exist --timeout 1
ip netns exec s iptables -A INPUT -j SET --add-set flows src,dst,dst
ip netns exec s iptables -A INPUT -j SET --add-set nets src
ip netns exec s iptables -A INPUT -j SET --add-set ports dst --del-set gone src
ip netns exec s iptables -A INPUT -j SET --add-set l src,dst
ip netns exec s iptables -t mangle -A INPUT -j MARK --set-mark 0xf00
ip netns exec s iptables -t mangle -A INPUT -j SET --map-set marks src --map-mark
ip netns exec s iptables -A INPUT -m mark --mark 0xf11
ip netns exec s iptables -A INPUT -m mark --mark 0xf00
ip netns exec c ping -c 1 -W 0.5 10.0.0.2 >/dev/null
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:53
ip netns exec s ipset test tmp 10.0.0.1
sleep 2.5
ip netns exec s ipset test tmp 10.0.0.1
ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.7:40 10.0.0.2:99
ip netns exec s ipset save -s
ip netns exec s iptables -L INPUT -n -v -x
ip netns exec s iptables -S
ip netns exec s iptables-save
ip netns exec s iptables -t mangle -L INPUT -n
