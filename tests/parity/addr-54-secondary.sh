# Secondary addresses: order, deletion of the primary, promote_secondaries.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set v0 up
ip link set v1 up
sleep 2.5
for a in 10.0.0.1/24 10.0.0.2/24 10.0.1.1/24 10.0.0.3/24 10.0.1.2/24 10.0.0.4/25; do
  ip addr add $a dev v0
done
ip -o addr show v0
ip addr show dev v0 primary | grep inet
ip addr show dev v0 secondary | grep inet
sysctl -w net.ipv4.conf.v0.promote_secondaries=1
ip addr del 10.0.0.1/24 dev v0
ip -o addr show v0
ip route
sysctl -w net.ipv4.conf.v0.promote_secondaries=0
ip addr del 10.0.0.2/24 dev v0
ip -o addr show v0
ip route
ip addr flush dev v0 label v0
ip -o addr show v0
echo "rc=$?"
