# ip addr add: no prefix length, /32, /31, broadcast forms, label, scope.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set v0 up
ip link set v1 up
sleep 2.5
ip addr add 10.1.0.1 dev v0
ip addr add 10.2.0.1/24 broadcast + dev v0
ip addr add 10.3.0.0/31 dev v0
ip addr add 10.4.0.1/24 brd 10.4.0.99 dev v0 label v0:x
ip addr add 10.5.0.1/24 dev v0 scope link
ip addr add 10.6.0.1/24 dev v0 scope host
ip addr add 10.7.0.1/30 brd - dev v0
ip addr add 10.8.0.1/255.255.0.0 dev v0
ip addr add 127.0.0.5/8 dev lo
ip addr show v0
ip addr show lo
ip route
ip route show table local
