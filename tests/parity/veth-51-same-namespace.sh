# Both ends in one namespace with addresses of one subnet: everything is local; binding to a device; counters stay 0.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip addr add 10.0.0.1/24 dev v0
ip addr add 10.0.0.2/24 dev v1
ip link set v0 up
ip link set v1 up
sleep 2.5
ip route
ping -q -c 1 10.0.0.2 | grep received
ping -q -c 1 -W 0.5 -I v0 10.0.0.2 | grep received
ping -q -c 1 -W 0.5 -I 10.0.0.1 10.0.0.2 | grep received
ip -s link show v0 | tail -n 4
ip -s link show lo | tail -n 3 | head -n 1
ping -q -c 1 -W 0.5 10.0.0.9 | grep received
arping -c 1 -w 1 -I v0 10.0.0.2 | grep Received
ip neigh | sort
ip link set v1 down
ping -q -c 1 -W 0.5 10.0.0.2 | grep received
ip route
ip link set v0 down
ping -q -c 1 -W 0.5 10.0.0.1 | grep received
ip addr flush dev v0
ping -q -c 1 -W 0.5 10.0.0.1
echo "rc=$?"
