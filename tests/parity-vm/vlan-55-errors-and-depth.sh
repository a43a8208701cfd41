# What vlan devices are refused for, and how many may stand on each other.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1
ip link add link v0 name bad type vlan protocol 802.1ad
echo "rc=$?"
ip link add link lo name bad type vlan id 3
echo "rc=$?"
ip link add link v0 name bad mtu 1501 type vlan id 3
echo "rc=$?"
ip link add name bad type vlan id 4095
echo "rc=$?"
ip link add link v0 name bad type vlan id 3 protocol foo
echo "rc=$?"
ip link add link v0 name n1 type vlan id 1
for i in 2 3 4 5 6 7 8 9; do
  ip link add link n$((i - 1)) name n$i type vlan id $i
  echo "$i rc=$?"
done
ip -br link | wc -l
