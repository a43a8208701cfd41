# ip addr show: -4, -o, -br, to, scope, label, up, dev filters.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip addr add 10.0.0.1/24 dev v0
ip addr add 10.0.0.2/24 dev v0 label v0:b
ip addr add 10.1.0.1/16 dev v0 scope link
ip addr add 10.2.0.1/24 dev v1
ip link set v1 up
sleep 1.2
ip -4 -o addr
ip -br -4 addr
ip -br addr show up
ip -o addr show to 10.0.0.0/16
ip -o addr show to 10.2.0.1
ip -o addr show scope link
ip -o addr show scope host
ip -o addr show label 'v0:*'
ip -o addr show dev v0 scope global
ip -o addr show permanent | head -n 1
ip addr show dev v1
ip -o addr show type veth
ip -6 addr
echo "rc=$?"
ip -0 addr show v1
ip -o addr show scope nosuch
echo "rc=$?"
