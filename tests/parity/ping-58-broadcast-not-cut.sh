# Broadcast and multicast pings are never cut: -b alone asks for that, whatever the address is.
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n a link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns b
ip -n a addr add 10.0.0.1/24 dev eth0
ip -n b addr add 10.0.0.2/24 dev eth0
ip -n a link set eth0 up
ip -n b link set eth0 up
ip -n a addr add 10.9.0.1/24 brd 10.9.0.255 dev eth0
sleep 2.5
for size in 56 1473; do
  for to in "10.0.0.2" "-b 10.0.0.2" "-b 10.0.0.255" "-b 10.9.0.255" "-I eth0 224.0.0.1" "-M want 10.0.0.2" "-M want -b 10.9.0.255" "-M dont -b 10.9.0.255"; do
    echo "== $size $to"
    ip netns exec a ping -n -c 1 -W 0.2 -s $size $to 2>&1 | grep -v rtt
  done
done
ip netns exec b ping -n -c 1 -W 0.2 -s 1473 -b 10.0.0.255
ip netns exec b ping -n -c 1 -W 0.2 -s 1473 -b 255.255.255.255
