# Odd destinations: the network address, class E, 0.0.0.1, 127/8 out of a device, an address of the other host's other device.
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
ip -n r link add eth1 address 02:00:00:00:02:01 type veth peer name eth2 address 02:00:00:00:02:02
ip -n r addr add 10.1.0.1/24 dev eth1
ip -n r link set eth1 up
ip -n h route add 10.1.0.0/24 via 10.0.0.2
ip -n h route add 240.0.0.0/4 via 10.0.0.2
sleep 2.5
ip netns exec h ping -q -c 1 -W 1 10.0.0.0
echo "rc=$?"
ip -n h route get 10.0.0.0
ip netns exec h ping -q -c 1 -W 1 10.1.0.1 | grep received
ip -n r link set eth1 down
ip netns exec h ping -q -c 1 -W 1 10.1.0.1 | grep received
ip netns exec h ping -q -c 1 -W 1 10.1.0.255 | grep received
ip netns exec h ping -q -c 1 -W 1 240.0.0.1
echo "rc=$?"
ip -n r addr add 240.0.0.1/32 dev lo
ip netns exec h ping -q -c 1 -W 1 240.0.0.1 | grep received
ip netns exec h ping -c 1 -W 1 0.0.0.1
echo "rc=$?"
ip -n h route get 127.5.0.1 oif eth0
echo "rc=$?"
ip netns exec r sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
ip netns exec h ping -b -c 1 -W 1 10.0.0.255 | grep from
ip -n h addr del 10.0.0.1/24 dev eth0
ip -n h addr add 10.0.0.1/25 dev eth0
ip netns exec h ping -c 1 -W 1 10.0.0.255
echo "rc=$?"
ip -n h route add 10.0.0.255 dev eth0
ip netns exec h ping -c 1 -W 1 10.0.0.255 | grep -c from
