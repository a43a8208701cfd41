# rpfilter: strict and loose, inverted, own addresses, the mark.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n r link add vc address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns c
ip -n r link add vs address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns s
ip -n r addr add 10.1.0.1/24 dev vc
ip -n r link set vc up
ip -n c addr add 10.1.0.2/24 dev eth0
ip -n c link set eth0 up
ip -n r addr add 10.2.0.1/24 dev vs
ip -n r link set vs up
ip -n s addr add 10.2.0.2/24 dev eth0
ip -n s link set eth0 up
ip -n c route add default via 10.1.0.1
ip -n s route add default via 10.2.0.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip netns exec r sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.vc.rp_filter=0 net.ipv4.conf.vs.rp_filter=0
ip -n c addr add 10.2.0.77/32 dev lo
ip -n c addr add 172.16.0.1/32 dev lo
ip -n c addr add 10.5.0.1/32 dev lo
ip -n c addr add 10.2.0.1/32 dev lo
ip -n r route add 10.5.0.0/24 via 10.2.0.2 table 5
ip -n r route add 10.5.0.0/24 via 10.1.0.2
ip -n r rule add fwmark 5 lookup 5
sleep 2.5
ip netns exec r iptables -t raw -A PREROUTING -p udp -m rpfilter -m comment --comment strict
ip netns exec r iptables -t raw -A PREROUTING -p udp -m rpfilter --loose -m comment --comment loose
ip netns exec r iptables -t raw -A PREROUTING -p udp -m rpfilter --invert -m comment --comment inverted
ip netns exec r iptables -t raw -A PREROUTING -p udp -m rpfilter --loose --invert -m comment --comment loose-inverted
ip netns exec r iptables -t raw -A PREROUTING -p udp --dport 5 -j MARK --set-mark 5
ip netns exec r iptables -t mangle -A PREROUTING -p udp --dport 5 -m rpfilter -m comment --comment no-mark
ip netns exec r iptables -t mangle -A PREROUTING -p udp --dport 5 -m rpfilter --validmark -m comment --comment mark
ip netns exec r iptables -t mangle -A PREROUTING -p udp -m rpfilter --accept-local -m comment --comment accept-local
ip netns exec r iptables -t mangle -A PREROUTING -p udp -m rpfilter --accept-local --loose -m comment --comment accept-local-loose
for a in 10.1.0.2 10.2.0.77 172.16.0.1 10.5.0.1 10.2.0.1; do
  echo "== $a"
  ip netns exec c udp-probe -timeout 0.2 -bind $a:9000 10.2.0.2:5
  ip netns exec r iptables -t raw -S PREROUTING -v | grep rpfilter
  ip netns exec r iptables -t mangle -S PREROUTING -v | grep rpfilter
  ip netns exec r iptables -t raw -Z
  ip netns exec r iptables -t mangle -Z
done
echo "== lo"
ip netns exec r udp-probe -timeout 0.2 127.0.0.1:6
ip netns exec r iptables -t raw -S PREROUTING -v | grep rpfilter
ip netns exec r iptables -t raw -L PREROUTING -n
