# A router that gets no ARP answer: three requests, then host unreachable to the sender; queued packets; FAILED.
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
sleep 2.5
ip netns exec s tcpdump -l -n -t -e -i eth0 --immediate-mode arp 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec c ping -c 1 10.0.2.99
cat cap.txt
ip -n r neigh show dev eth1
ip netns exec c ping -c 3 -i 0.3 10.0.2.98
ip netns exec c udp-probe -timeout 4 10.0.2.97:99
ip netns exec c nc -z -v -w 5 10.0.2.96 80
ip netns exec r ping -c 2 -i 0.3 10.0.2.95
ip -n r neigh show dev eth1 | grep -v 96 | sort
