# ip link add: existing names, bad names, unknown types, missing arguments.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 type veth peer name v1
ip link add v0 type veth peer name v2
echo "rc=$?"
ip link add v3 type veth peer name v1
echo "rc=$?"
ip link add v4 type veth peer name v4
echo "rc=$?"
ip link add v5 type nosuch
echo "rc=$?"
ip link add v5
echo "rc=$?"
ip link add
echo "rc=$?"
ip link add type bridge
echo "rc=$?"
ip link add a234567890123456 type bridge
echo "rc=$?"
ip link add a23456789012345 type bridge
echo "rc=$?"
ip link add x/y type bridge
echo "rc=$?"
ip link add "x y" type bridge
echo "rc=$?"
ip link add . type bridge
echo "rc=$?"
ip link add v6 type
echo "rc=$?"
ip link add v6 type veth peer
echo "rc=$?"
ip link add v8 type veth peer name
echo "rc=$?"
ip link add v9 mtu 60 type bridge
echo "rc=$?"
ip link add v10 type bridge foo 1 2>&1 | head -n 1
ip -br link | cut -c 1-32 | grep -v '^veth'
