# vlan devices: creation forms, details, names, MTU and MAC inheritance, errors.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link add link v0 name v0.10 type vlan id 10
ip -d link show v0.10 | sed 's/gso_max_size.*//'
ip link add link v0 v0.20 type vlan id 20 protocol 802.1ad
ip -d link show v0.20 | sed 's/gso_max_size.*//'
ip link add link v0 name other mtu 1400 address 02:00:00:00:0a:0a type vlan id 30
ip -br link
ip link add link v0 name dup type vlan id 10
echo "rc=$?"
ip link add link v0 name bad type vlan id 4095
echo "rc=$?"
ip link add link v0 name bad type vlan id 4096
echo "rc=$?"
ip link add link v0 name bad type vlan id 0
echo "rc=$?"
ip link add link nosuch name bad type vlan id 5
echo "rc=$?"
ip link add name bad2 type vlan id 5
echo "rc=$?"
ip link add link v0 name bad type vlan
echo "rc=$?"
ip link set other mtu 1501
echo "rc=$?"
ip link set v0 mtu 1300
ip -o link | grep -o '^[0-9]*: [^:]*\|mtu [0-9]*' | paste -s -d ' '
ip link set v0 address 02:00:00:00:01:09
ip -br link
ip link del v0
ip -br link
