# arp_ignore 0, 1, 2, 8 and per-device versus all: which requests are answered.
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
ip -n r link add eth1 address 02:00:00:00:03:01 type veth peer name eth2 address 02:00:00:00:03:02
ip -n r addr add 10.1.0.2/24 dev eth1
ip -n r addr add 10.2.0.2/32 dev lo
ip -n r addr add 10.0.9.9/24 dev eth0
ip -n h addr add 10.0.9.1/24 dev eth0
ip -n r link set eth1 up
ip -n r link set eth2 up
sleep 2.5
for v in 0 1 2 8; do
  ip netns exec r sysctl -qw net.ipv4.conf.eth0.arp_ignore=$v
  for a in 10.0.0.2 10.1.0.2 10.2.0.2 10.0.9.9 127.0.0.1; do
    echo "$v $a $(ip netns exec h arping -c 1 -w 1 -f -s 10.0.0.1 -I eth0 $a | grep Received)"
  done
done
ip netns exec r sysctl -qw net.ipv4.conf.eth0.arp_ignore=0 net.ipv4.conf.all.arp_ignore=1
echo "all=1 $(ip netns exec h arping -c 1 -w 1 -f -I eth0 10.1.0.2 | grep Received)"
ip netns exec r sysctl -qw net.ipv4.conf.eth0.arp_ignore=2 net.ipv4.conf.all.arp_ignore=0
echo "other subnet $(ip netns exec h arping -c 1 -w 1 -f -s 10.0.9.1 -I eth0 10.0.0.2 | grep Received)"
