# Gratuitous ARP: ignored for unknown hosts, updates known ones; arp_accept=1 creates; drop_gratuitous_arp.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1 2; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
sleep 2.5
ip netns exec h1 arping -q -c 1 -A -I eth0 10.0.0.1
ip -n h2 neigh
ip netns exec h1 arping -q -c 1 -U -I eth0 10.0.0.1
ip -n h2 neigh
ip netns exec h2 sysctl -qw net.ipv4.conf.eth0.arp_accept=1
ip netns exec h1 arping -q -c 1 -A -I eth0 10.0.0.1
ip -n h2 neigh
ip -n h2 neigh flush dev eth0
ip netns exec h1 arping -q -c 1 -U -I eth0 10.0.0.1
ip -n h2 neigh
ip netns exec h2 sysctl -qw net.ipv4.conf.eth0.arp_accept=0
sleep 1.2
ip -n h1 link set eth0 address 02:00:00:00:0a:0a
ip -n h1 link set eth0 up
ip -n h2 neigh
ip netns exec h1 arping -q -c 1 -A -I eth0 10.0.0.1
ip -n h2 neigh
sleep 1.2
ip netns exec h2 sysctl -qw net.ipv4.conf.eth0.drop_gratuitous_arp=1
ip -n h1 link set eth0 address 02:00:00:00:0b:0b
ip netns exec h1 arping -q -c 1 -A -I eth0 10.0.0.1
ip -n h2 neigh
ip netns exec h2 sysctl -qw net.ipv4.conf.eth0.drop_gratuitous_arp=0
ip netns exec h1 sysctl -qw net.ipv4.conf.eth0.arp_notify=1
ip -n h1 link set eth0 address 02:00:00:00:0c:0c
sleep 0.2
ip -n h2 neigh
