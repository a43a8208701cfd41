# An ipip tunnel between two nodes: MTU 1480, outer packets, TTL, counters, fragmentation, routes through it.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:02 type veth peer name eth0 address 02:00:00:00:02:01 netns s
ip -n c addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n s addr add 10.0.2.2/24 dev eth0
for n in c r s; do
  ip -n $n link set eth0 up
done
ip -n r link set eth1 up
ip -n c route add default via 10.0.1.1
ip -n s route add default via 10.0.2.1
ip -n c link add t0 type ipip local 10.0.1.2 remote 10.0.2.2
ip -n s link add t0 type ipip local 10.0.2.2 remote 10.0.1.2
for n in c s; do
  ip -n $n link set t0 up
done
ip -n c addr add 172.16.0.1/30 dev t0
ip -n s addr add 172.16.0.2/30 dev t0
ip -n c addr add 10.44.1.1/32 dev lo
ip -n s addr add 10.44.2.1/32 dev lo
ip -n c route add 10.44.2.0/24 dev t0 src 10.44.1.1
ip -n s route add 10.44.1.0/24 via 172.16.0.1
sleep 2.5
ip netns exec r tcpdump -l -n -t -v -i eth0 --immediate-mode 2>/dev/null >cap.txt &
sleep 1
ip netns exec c ping -c 1 172.16.0.2
ip netns exec c ping -c 1 10.44.2.1
sleep 0.5
grep -v ARP cap.txt | sed 's/id [0-9]*,/id ID,/g'
ip -n c -s link show t0
ip -n c neigh show dev t0
ip netns exec c ping -c 1 -M do -s 1453 172.16.0.2
ip netns exec c ping -q -c 1 -s 2000 172.16.0.2 | grep received
ip netns exec c traceroute -n -q 1 172.16.0.2
ip -n s link set t0 down
ip netns exec c ping -c 1 -W 1 172.16.0.2
ip netns exec c ping -c 1 -W 1 172.16.0.2
