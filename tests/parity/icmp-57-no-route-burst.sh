# How many "net unreachable" a router sends to one host in a burst, with the default icmp_ratelimit and with 0; refill times.
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
sleep 2.5
try() {
  echo "$1: $(ip netns exec c ping -n -c $2 -i 0.1 -W 0.2 $3 | grep -c From)"
}
try 'default, first burst of 8' 8 10.99.0.1
sleep 2.4
try 'after 2.4 s' 4 10.99.0.1
sleep 6.5
echo "ttl: $(ip netns exec c ping -n -c 9 -i 0.1 -W 0.2 -t 1 10.0.2.2 | grep -c From)"
try 'no route at once after that' 3 10.99.0.1
sleep 7
ip netns exec r sysctl -qw net.ipv4.icmp_ratelimit=0
try 'ratelimit 0, burst of 8' 8 10.99.0.1
sleep 1.2
try 'after 1.2 s' 3 10.99.0.1
echo "ttl: $(ip netns exec c ping -n -c 9 -i 0.1 -W 0.2 -t 1 10.0.2.2 | grep -c From)"
ip -n r route add unreachable 10.98.0.0/16
sleep 3.2
try 'unreachable route after 3.2 s' 6 10.98.0.1
ip netns exec r sysctl -qw net.ipv4.icmp_ratelimit=1000
sleep 6.5
echo "host unreachable by ARP: $(ip netns exec c ping -n -c 9 -i 0.1 -W 4 10.0.2.99 | grep -c From)"
