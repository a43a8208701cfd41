# Renaming devices: errors, routes and addresses follow, labels do not; altname.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip addr add 10.1.0.1/24 dev v0 label v0:1
ip link set v0 up
ip link set v1 up
sleep 2.5
ip route add 10.2.0.0/16 via 10.1.0.9
ip link set v0 name wan
echo "rc=$?"
ip addr show wan
ip route
ip link set v1 down
ip link set v1 name lan
ip -br link
ip link set lan name ""
echo "rc=$?"
ip link property add dev wan altname uplink
ip -o addr show uplink
ip link show wan
ip link property add dev lan altname uplink
echo "rc=$?"
ip link property del dev wan altname uplink
ip link show uplink
echo "rc=$?"
