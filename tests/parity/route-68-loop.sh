# A routing loop between two routers: who reports time exceeded, how often the packet crosses the link, no redirects.
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
ip netns exec s sysctl -qw net.ipv4.ip_forward=1
ip -n r route add 10.9.0.0/16 via 10.0.2.2
sleep 2.5
ip -n r neigh add 10.0.2.2 lladdr 02:00:00:00:02:01 dev eth1
ip -n s neigh add 10.0.2.1 lladdr 02:00:00:00:02:02 dev eth0
ip netns exec c ping -c 1 10.9.0.1
ip -n s -s link show eth0 | tail -n 4
ip netns exec c ping -c 1 -t 7 10.9.0.1 | grep From
ip netns exec c ping -c 1 -t 8 10.9.0.1 | grep From
ip netns exec c traceroute -n -q 1 -m 5 10.9.0.1
ip netns exec s ping -c 1 -t 9 10.9.0.1
ip -n s route get 10.9.0.1
ip -n r route get 10.9.0.1 from 10.0.1.2 iif eth0
ip -n r route get 10.9.0.1 from 10.0.2.2 iif eth1
