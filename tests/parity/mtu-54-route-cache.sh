# ip route show cache: exceptions of a default route and of a host route, of a redirect, filters, JSON; flushed by a route change.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:02 type veth peer name eth0 address 02:00:00:00:02:01 netns s
ip -n c addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n s addr add 10.0.2.2/24 dev eth0
for n in c r s; do
  ip -n $n link set eth0 up
done
ip -n r link set eth1 up
ip -n c route add default via 10.0.1.1
ip -n c route add 10.0.2.3 via 10.0.1.1 mtu 1450 advmss 1300
ip -n s addr add 10.0.2.3/24 dev eth0
ip -n s route add default via 10.0.2.1
ip -n r link set eth1 mtu 1000
sleep 2.5
ip -n c route show cache
echo "empty"
for a in 10.0.2.2 10.0.2.3; do
  ip netns exec c ping -c 1 -M do -s 1400 $a | grep From
  ip -n c route get $a >/dev/null
done
expires() { sed 's/expires [0-9]*sec/expires Tsec/;s/"expires": *[0-9]*/"expires":T/'; }
ip -n c route show cache | expires
ip -n c route show cache 10.0.2.3 | expires
ip -n c route show table cache | expires
ip -n c -d route show cache | expires | head -2
ip -n c -j route show cache | expires
ip -n c route list cache via 10.0.1.9
ip -n c route show cache dev eth0 | wc -l
ip -n c route show cache table 7
ip -n c route del 10.0.2.3
ip -n c route show cache | wc -l
ip -n c route flush cache
ip -n c route show cache
echo "rc=$?"
