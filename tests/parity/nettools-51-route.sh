# route (net-tools): -n listing, add, del, reject, errors.
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
ip netns exec h route -n
ip netns exec h route add default gw 10.0.0.2
ip netns exec h route add -net 10.2.0.0 netmask 255.255.0.0 gw 10.0.0.2
ip netns exec h route add -net 10.3.0.0/16 gw 10.0.0.2 metric 5
ip netns exec h route add -host 10.4.0.1 dev eth0
ip netns exec h route add -net 10.5.0.0/16 dev eth0
ip netns exec h route add -net 10.6.0.0/16 reject
ip netns exec h route add -net 10.7.0.0/16 gw 10.0.0.2 mss 1000
ip netns exec h route -n
ip -n h route
ip netns exec h route add default gw 10.0.0.2
echo "rc=$?"
ip netns exec h route add default gw 10.9.0.2
echo "rc=$?"
ip netns exec h route add -net 10.2.0.1/16 gw 10.0.0.2
echo "rc=$?"
ip netns exec h route del -net 10.8.0.0/16
echo "rc=$?"
ip netns exec h route del -net 10.2.0.0/16
echo "rc=$?"
ip netns exec h route del default
ip netns exec h route add -host 10.4.0.2 dev nosuch
echo "rc=$?"
ip netns exec h route add -net 10.8.0.0 gw 10.0.0.2
echo "rc=$?"
ip -n h route add blackhole 10.9.0.0/16
ip netns exec h route -n
ip netns exec h netstat -rn
ip netns exec h cat /proc/net/route | tr -s ' ' | head -n 3
