# tracepath: hops, pmtu, a smaller MTU in the middle, unreachable targets, -m.
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
ip netns exec r sysctl -qw net.ipv4.icmp_ratelimit=0
ip netns exec s sysctl -qw net.ipv4.icmp_ratelimit=0
sleep 2.5
ip netns exec c tracepath -n 10.0.2.2 | sed 's/[0-9.]*ms/Tms/'
ip -n r link set eth1 mtu 1400
ip -n s link set eth0 mtu 1400
ip netns exec c tracepath -n 10.0.2.2 | sed 's/[0-9.]*ms/Tms/'
ip -n c route get 10.0.2.2 | sed 's/expires [0-9]*sec/expires Tsec/'
ip netns exec c tracepath -n 10.0.1.1 | sed 's/[0-9.]*ms/Tms/'
ip netns exec c tracepath -n 10.0.1.2 | sed 's/[0-9.]*ms/Tms/'
ip netns exec c tracepath -n -l 1000 10.0.2.2 | sed 's/[0-9.]*ms/Tms/'
ip netns exec c tracepath -n -m 1 10.0.2.2 | sed 's/[0-9.]*ms/Tms/'
ip netns exec r ip route add unreachable 10.0.7.0/24
ip netns exec r ip route add prohibit 10.0.8.0/24
ip netns exec c tracepath -n 10.0.7.1 | sed 's/[0-9.]*ms/Tms/'
echo "rc=$?"
ip netns exec c tracepath -n 10.0.8.1 | sed 's/[0-9.]*ms/Tms/'
ip netns exec c tracepath -n 10.0.9.1 | sed 's/[0-9.]*ms/Tms/'
ip -n c route del default
ip netns exec c tracepath -n 10.0.2.2
echo "rc=$?"
