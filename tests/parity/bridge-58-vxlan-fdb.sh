# bridge fdb on a vxlan device: dst, vni, port, via, several destinations, replace, errors.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add eth0 address 02:00:00:00:01:01 type veth peer name eth1 address 02:00:00:00:01:02
ip addr add 192.168.0.1/24 dev eth0
ip link set eth0 up
ip link set eth1 up
ip link add vx0 address 02:00:00:00:09:01 type vxlan id 1 dev eth0 dstport 4789
ip link set vx0 up
sleep 2.5
bridge fdb show dev vx0
bridge fdb add 02:00:00:00:0a:01 dev vx0 dst 192.168.0.2
bridge fdb add 02:00:00:00:0a:02 dev vx0 dst 192.168.0.2 vni 77 port 8472
bridge fdb add 02:00:00:00:0a:03 dev vx0 dst 192.168.0.3 via eth0
bridge fdb add 02:00:00:00:0a:04 dev vx0 dst 192.168.0.3 self static
bridge fdb add 02:00:00:00:0a:05 dev vx0 dst 192.168.0.3 dynamic
bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.168.0.2
bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.168.0.3
bridge fdb show dev vx0 | sort
bridge fdb show dev vx0 | grep -c .
bridge fdb add 02:00:00:00:0a:01 dev vx0 dst 192.168.0.9
echo "rc=$?"
bridge fdb append 02:00:00:00:0a:01 dev vx0 dst 192.168.0.9
echo "rc=$?"
bridge fdb replace 02:00:00:00:0a:01 dev vx0 dst 192.168.0.9
bridge fdb show dev vx0 | grep 0a:01
bridge fdb del 00:00:00:00:00:00 dev vx0 dst 192.168.0.2
bridge fdb del 00:00:00:00:00:00 dev vx0 dst 192.168.0.77
echo "rc=$?"
bridge fdb del 02:00:00:00:0a:09 dev vx0
echo "rc=$?"
bridge fdb add 02:00:00:00:0a:08 dev vx0
echo "rc=$?"
bridge fdb add 02:00:00:00:0a:08 dev vx0 dst foo
echo "rc=$?"
bridge -j fdb show dev vx0 | grep -o '"mac":"02:00:00:00:0a:02"[^}]*'
bridge fdb show dev vx0 | sort
