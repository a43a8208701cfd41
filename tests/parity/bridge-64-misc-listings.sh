# bridge vlan, mdb and monitor-free listings on a kernel without VLAN filtering; ip maddr of ports; ip -d of ports with stp.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
sleep 2.5
bridge mdb show
echo "rc=$?"
bridge vlan show
echo "rc=$?"
ip maddr show dev p1
ip maddr show dev br0
ip maddr add 01:00:5e:00:00:77 dev p1
ip maddr show dev p1 | grep link
bridge fdb show dev p1 | grep 00:77
ip maddr del 01:00:5e:00:00:77 dev p1
ip link set br0 type bridge stp_state 1
bridge link show dev p1 | grep -o 'state [a-z]*'
ip -d link show br0 | grep -o 'stp_state [0-9]'
ip link set br0 type bridge priority 4096
ip -d link show br0 | grep -o 'bridge_id [^ ]*'
ip link set br0 type bridge forward_delay 100
echo "rc=$?"
ip link set br0 type bridge ageing_time abc
echo "rc=$?"
ip link set p1 type bridge ageing_time 5
echo "rc=$?"
ip link set p1 type bridge_slave state 9
echo "rc=$?"
ip link set p1 type bridge_slave cost 0
echo "rc=$?"
ip link set p1 type bridge_slave mcast_router 2
bridge -d link show dev p1 | grep -o 'mcast_router [0-9]'
ip -n h1 maddr show dev eth0
