# icmp_echo_ignore_all, icmp_errors_use_inbound_ifaddr, ip_default_ttl on replies and errors.
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
ip -n r addr add 10.0.1.9/24 dev eth0
ip -n r addr add 10.77.0.1/32 dev lo
sleep 2.5
ip netns exec r sysctl -qw net.ipv4.icmp_echo_ignore_all=1
ip netns exec c ping -q -c 1 -W 1 10.0.1.1 | grep received
ip netns exec c ping -q -c 1 -W 1 10.0.2.2 | grep received
ip netns exec r sysctl -qw net.ipv4.icmp_echo_ignore_all=0
ip netns exec c udp-probe 10.0.1.9:99
ip -n r route add 10.0.1.2/32 dev eth0 src 10.77.0.1
ip netns exec c ping -c 1 -t 1 10.0.2.2 | grep From
ip netns exec r sysctl -qw net.ipv4.icmp_errors_use_inbound_ifaddr=1
ip netns exec c ping -c 1 -t 1 10.0.2.2 | grep From
ip netns exec c ping -c 1 10.99.0.1 | grep From
ip netns exec r sysctl -qw net.ipv4.icmp_errors_use_inbound_ifaddr=0
ip netns exec c ping -c 1 10.99.0.1 | grep From
ip -n r route add unreachable 10.98.0.0/16
ip netns exec c ping -c 1 10.98.0.1 | grep From
ip netns exec s sysctl -qw net.ipv4.ip_default_ttl=33
ip netns exec c ping -c 1 10.0.2.2 | grep from
ip netns exec s ping -c 1 10.0.1.2 | grep from
ip netns exec c sysctl -qw net.ipv4.ip_default_ttl=1
ip netns exec c ping -c 1 10.0.2.2 | grep rom
ip netns exec c ping -c 1 10.0.1.1 | grep rom
ip netns exec c ping -c 1 -t 64 10.0.2.2 | grep rom
