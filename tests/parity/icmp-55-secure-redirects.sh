# secure_redirects with shared_media 0: only a redirect to a configured gateway is accepted; a redirect to an off-link address never.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1 2 3; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
ip netns exec h2 sysctl -qw net.ipv4.ip_forward=1
ip -n h3 addr add 10.9.0.1/32 dev lo
ip -n h3 addr add 10.9.0.2/32 dev lo
ip -n h1 route add 10.9.0.0/16 via 10.0.0.2
ip -n h2 route add 10.9.0.0/16 via 10.0.0.3
ip netns exec h1 sysctl -qw net.ipv4.conf.all.shared_media=0 net.ipv4.conf.eth0.shared_media=0
sleep 2.5
ip netns exec h1 ping -q -c 1 10.0.0.3 | grep received
ip netns exec h1 ping -q -c 1 10.9.0.1 | grep received
ip -n h1 route get 10.9.0.1
ip netns exec h1 sysctl -qw net.ipv4.conf.all.secure_redirects=0 net.ipv4.conf.eth0.secure_redirects=0
sleep 1
ip netns exec h1 ping -q -c 1 10.9.0.1 | grep received
ip -n h1 route get 10.9.0.1
ip -n h1 route flush cache
ip netns exec h1 sysctl -qw net.ipv4.conf.eth0.secure_redirects=1
ip -n h1 route add default via 10.0.0.3
ip netns exec h1 ping -q -c 1 10.9.0.2 | grep received
ip -n h1 route get 10.9.0.2
ip netns exec h1 sysctl -qw net.ipv4.ip_forward=1
ip -n h1 route flush cache
ip netns exec h1 ping -q -c 1 10.9.0.2 | grep received
ip -n h1 route get 10.9.0.2
