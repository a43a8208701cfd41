# What lo hands back keeps its route: a unicast route by lo is a dead end, rules for iif lo see nothing, bound sockets, PREROUTING counts.
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
ip -n h addr add 10.5.0.1/32 dev lo
sleep 2.5
p="ip netns exec h ping -c 1 -W 0.5"
loss() { grep -o '[0-9]* received\|From.*\|ping:.*'; }
ip -n h route add 10.9.0.0/16 dev lo
$p 10.9.0.1 2>&1 | loss
ip netns exec h iptables -t mangle -A PREROUTING -i lo -p icmp
ip netns exec h iptables -A INPUT -i lo -p icmp
ip netns exec h iptables -A INPUT -i eth0 -p icmp
$p 10.9.0.1 2>&1 | loss
ip netns exec h iptables -t mangle -L PREROUTING -vnx | tail -1 | tr -s ' '
ip netns exec h iptables -L INPUT -vnx | tail -2 | tr -s ' '
$p -I eth0 10.0.0.1 2>&1 | loss
$p -I lo 10.0.0.1 2>&1 | loss
$p -I lo 10.5.0.1 2>&1 | loss
$p -I eth0 10.5.0.1 2>&1 | loss
$p -I lo 127.0.0.1 2>&1 | loss
$p -I eth0 127.0.0.1 2>&1 | loss
ip netns exec h iptables -L INPUT -vnx | tail -2 | tr -s ' '
ip -n h rule add iif lo to 10.0.0.1 blackhole pref 5
ip -n h rule add iif eth0 to 10.0.0.1 blackhole pref 6
$p 10.0.0.1 2>&1 | loss
ip -n h rule del pref 5
$p 10.0.0.1 2>&1 | loss
ip -n h rule del pref 6
ip netns exec h iptables -t mangle -A PREROUTING -i lo -j MARK --set-mark 7
ip -n h rule add fwmark 7 prohibit pref 4
$p 10.0.0.1 2>&1 | loss
ip netns exec h http-echo -listen :80 -text hi &
sleep 0.4
for dev in eth0 lo; do
  for a in 10.0.0.1 10.5.0.1 127.0.0.1; do
    ip netns exec h curl -s -m 1 --interface $dev http://$a/
    echo "$dev $a rc=$?"
  done
done
ip -n r route add 10.9.0.0/16 via 10.0.0.1
ip netns exec h sysctl -qw net.ipv4.ip_forward=1
ip netns exec r ping -c 1 -W 1 10.9.0.1 | loss
