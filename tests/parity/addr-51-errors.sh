# ip addr add/del: errors and exit codes.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip addr add 10.0.0.1/24
echo "rc=$?"
ip addr add dev v0
echo "rc=$?"
ip addr add 10.0.0.0/33 dev v0
echo "rc=$?"
ip addr add 10.0.0.256/24 dev v0
echo "rc=$?"
ip addr add 10.0.0/24 dev v0
echo "rc=$?"
ip addr add foo dev v0
echo "rc=$?"
ip addr add 10.0.0.1/24 dev nosuch
echo "rc=$?"
ip addr add 10.0.0.1/24 dev v0
ip addr add 10.0.0.1/24 dev v0
echo "rc=$?"
ip addr add 10.0.0.1/25 dev v0
echo "rc=$?"
ip addr add 10.0.0.1/24 dev v1
echo "rc=$?"
ip addr add 10.9.0.1/24 dev v0 label w0
echo "rc=$?"
ip addr add 10.9.0.1/24 dev v0 scope nosuch
echo "rc=$?"
ip addr add 10.9.0.1/24 dev v0 foo
echo "rc=$?"
ip addr del 10.0.0.7/24 dev v0
echo "rc=$?"
ip addr del 10.0.0.1/24 dev nosuch
echo "rc=$?"
ip addr del 10.0.0.1/24
echo "rc=$?"
ip addr show nosuch
echo "rc=$?"
ip addr foo
echo "rc=$?"
ip -br addr
