# arp_announce 0, 1, 2: the sender address of ARP requests when the packet's source is on lo or another device.
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
ip -n h addr add 10.5.0.1/32 dev lo
ip -n h addr add 10.0.0.3/24 dev eth0
ip -n r route add 10.5.0.1 via 10.0.0.1
sleep 2.5
ip netns exec r tcpdump -l -n -t -i eth0 --immediate-mode arp 2>/dev/null >cap.txt &
sleep 0.7
for v in 0 1 2; do
  ip netns exec h sysctl -qw net.ipv4.conf.all.arp_announce=$v
  for s in 10.0.0.1 10.0.0.3 10.5.0.1; do
    ip -n h neigh flush dev eth0
    ip netns exec h ping -q -c 1 -W 0.5 -I $s 10.0.0.9 >/dev/null
    echo "announce $v source $s: $(tail -n 1 cap.txt)"
  done
done
ip netns exec h sysctl -qw net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.eth0.arp_announce=2
ip -n h neigh flush dev eth0
ip netns exec h ping -q -c 1 -W 0.5 -I 10.5.0.1 10.0.0.9 >/dev/null
tail -n 1 cap.txt
