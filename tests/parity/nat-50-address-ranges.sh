# SNAT and DNAT to a range of addresses: the kernel's hash picks; --persistent; DNAT to a range of ports.
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
for i in 3 4 5 6 7 8 9 10; do ip -n c addr add 192.168.1.$i/24 dev eth0; done
for i in 3 4 5; do ip -n s addr add 203.0.113.$i/24 dev eth0; done
ip netns exec s udp-echo -listen :53 -text dns -show-peer &
ip netns exec s udp-echo -listen :7001 -text first -show-peer &
sleep 2.5
ip netns exec r iptables -t nat -A POSTROUTING -o wan -p udp --dport 53 -j SNAT --to-source 203.0.113.40-203.0.113.59
ip netns exec r ip addr add 203.0.113.40/32 dev wan
ip netns exec r sysctl -qw net.ipv4.conf.wan.proxy_arp=1
for i in 2 3 4 5 6 7 8 9; do
  ip netns exec c udp-probe -timeout 0.3 -bind 192.168.1.$i:300$i 203.0.113.2:53 >/dev/null
  ip netns exec c udp-probe -timeout 0.3 -bind 192.168.1.$i:300$i 203.0.113.3:53 >/dev/null
done
ip netns exec r conntrack -L -p udp
ip netns exec r conntrack -F
ip netns exec r iptables -t nat -F
ip netns exec r iptables -t nat -A POSTROUTING -o wan -p udp --dport 53 -j SNAT --to-source 203.0.113.40-203.0.113.59 --persistent
for i in 2 3 4 5 6; do
  ip netns exec c udp-probe -timeout 0.3 -bind 192.168.1.$i:400$i 203.0.113.2:53 >/dev/null
  ip netns exec c udp-probe -timeout 0.3 -bind 192.168.1.$i:500$i 203.0.113.3:53 >/dev/null
done
ip netns exec r conntrack -L -p udp
ip netns exec r conntrack -F
ip netns exec r iptables -t nat -F
ip netns exec r iptables -t nat -A PREROUTING -i lan -p udp -d 10.9.9.9 -j DNAT --to-destination 203.0.113.2-203.0.113.5
ip netns exec r iptables -t nat -A PREROUTING -i lan -p udp -d 10.9.9.8 -j DNAT --to-destination 203.0.113.2:7001-7003
ip netns exec r iptables -t nat -A PREROUTING -i lan -p udp -d 10.9.9.7 -j DNAT --to-destination 203.0.113.2:7001-7010/500
for i in 2 3 4 5 6 7 8 9; do
  ip netns exec c udp-probe -timeout 0.3 -bind 192.168.1.$i:600$i 10.9.9.9:53
done
ip netns exec c udp-probe -timeout 0.3 -bind :3004 10.9.9.8:99
ip netns exec c udp-probe -timeout 0.3 -bind :3005 10.9.9.8:7003
ip netns exec c udp-probe -timeout 0.3 -bind :3006 10.9.9.7:500
ip netns exec c udp-probe -timeout 0.3 -bind :3007 10.9.9.7:503
ip netns exec c udp-probe -timeout 0.3 -bind :3008 10.9.9.7:512
ip netns exec r conntrack -L -p udp
ip netns exec r iptables -t nat -S
