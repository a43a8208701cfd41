# The parent goes down and up; routes of the vlan; loose_binding no; moving a vlan to another namespace; deletion of the parent.
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
for n in x; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
for n in h r; do
  ip -n $n link add link eth0 name vl5 type vlan id 5
  ip -n $n link set vl5 up
done
ip -n h addr add 10.5.0.1/24 dev vl5
ip -n r addr add 10.5.0.2/24 dev vl5
sleep 2.5
ip netns exec h ping -q -c 1 10.5.0.2 | grep received
ip -n h link set eth0 down
sleep 1
ip -n h -br link
ip -n h route
ip -n h link set eth0 up
sleep 2
ip -n h -br link
ip -n h route
ip -n h link set vl5 up
sleep 1
ip -n h route
ip -n r link set eth0 down
sleep 1.5
ip -n h -br link
ip -n r link set eth0 up
ip -n r link set vl5 up
ip -n h link set vl5 netns x
ip -n x link show vl5
ip -n x addr add 10.5.0.1/24 dev vl5
ip -n x link set vl5 up
sleep 2
ip netns exec x ping -q -c 1 10.5.0.2 | grep received
ip -n h link del eth0
ip -n x link show vl5
echo "rc=$?"
