# A pod with a /32 address and the gateway 169.254.1.1 answered by proxy ARP; routes to pods by device.
for n in p1 n; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec n sysctl -qw net.ipv4.ip_forward=1
ip -n p1 link add eth0 address 02:00:00:00:01:01 type veth peer name cali1 address ee:ee:ee:ee:ee:ee netns n
ip -n p1 addr add 10.244.1.5/32 dev eth0
ip -n p1 link set eth0 up
ip -n n link set cali1 up
ip -n p1 route add 169.254.1.1 dev eth0 scope link
ip -n p1 route add default via 169.254.1.1 dev eth0
ip -n n route add 10.244.1.5 dev cali1 scope link
ip netns exec n sysctl -qw net.ipv4.conf.cali1.proxy_arp=1 net.ipv4.neigh.cali1.proxy_delay=0
ip -n n addr add 192.168.9.1/32 dev lo
sleep 2.5
ip -n p1 route
ip -n n route
ip netns exec p1 ping -q -c 1 -W 1 192.168.9.1 | grep received
ip -n p1 neigh
ip -n n link add eth9 address 02:00:00:00:09:01 type veth peer name eth8 address 02:00:00:00:09:02
ip -n n addr add 192.168.8.1/24 dev eth9
ip -n n link set eth8 up
ip -n n link set eth9 up
sleep 1.2
ip -n n route add default via 192.168.8.2
ip -n p1 neigh flush dev eth0
ip netns exec p1 ping -q -c 1 -W 1 192.168.9.1 | grep received
ip -n p1 neigh
ip netns exec n ping -c 1 10.244.1.5 | head -n 2
ip -n n neigh show dev cali1
ip -n p1 route get 8.8.8.8
