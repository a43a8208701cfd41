# ip -d link of vxlan devices with various options.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add eth0 address 02:00:00:00:01:01 type veth peer name eth1 address 02:00:00:00:01:02
ip addr add 192.168.0.1/24 dev eth0
ip link add vx1 address 02:00:00:00:09:01 type vxlan id 1 dev eth0 local 192.168.0.1 dstport 8472 nolearning
ip -d link show vx1
ip link add vx2 address 02:00:00:00:09:02 type vxlan id 2 remote 192.168.0.2 dstport 4789
ip -d link show vx2
ip link add vx3 address 02:00:00:00:09:03 type vxlan id 3 dstport 0
ip -d link show vx3 | head -n 3 | tail -n 1
ip link add vx4 type vxlan id 1 dev eth0 dstport 8472
echo "rc=$?"
ip link add vx4 type vxlan
echo "rc=$?"
ip link add vx4 type vxlan id 16777216
echo "rc=$?"
ip link add vx4 type vxlan id 16777215 dev nosuch dstport 4789
echo "rc=$?"
ip link add vx4 type vxlan id 5 dev eth0 dstport 70000
echo "rc=$?"
ip -br link
