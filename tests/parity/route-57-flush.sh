# ip route flush: by table, dev, proto, prefix, everything, cache; exit codes.
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
ip -n h route add default via 10.0.0.2
ip -n h route add 10.4.0.0/16 via 10.0.0.2 proto static
ip -n h route add 10.5.0.0/16 via 10.0.0.2 proto 99
ip -n h route add 10.5.5.0/24 via 10.0.0.2
ip -n h route add unreachable 10.6.0.0/16 metric 9
ip -n h route flush proto 99
echo "rc=$?"
ip -n h route flush proto 98
echo "rc=$?"
ip -n h route flush 10.4.0.0/16
ip -n h route
ip -n h -s route flush root 10.5.0.0/16
ip -n h route flush cache
echo "rc=$?"
ip -n h route flush
echo "rc=$?"
ip -n h route flush dev eth0
ip -n h route
ip -n h route show table local
ip -n h route flush table main
ip -n h route
ip -n h route flush dev nosuch
echo "rc=$?"
ip -n h route show cache
echo "rc=$?"
