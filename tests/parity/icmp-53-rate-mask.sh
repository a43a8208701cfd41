# icmp_ratemask and icmp_ratelimit: which types are limited; how long a bucket takes to refill.
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
ip netns exec r sysctl net.ipv4.icmp_ratelimit net.ipv4.icmp_ratemask
for i in 1 2 3 4 5 6 7 8 9 10; do
  ip netns exec h udp-probe -timeout 0.1 10.0.0.2:9$i
done
sleep 2.2
for i in 1 2 3 4; do
  ip netns exec h udp-probe -timeout 0.1 10.0.0.2:9$i
done
ip netns exec r sysctl -qw net.ipv4.icmp_ratemask=6160
for i in 1 2 3 4 5 6 7 8 9 10; do
  ip netns exec h udp-probe -timeout 0.1 10.0.0.2:9$i
done
ip netns exec r sysctl -qw net.ipv4.icmp_ratemask=6168 net.ipv4.icmp_ratelimit=100
sleep 1
for i in 1 2 3 4 5 6 7 8 9; do
  ip netns exec h udp-probe -timeout 0.3 10.0.0.2:9$i
  sleep 0.15
done
