# A frame larger than the receiver's MTU: veth drops it; a bridge drops it; counters.
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
ip -n h1 link set eth0 mtu 2000
ip link set p1 mtu 2000
sleep 2.5
ip -o link show br0 | grep -o 'mtu [0-9]*'
ip netns exec h1 ping -q -c 1 -W 1 -s 1472 -M do 10.0.0.2 | grep received
ip netns exec h1 ping -q -c 1 -W 1 -s 1600 -M do 10.0.0.2 | grep received
ip -s link show p1 | tail -n 4 | head -n 2
ip -s link show p2 | tail -n 2
ip -n h2 -s link show eth0 | tail -n 4 | head -n 2
ip -n h2 link set eth0 mtu 1400
ip netns exec h1 ping -q -c 1 -W 1 -s 1372 -M do 10.0.0.2 | grep received
ip netns exec h1 ping -q -c 1 -W 1 -s 1376 -M do 10.0.0.2 | grep received
ip netns exec h1 ping -q -c 1 -W 1 -s 1377 -M do 10.0.0.2 | grep received
ip -n h2 -s link show eth0 | tail -n 4 | head -n 2
ip netns exec h1 ping -q -c 1 -W 1 -s 1376 -M dont 10.0.0.2 | grep received
ip -n h2 -s link show eth0 | tail -n 2
