# ping -M do, want, dont with sizes around the device MTU and a route MTU; -q hides local errors.
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
sleep 2.5
ip netns exec h ping -c 1 -M do -s 1472 10.0.0.2 | tail -n 3 | head -n 1
ip netns exec h ping -c 1 -M do -s 1473 10.0.0.2
echo "rc=$?"
ip netns exec h ping -q -c 1 -M do -s 1473 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -M want -s 1473 10.0.0.2 | head -n 2
ip netns exec h ping -c 1 -M dont -s 3000 10.0.0.2 | head -n 2
ip -n h route add 10.0.0.2 dev eth0 mtu 1000
ip netns exec h ping -c 1 -M do -s 973 10.0.0.2
ip netns exec h ping -c 1 -M do -s 972 10.0.0.2 | head -n 2
ip netns exec h ping -c 1 -M want -s 973 10.0.0.2 | head -n 2
ip netns exec h ping -c 1 -M dont -s 973 10.0.0.2 | head -n 2
ip -n h route replace 10.0.0.2 dev eth0 mtu lock 800
ip netns exec h ping -c 1 -M do -s 773 10.0.0.2
ip netns exec h ping -c 1 -s 773 10.0.0.2 | head -n 2
ip -n r -s link show eth0 | tail -n 4 | head -n 2
ip netns exec h ping -c 1 -M probe -s 973 10.0.0.2 | head -n 2
