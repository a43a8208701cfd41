# UDP datagrams of all sizes: fragments, EMSGSIZE limits, fragments' counters, DF and path MTU.
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
sleep 2.5
ip netns exec r udp-echo -listen :9000 -text ok &
sleep 0.5
for n in 1 1472 1473 2952 2953 8000 65507 65508; do
  echo "$n $(ip netns exec h udp-probe -size $n 10.0.0.2:9000 2>&1 | tail -n 1)"
done
ip -n r -s link show eth0 | tail -n 4 | head -n 2
ip -n h link set eth0 mtu 600
for n in 572 573 4000; do
  echo "$n $(ip netns exec h udp-probe -size $n 10.0.0.2:9000)"
done
ip -n r -s link show eth0 | tail -n 4 | head -n 2
ip netns exec r tcpdump -l -n -t -v -i eth0 --immediate-mode udp 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h udp-probe -bind :1234 -size 1300 10.0.0.2:9001
sleep 0.3
grep -o 'offset.*' cap.txt
