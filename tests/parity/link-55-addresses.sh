# ip link set address and broadcast: valid, invalid, multicast MACs.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set v0 address 02:00:00:00:0a:0b
ip -br link show v0
ip link set v0 address 2:0:0:0:a:c
echo "rc=$?"
ip -br link show v0
ip link set v0 address 02-00-00-00-0a-0d
echo "rc=$?"
ip link set v0 address 02:00:00:00:0a
echo "rc=$?"
ip link set v0 address 02:00:00:00:0a:zz
echo "rc=$?"
ip link set v0 address 02:00:00:00:0a:0b:0c
echo "rc=$?"
ip link set v0 address 01:00:00:00:00:01
echo "rc=$?"
ip link set v0 address 00:00:00:00:00:00
echo "rc=$?"
ip link set v0 address ff:ff:ff:ff:ff:ff
echo "rc=$?"
ip link set v0 address 02:00:00:00:01:02
echo "rc=$?"
ip -br link
ip link set lo address 02:00:00:00:00:99
echo "rc=$?"
ip -br link show lo
ip link set v0 up
ip link set v0 address 02:00:00:00:0a:0e
echo "rc=$?"
