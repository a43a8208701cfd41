# Path MTU through the tunnel: a small link in the middle; wrong remote; keyless external tunnels answer protocol unreachable.
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
ip -n r link set eth1 mtu 1000
ip -n s link set eth0 mtu 1000
sleep 2.5
ip netns exec c ping -c 1 -W 1 -M do -s 1400 172.16.0.2
ip netns exec c ping -c 1 -W 1 -M do -s 1400 172.16.0.2
ip -n c route get 10.0.2.2
ip -n c route get 172.16.0.2
ip netns exec c ping -q -c 1 -W 1 -s 1400 172.16.0.2 | grep received
ip netns exec c ping -q -c 1 -W 1 -M do -s 952 172.16.0.2 | grep received
ip -n s link del t0
ip netns exec c ping -c 1 -W 1 172.16.0.2
ip netns exec c ping -c 1 -W 1 172.16.0.2
ip -n c -s link show t0 | tail -n 4
ip -n c link set t0 type ipip remote 10.0.1.1
ip netns exec c ping -c 1 -W 1 172.16.0.2
ip -n c tunnel show t0
