# A router fragments and refragments; fragments of fragments; DF fragments; counters at the far end.
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
ip netns exec s tcpdump -l -n -t -v -i eth0 --immediate-mode 'icmp and src 10.0.1.2' 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec c ping -q -c 1 -M dont -s 1400 10.0.2.2 | grep received
ip netns exec c ping -q -c 1 -M dont -s 3000 10.0.2.2 | grep received
sleep 0.2
grep -o 'offset [0-9]*, flags.*' cap.txt
ip -n s -s link show eth0 | tail -n 4
ip -n r link set eth1 mtu 996
ip netns exec c ping -q -c 1 -M dont -s 972 10.0.2.2 | grep received
sleep 0.2
grep -o 'offset [0-9]*, flags.*' cap.txt | tail -n 2
ip netns exec c udp-probe -size 2000 10.0.2.2:99
ip netns exec c udp-probe -size 2000 10.0.2.2:99
ip -n c route get 10.0.2.2
