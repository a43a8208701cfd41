# ip addr change, replace, flush with filters; -s flush.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set v0 up
ip link set v1 up
sleep 2.5
ip addr replace 10.0.0.1/24 dev v0
ip addr replace 10.0.0.1/24 brd + dev v0
ip -o addr show v0
ip addr change 10.0.0.1/24 dev v0 metric 500
ip -o addr show v0
ip route
ip addr add 10.0.9.1/24 dev v0 metric 7
ip -o addr show v0
ip route
ip addr add 10.0.1.1/24 dev v0
ip addr add 10.0.2.1/24 dev v0 scope link
ip addr flush dev v0 scope link
ip -o addr show v0
ip addr flush dev v0 to 10.0.1.0/24
ip -o addr show v0
ip -s addr flush dev v0
ip addr flush
echo "rc=$?"
ip addr flush dev nosuch
echo "rc=$?"
ip addr flush dev v0
echo "rc=$?"
ip route
ip addr add 10.0.5.1/24 dev v0 noprefixroute
ip -o addr show v0
ip route
