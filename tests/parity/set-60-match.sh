# -m set: directions, dimensions, nomatch, counters, lists of sets; what each type looks at.
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
create ip hash:ip counters
add ip 10.0.0.1
create net hash:net counters
add net 10.0.0.0/24
add net 10.0.0.7/32 nomatch
create svc hash:ip,port counters
add svc 10.0.0.2,udp:53
add svc 10.0.0.1,icmp:ping
create three hash:ip,port,ip counters
add three 10.0.0.1,udp:53,10.0.0.2
create tnet hash:ip,port,net counters
add tnet 10.0.0.1,udp:53,10.0.0.0/8
create np hash:net,port counters
add np 10.0.0.0/29,udp:53
create port bitmap:port range 50-60 counters
add port 53
create map bitmap:ip range 10.0.0.0/28 counters
add map 10.0.0.7
create l list:set counters
add l ip
add l net
create mask hash:ip netmask 28 counters
add mask 10.0.0.9
EOF
for rule in "ip src" "ip dst" "net src" "net dst" "svc dst,dst" "svc src,src" "svc dst" "three src,dst,dst" "tnet src,dst,dst" "np src,dst" "port dst" "port src" "map src" "l src" "mask src" "ip src,dst,src"; do
  ip netns exec s iptables -A INPUT -m set --match-set $rule
  ip netns exec s iptables -A INPUT -m set ! --match-set $rule
done
ip netns exec s iptables -A INPUT -m set --match-set net src --return-nomatch
ip netns exec s iptables -A INPUT -m set --match-set ip src --packets-gt 2
ip netns exec s iptables -A INPUT -m set --match-set ip src ! --update-counters --packets-lt 9
ip netns exec s iptables -A INPUT -m set --match-set l src ! --update-subcounters
ip netns exec c ping -c 1 -W 0.5 10.0.0.2 >/dev/null
ip netns exec c ping -c 1 -W 0.5 -I 10.0.0.7 10.0.0.2 >/dev/null
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:53
ip netns exec c udp-probe -timeout 0.3 -bind 10.0.0.7:53 10.0.0.2:99
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:54
ip netns exec s iptables -L INPUT -n -v -x
ip netns exec s ipset save -s
