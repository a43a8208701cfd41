# dummy devices: details, addresses, routes, ping of own and foreign addresses, counters, NOARP.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add d0 address 02:00:00:00:0d:01 type dummy
ip -d link show d0
ip link set d0 up
ip addr add 10.1.0.1/24 dev d0
ip addr add 10.1.0.2/24 dev d0
sleep 1
ip addr show d0
ip route
ip -br link
ping -q -c 1 10.1.0.1 | grep received
ping -q -c 1 -W 1 10.1.0.9 | grep received
ip neigh show dev d0
ip neigh show nud noarp | sort
ip -s link show d0 | tail -n 4
ip route add 10.2.0.0/16 via 10.1.0.254
ip route get 10.2.0.1
ip link set d0 down
ip route
ip link set d0 mtu 9000
ip link add type dummy
ip link add d1 type dummy
ip -br link | cut -c 1-30
ip link del d1
ip link del d0
ip link add d0 type dummy
ip link add d0 type dummy
echo "rc=$?"
