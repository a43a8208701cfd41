# Two devices on one segment: every device answers for both addresses (ARP flux) unless arp_filter or arp_ignore.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add p1 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns h
ip link add p2 address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns r
ip link add p3 address 02:00:00:00:03:01 type veth peer name eth1 address 02:00:00:00:03:02 netns r
for i in 1 2 3; do
  ip link set p$i up master br0
done
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r addr add 10.0.0.3/24 dev eth1
ip -n h link set eth0 up
ip -n r link set eth0 up
ip -n r link set eth1 up
sleep 2.5
for f in arp_filter=0 arp_filter=1 arp_ignore=1; do
  echo "== $f"
  ip netns exec r sysctl -qw net.ipv4.conf.all.arp_filter=0 net.ipv4.conf.all.arp_ignore=0
  ip netns exec r sysctl -qw net.ipv4.conf.all.$f
  for a in 10.0.0.2 10.0.0.3; do
    ip netns exec h arping -c 1 -w 1 -I eth0 $a | grep -o 'reply from.*\]' | sort
  done
done
ip -n r route
ip netns exec h ping -q -c 1 10.0.0.3 | grep received
ip -n h neigh | sort
ip -n r neigh | sort
