# A service address on a dummy device of a router is reachable from outside; arping and arp_ignore.
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
ip -n r link add dum0 address 02:00:00:00:0d:01 type dummy
ip -n r link set dum0 up
ip -n r addr add 10.7.0.1/32 dev dum0
ip -n h route add 10.7.0.1 via 10.0.0.2
sleep 2.5
ip netns exec h ping -c 1 10.7.0.1
ip netns exec h arping -c 1 -w 1 -f -I eth0 10.7.0.1 | grep Received
ip netns exec r sysctl -qw net.ipv4.conf.all.arp_ignore=1
ip netns exec h arping -c 1 -w 1 -f -I eth0 10.7.0.1 | grep Received
ip -n r link set dum0 down
ip netns exec h ping -q -c 1 -W 1 10.7.0.1 | grep received
ip -n r link del dum0
ip netns exec h ping -q -c 1 -W 1 10.7.0.1 | grep received
ip -n r route get 10.7.0.1
echo "rc=$?"
