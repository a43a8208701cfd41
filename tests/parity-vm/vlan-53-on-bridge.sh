# vlan on top of a bridge, and a vlan device as a bridge port: one tagged uplink, two bridges.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in h1 h2; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add up0 address 02:00:00:00:09:01 type veth peer name up1 address 02:00:00:00:09:02
ip link set up0 up
ip link set up1 up
for i in 1 2; do
  ip link add br$i address 02:00:00:00:00:b$i type bridge mcast_snooping 0
  ip link set br$i up
  ip link add p$i address 02:00:00:00:0$i:01 type veth peer name eth0 address 02:00:00:00:0$i:02 netns h$i
  ip link set p$i up master br$i
  ip -n h$i addr add 10.0.0.$i/24 dev eth0
  ip -n h$i link set eth0 up
done
ip link add link up0 name up0.7 type vlan id 7
ip link add link up1 name up1.7 type vlan id 7
ip link set up0.7 up master br1
ip link set up1.7 up master br2
sleep 2.5
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
bridge fdb show dynamic | sort
ip -s link show up0 | tail -n 4
ip link add link br1 name br1.9 type vlan id 9
ip addr add 10.9.0.1/24 dev br1.9
ip link set br1.9 up
ip -n h1 link add link eth0 name eth0.9 type vlan id 9
ip -n h1 addr add 10.9.0.2/24 dev eth0.9
ip -n h1 link set eth0.9 up
sleep 1.5
ip netns exec h1 ping -q -c 1 10.9.0.1 | grep received
ip -br link show type vlan
