# TTL 1 and a too big DF packet at a router at once; frag needed from the middle; TTL 0 after two routers.
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
ip -n r link set eth1 mtu 1000
ip -n s link set eth0 mtu 1000
sleep 2.5
ip netns exec c tcpdump -l -n -t -i eth0 --immediate-mode 'icmp[0] == 3 or icmp[0] == 11' 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec c ping -c 1 -W 1 -M do -t 1 -s 1200 10.0.2.2
ip netns exec c ping -c 1 -W 1 -M do -s 1200 10.0.2.2
ip netns exec c ping -c 1 -W 1 -M do -s 1200 10.0.2.2
ip netns exec c ping -c 1 -W 1 -s 1200 10.0.2.2
ip netns exec c ping -c 1 -W 1 -t 1 -s 1200 10.0.2.2
ip -n c route flush cache
ip netns exec c ping -c 1 -W 1 -M dont -s 1200 10.0.2.2
ip -n c route get 10.0.2.2
ip -n s -s link show eth0 | tail -n 4 | head -n 2
sleep 0.2
cat cap.txt
