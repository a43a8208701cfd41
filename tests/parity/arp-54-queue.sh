# Packets waiting for ARP: how many of a burst are kept (unres_qlen), in which order they are delivered.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
ip -n r addr del 10.0.0.2/24 dev eth0
sleep 2.5
ip netns exec h sysctl -qw net.ipv4.neigh.eth0.unres_qlen=3
ip netns exec h sysctl net.ipv4.neigh.eth0.unres_qlen_bytes
ip netns exec r tcpdump -l -n -t -i eth0 --immediate-mode icmp 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h ping -q -c 8 -i 0.1 -W 1 10.0.0.2 >/dev/null &
sleep 0.9
ip -n r addr add 10.0.0.2/24 dev eth0
sleep 1.5
grep -c request cap.txt
grep -o 'request.*seq [0-9]*' cap.txt | grep -o 'seq [0-9]*'
ip -n h neigh
