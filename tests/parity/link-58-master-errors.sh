# Bridges: enslaving lo, a bridge, a device twice; moving between bridges; deleting with ports.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge
ip link add br1 address 02:00:00:00:00:b1 type bridge
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set lo master br0
echo "rc=$?"
ip link set br1 master br0
echo "rc=$?"
ip link set br0 master br0
echo "rc=$?"
ip link set v0 master br0
ip link set v0 master br0
echo "rc=$?"
ip link set v0 master br1
echo "rc=$?"
ip -br link show master br1
ip link add v2 master br0 type veth peer name v3
ip -br link show master br0 | cut -c 1-20
bridge link | cut -c 1-16
ip link del br1
ip -o link show v0 | cut -c 1-40
ip link set v0 down
ip link set v0 master br0
ip link set v0 nomaster
ip link set v2 nomaster
ip link show master br0
echo "rc=$?"
ip link show master nosuch
echo "rc=$?"
