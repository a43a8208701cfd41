# A bridge's state follows its ports: NO-CARRIER, linkdown routes, down, deletion with an address.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1 2; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
ip addr add 10.0.0.254/24 dev br0
sleep 2.5
ip -br link show br0
ip link set p1 down
sleep 1.2
ip -br link show br0
ip link set p2 nomaster
sleep 1.2
ip -br link show br0
ip route
ping -q -c 1 -W 1 10.0.0.1 | grep received
ping -q -c 1 10.0.0.254 | grep received
ip link set p1 up
sleep 1.2
ip -br link show br0
ip route
ping -q -c 1 10.0.0.1 | grep received
ip link set br0 down
ip route
ip -br addr show br0
ip -br link show p1
ping -q -c 1 -W 1 10.0.0.1
echo "rc=$?"
ip link set br0 up
sleep 1.2
ip route
ip -n h1 link set eth0 down
sleep 1.2
ip -br link | grep 'br0\|p1'
ip link del br0
ip -br link
ip -br addr
