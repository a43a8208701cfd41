# The underlay device goes away: routes, link down, address removed, deletion of the lower device.
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
ip -n h link add vx0 address 02:00:00:00:09:01 type vxlan id 7 dstport 4789 dev eth0 local 10.0.0.1 remote 10.0.0.2
ip -n r link add vx0 address 02:00:00:00:09:02 type vxlan id 7 dstport 4789 dev eth0 local 10.0.0.2 remote 10.0.0.1
ip -n h addr add 10.9.0.1/24 dev vx0
ip -n r addr add 10.9.0.2/24 dev vx0
ip -n h link set vx0 up
ip -n r link set vx0 up
sleep 2.5
ip netns exec h ping -q -c 1 -W 0.5 10.9.0.2 | grep received
bridge -n h fdb show dev vx0 | sort
ip -n r link set eth0 down
sleep 1.2
ip -n h -br link
ip netns exec h ping -q -c 1 -W 0.5 10.9.0.2 | grep received
ip -n r link set eth0 up
sleep 1.5
ip netns exec h ping -q -c 1 -W 2 10.9.0.2 | grep received
ip -n h addr del 10.0.0.1/24 dev eth0
ip netns exec h ping -q -c 1 -W 0.5 10.9.0.2 | grep received
ip -n h addr add 10.0.0.1/24 dev eth0
ip netns exec h ping -q -c 1 -W 0.5 10.9.0.2 | grep received
ip -n h -s link show vx0 | tail -n 2
ip -n h link set eth0 mtu 1400
ip -n h -o link show vx0 | grep -o 'mtu [0-9]*'
ip -n h link del eth0
ip -n h -br link
ip -n r -br link
