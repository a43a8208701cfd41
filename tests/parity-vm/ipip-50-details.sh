# ipip devices: ip link and ip tunnel forms, details, MTU, errors.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set v0 up
ip link set v1 up
ip addr add 192.168.0.1/24 dev v0
sleep 2.5
ip link add t0 type ipip local 192.168.0.1 remote 192.168.0.2
ip -d link show t0 | sed 's/gso_max_size.*//'
ip link add t2 type ipip local 192.168.0.1 remote 192.168.0.4 dev v0 ttl 5
ip -d link show t2 | sed 's/gso_max_size.*//'
ip tunnel show
ip link add t3 type ipip local 192.168.0.1 remote 192.168.0.2
echo "rc=$?"
ip tunnel add t3 mode nosuch remote 192.168.0.3
echo "rc=$?"
ip link add t3 type ipip remote foo
echo "rc=$?"
ip link add t3 type ipip remote 224.0.0.1 local 192.168.0.1
echo "rc=$?"
ip tunnel del nosuch
echo "rc=$?"
ip link set t0 up
ip addr add 172.16.0.1/30 dev t0
ip addr show t0
ip -br addr
ip route
ip link set t2 type ipip remote 192.168.0.9
ip tunnel show t2
ip link del t2
ip -br link
