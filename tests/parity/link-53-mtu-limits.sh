# MTU: the smallest and largest values of veth, lo, bridge; a bridge follows its ports.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set v0 mtu 67
echo "rc=$?"
ip link set v0 mtu 68
echo "rc=$?"
ip link set v0 mtu 65535
echo "rc=$?"
ip link set v0 mtu 65536
echo "rc=$?"
ip link set v0 mtu abc
echo "rc=$?"
ip link set v0 mtu
echo "rc=$?"
ip -o link show v0 | grep -o 'mtu [0-9]*'
ip link set lo mtu 1500
ip -o link show lo | grep -o 'mtu [0-9]*'
ip link add br0 type bridge
ip -o link show br0 | grep -o 'mtu [0-9]*'
ip link set v0 mtu 1400
ip link set v0 master br0
ip -o link show br0 | grep -o 'mtu [0-9]*'
ip link set v1 mtu 1300
ip link set v1 master br0
ip -o link show br0 | grep -o 'mtu [0-9]*'
ip link set v1 nomaster
ip -o link show br0 | grep -o 'mtu [0-9]*'
ip link set br0 mtu 1200
ip link set v1 master br0
ip -o link show br0 | grep -o 'mtu [0-9]*'
ip link set v1 mtu 1100
ip -o link show br0 | grep -o 'mtu [0-9]*'
ip link set br0 mtu 9000
ip -o link show br0 | grep -o 'mtu [0-9]*'
ip link set v0 mtu 0
echo "rc=$?"
