# Which odd addresses ip addr add accepts: 0.0.0.0, network, broadcast, multicast, class E.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip addr add 0.0.0.0/0 dev v0
echo "rc=$?"
ip addr add 10.0.0.0/24 dev v0
echo "rc=$?"
ip addr add 10.0.1.255/24 dev v0
echo "rc=$?"
ip addr add 224.0.0.5/24 dev v0
echo "rc=$?"
ip addr add 240.0.0.1/24 dev v0
echo "rc=$?"
ip addr add 255.255.255.255/32 dev v0
echo "rc=$?"
ip addr add 127.5.0.1/24 dev v0
echo "rc=$?"
ip addr add 169.254.7.7/16 dev v0
echo "rc=$?"
ip addr add 10.6.0.1/0 dev v0
echo "rc=$?"
ip addr show v0
ip addr add 0x0a.010.7.1/24 dev v0
echo "rc=$?"
ip addr add 172.16/16 dev v0
echo "rc=$?"
ip addr add default dev v0
echo "rc=$?"
