# proxy_arp on a router; proxy entries of ip neigh add proxy; what needs forwarding.
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
ip -n c addr flush dev eth0
ip -n c addr add 10.0.1.2/16 dev eth0
ip netns exec r sysctl -qw net.ipv4.neigh.eth0.proxy_delay=0
ip -n r route add 10.0.3.0/24 via 10.0.2.2
sleep 2.5
ip netns exec c ping -q -c 1 -W 1 10.0.2.2 | grep received
ip netns exec r sysctl -qw net.ipv4.conf.eth0.proxy_arp=1
ip -n c neigh flush dev eth0
ip netns exec c ping -q -c 1 -W 1 10.0.2.2 | grep received
ip -n c neigh show 10.0.2.2
ip netns exec c arping -c 1 -w 1 -f -I eth0 10.0.3.3 | grep Received
ip netns exec c arping -c 1 -w 1 -f -I eth0 10.0.1.77 | grep Received
ip netns exec r sysctl -qw net.ipv4.conf.eth0.proxy_arp=0
ip -n r neigh add proxy 10.0.3.3 dev eth0
ip -n r neigh add proxy 10.0.1.77 dev eth0
ip netns exec c arping -c 1 -w 1 -f -I eth0 10.0.3.3 | grep Received
ip netns exec c arping -c 1 -w 1 -f -I eth0 10.0.1.77 | grep Received
ip netns exec c arping -c 1 -w 1 -f -I eth0 10.0.2.2 | grep Received
ip netns exec r sysctl -qw net.ipv4.conf.eth0.proxy_arp=1 net.ipv4.ip_forward=0
ip netns exec c arping -c 1 -w 1 -f -I eth0 10.0.2.2 | grep Received
ip netns exec c arping -c 1 -w 1 -f -I eth0 10.0.3.3 | grep Received
