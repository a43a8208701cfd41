# Settings: accounting, time stamps, timeouts that packets meet, loose, liberal; the files of /proc.
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
ip netns exec r sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_acct
ip netns exec r iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP
ip netns exec c ping -c 1 -W 0.5 203.0.113.2 >/dev/null
ip netns exec r sysctl -w net.netfilter.nf_conntrack_acct=1
ip netns exec c ping -c 2 -i 0.2 203.0.113.2 >/dev/null
ip netns exec c udp-probe -timeout 0.5 -bind :3000 203.0.113.2:53
ip netns exec c udp-probe -timeout 0.5 -bind :3001 203.0.113.2:99
ip netns exec r conntrack -L
ip netns exec r conntrack -L -p udp -o extended | sed 's/17 [0-9]* /17 T /' | sort
ip netns exec r sysctl net.netfilter.nf_conntrack_count
ip netns exec r conntrack -C
ip netns exec r conntrack -L -z -p udp >/dev/null 2>&1
ip netns exec r conntrack -L -p udp
ip netns exec r cat /proc/net/nf_conntrack | sed 's/ [0-9]* src=/ T src=/; s/id=[0-9]*/id=N/g' | sort
ip netns exec r conntrack -F
ip netns exec r sysctl -w net.netfilter.nf_conntrack_udp_timeout=2 net.netfilter.nf_conntrack_icmp_timeout=1
ip netns exec c udp-probe -timeout 0.5 -bind :3002 203.0.113.2:53
ip netns exec c ping -c 1 -W 0.5 203.0.113.2 >/dev/null
sleep 1.3
ip netns exec r conntrack -L
sleep 1.5
ip netns exec r conntrack -L
ip netns exec r sysctl -w net.netfilter.nf_conntrack_udp_timeout=20 net.netfilter.nf_conntrack_udp_timeout_stream=99
ip netns exec c udp-probe -timeout 0.5 -bind :3003 203.0.113.2:53
ip netns exec r conntrack -L -o xml -p udp | grep -o '<timeout>[0-9]' 
sleep 2.2
ip netns exec c udp-probe -timeout 0.5 -bind :3003 203.0.113.2:53
ip netns exec r conntrack -L -o xml -p udp | grep -o '<timeout>[0-9]\|assured' 
ip netns exec r sysctl -w net.netfilter.nf_conntrack_max=5
ip netns exec r sysctl -w net.netfilter.nf_conntrack_count=5
ip netns exec r sysctl -w net.netfilter.nf_conntrack_checksum=2
ip netns exec r sysctl net.netfilter.nf_conntrack_helper
ip netns exec r sysctl -w net.netfilter.nf_conntrack_timestamp=1
ip netns exec c udp-probe -timeout 0.5 -bind :3004 203.0.113.2:53
ip netns exec r conntrack -L -p udp --orig-port-src 3004 -o ktimestamp | sed 's/delta-time=[0-9]* .*2[0-9][0-9][0-9]]/D/'
ip netns exec r sysctl -a 2>/dev/null | grep conntrack_tcp
