# JSON of addresses: label, broadcast, secondary, peer, scope.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip addr add 10.0.0.1/24 brd + dev v0
ip addr add 10.0.0.2/24 dev v0 label v0:1
ip addr add 10.1.0.1 peer 10.1.0.2/30 dev v0
ip -j addr show v0
ip -j -p addr show lo
ip -j -br addr
ip -j addr show dev v1 to 1.0.0.0/8
ip -j -o addr show lo
