# ping -T tsonly and tsandaddr over two routers: who writes; full options; -R; an own address; on the wire.
for n in a r q b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
for n in r q; do
  ip netns exec $n sysctl -qw net.ipv4.ip_forward=1
done
ip -n a link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns q
ip -n q link add eth1 address 02:00:00:00:03:01 type veth peer name eth0 address 02:00:00:00:03:02 netns b
ip -n a addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n q addr add 10.0.2.2/24 dev eth0
ip -n q addr add 10.0.3.1/24 dev eth1
ip -n b addr add 10.0.3.2/24 dev eth0
for n in a r q b; do ip -n $n link set eth0 up; done
for n in r q; do ip -n $n link set eth1 up; done
ip -n a route add default via 10.0.1.2
ip -n r route add default via 10.0.2.2
ip -n q route add default via 10.0.2.1
ip -n b route add default via 10.0.3.1
sleep 2.5
ip netns exec a ping -n -c 1 10.0.3.2 >/dev/null
strip() { sed 's/\t-\?[0-9]\+ absolute$/\tT absolute/;s/\t-\?[0-9]\+$/\tT/'; }
ip netns exec a ping -n -c 1 -T tsandaddr 10.0.3.2 | strip
ip netns exec a ping -n -c 1 -T tsonly 10.0.3.2 | strip
ip netns exec a ping -n -c 1 -T tsandaddr 10.0.1.1 | strip
ip netns exec a ping -n -c 1 -T tsandaddr 127.0.0.1 | strip
ip netns exec a ping -n -c 1 -R 10.0.3.2
ip netns exec a ping -n -c 1 -R 127.0.0.1
ip netns exec b tcpdump -n -t -v -c 2 -i eth0 --immediate-mode icmp 2>/dev/null >cap &
sleep 0.5
ip netns exec a ping -n -c 1 -W 1 -R 10.0.3.2 >/dev/null
sleep 0.5
grep -o 'options.*\|RR.*' cap
