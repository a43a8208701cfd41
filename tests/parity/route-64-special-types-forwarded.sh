# Forwarded packets meeting blackhole, unreachable, prohibit, throw and no route: what ping, UDP and TCP clients get.
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
ip -n s route add default via 10.0.2.1
ip netns exec r sysctl -qw net.ipv4.icmp_ratelimit=0
ip -n r route add blackhole 10.1.1.0/24
ip -n r route add unreachable 10.1.2.0/24
ip -n r route add prohibit 10.1.3.0/24
ip -n r route add throw 10.1.4.0/24
sleep 2.5
for i in 1 2 3 4 5; do
  echo "== 10.1.$i.1"
  ip netns exec c ping -c 1 -W 1 10.1.$i.1
  sleep 1.2
  ip netns exec c udp-probe 10.1.$i.1:99
  sleep 1.2
  ip netns exec c nc -z -v -w 1 10.1.$i.1 80
  sleep 1.2
done
