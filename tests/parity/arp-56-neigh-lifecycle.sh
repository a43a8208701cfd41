# States over time with short timers: REACHABLE, STALE, DELAY, a unicast probe, REACHABLE again, at last FAILED.
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
ip netns exec h sysctl -qw net.ipv4.neigh.eth0.base_reachable_time_ms=3000 net.ipv4.neigh.eth0.delay_first_probe_time=1 net.ipv4.neigh.eth0.retrans_time_ms=500
sleep 2.5
ip netns exec r tcpdump -l -n -t -e -i eth0 --immediate-mode 'arp[7] == 1 and ether src 02:00:00:00:01:01' 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h ping -q -c 1 10.0.0.2 | grep received
ip -n h neigh show nud reachable | wc -l
sleep 5
ip -n h neigh show nud stale | wc -l
ip netns exec h ping -q -c 1 10.0.0.2 | grep received
ip -n h neigh show nud delay | wc -l
sleep 1.5
ip -n h neigh show nud reachable | wc -l
cat cap.txt
ip -n r addr del 10.0.0.2/24 dev eth0
sleep 5.5
ip -n h neigh show nud stale | wc -l
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
sleep 5
ip -n h neigh
tail -n +3 cap.txt
