# vxlan on the wire: ports, VNI, inner frames, outer TTL and DF, a broadcast to two remotes; options ttl, tos, df.
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
ip -n r addr add 10.0.0.3/24 dev eth0
for n in h r; do
  ip -n $n link add vx0 type vxlan id 7 dstport 4789 local 10.0.0.1 srcport 50000 50001 nolearning 2>/dev/null
done
ip -n r link del vx0
ip -n r link add vx0 address 02:00:00:00:09:02 type vxlan id 7 dstport 4789 nolearning
ip -n h link set vx0 address 02:00:00:00:09:01
ip -n h addr add 10.9.0.1/24 dev vx0
ip -n r addr add 10.9.0.2/24 dev vx0
ip -n h link set vx0 up
ip -n r link set vx0 up
ip -n h neigh add 10.0.0.2 lladdr 02:00:00:00:01:02 dev eth0
ip -n h neigh add 10.0.0.3 lladdr 02:00:00:00:01:02 dev eth0
ip -n r neigh add 10.0.0.1 lladdr 02:00:00:00:01:01 dev eth0
bridge -n h fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.2
bridge -n h fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.3
bridge -n r fdb append 02:00:00:00:09:01 dev vx0 dst 10.0.0.1
sleep 2.5
ip netns exec r tcpdump -l -n -t -v -i eth0 --immediate-mode udp 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h ping -c 1 10.9.0.2
sleep 0.3
sed 's/10.0.0.1.5000[01]/10.0.0.1.PORT/' cap.txt | sed 's/\[.*udp cksum/[udp cksum/'
ip -n h -s link show vx0 | tail -n 4
ip -n r -s link show vx0 | tail -n 4
