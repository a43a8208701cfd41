# A diamond of routers: a metric decides, a failing router is replaced by hand; asymmetric return path; traceroute.
for n in c r1 r2 s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
for i in 1 2; do
  ip netns exec r$i sysctl -qw net.ipv4.ip_forward=1
  ip -n c link add eth$i address 02:00:00:00:1$i:01 type veth peer name eth0 address 02:00:00:00:1$i:02 netns r$i
  ip -n r$i link add eth1 address 02:00:00:00:2$i:01 type veth peer name eth$i address 02:00:00:00:2$i:02 netns s
  ip -n c addr add 10.1.$i.2/24 dev eth$i
  ip -n r$i addr add 10.1.$i.1/24 dev eth0
  ip -n r$i addr add 10.2.$i.1/24 dev eth1
  ip -n s addr add 10.2.$i.2/24 dev eth$i
  for d in eth0 eth1; do
    ip -n r$i link set $d up
  done
  ip -n c link set eth$i up
  ip -n s link set eth$i up
done
ip -n s addr add 10.9.0.1/32 dev lo
sleep 2.5
for i in 1 2; do
  ip -n r$i route add 10.9.0.1 via 10.2.$i.2
  ip -n c route add default via 10.1.$i.1 metric $i
done
ip -n s route add 10.1.0.0/16 via 10.2.2.1
ip -n r2 route add 10.1.1.0/24 via 10.1.2.2
ip netns exec c ping -c 1 10.9.0.1 | head -n 2
ip netns exec c traceroute -n -q 1 10.9.0.1
ip -n c route
ip -n r1 link set eth0 down
sleep 1.2
ip -n c route
ip netns exec c ping -q -c 1 -W 1 10.9.0.1 | grep received
ip -n c link set eth1 down
ip -n c route
ip netns exec c ping -q -c 1 -W 1 10.9.0.1 | grep received
ip netns exec c traceroute -n -q 1 10.9.0.1
