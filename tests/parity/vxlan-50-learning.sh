# vxlan with learning: entries from received packets, ageing, refusing to move static ones; the remote default entry.
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
for n in h r; do
  ip -n $n link add vx0 type vxlan id 7 dstport 4789 dev eth0
done
ip -n h link set vx0 address 02:00:00:00:09:01
ip -n r link set vx0 address 02:00:00:00:09:02
ip -n h addr add 10.9.0.1/24 dev vx0
ip -n r addr add 10.9.0.2/24 dev vx0
ip -n h link set vx0 up
ip -n r link set vx0 up
sleep 2.5
ip netns exec h ping -q -c 1 -W 0.5 10.9.0.2 | grep received
ip -n h -s link show vx0 | tail -n 4
bridge -n h fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.2
ip -n h neigh flush dev vx0
ip netns exec h ping -q -c 1 -W 0.5 10.9.0.2 | grep received
bridge -n h fdb show dev vx0 | sort
bridge -n r fdb show dev vx0 | sort
ip -n h link set vx0 type vxlan ageing 1
bridge -n r fdb del 02:00:00:00:09:01 dev vx0
ip netns exec r ping -q -c 1 -W 0.5 10.9.0.1 | grep received
ip netns exec h ping -q -c 1 -W 0.5 10.9.0.2 | grep received
bridge -n r fdb replace 02:00:00:00:09:01 dev vx0 dst 10.0.0.77
ip netns exec h ping -q -c 1 -W 0.5 10.9.0.2 | grep received
bridge -n r fdb show dev vx0 | sort
ip -n h link set vx0 type vxlan id 8
echo "rc=$?"
ip -n h link del vx0
ip netns exec r ping -q -c 1 -W 0.5 10.9.0.1 | grep received
