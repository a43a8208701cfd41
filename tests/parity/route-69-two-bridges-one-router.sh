# The host routes between two bridges of its own: gateways, ip_forward, TTL, isolation by FORWARD being off.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for i in 1 2; do
  ip link add br$i address 02:00:00:00:00:b$i type bridge mcast_snooping 0
  ip addr add 10.0.$i.254/24 dev br$i
  ip link set br$i up
  ip netns add h$i
  ip netns exec h$i sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip link add p$i address 02:00:00:00:0$i:01 type veth peer name eth0 address 02:00:00:00:0$i:02 netns h$i
  ip link set p$i up master br$i
  ip -n h$i addr add 10.0.$i.1/24 dev eth0
  ip -n h$i link set eth0 up
  ip -n h$i route add default via 10.0.$i.254
done
sleep 2.5
ip netns exec h1 ping -q -c 1 -W 1 10.0.2.1 | grep received
ip netns exec h1 ping -q -c 1 -W 1 10.0.2.254 | grep received
sysctl -w net.ipv4.ip_forward=1
ip netns exec h1 ping -c 1 10.0.2.1 | head -n 2
ip -s link show br1 | tail -n 4
ip -s link show p1 | tail -n 4
ip netns exec h1 traceroute -n -q 1 10.0.2.1
ip neigh | sort
ip -n h1 neigh
sysctl -w net.ipv4.conf.br1.forwarding=0
ip netns exec h1 ping -q -c 1 -W 1 10.0.2.1 | grep received
ip netns exec h2 ping -q -c 1 -W 1 10.0.1.1 | grep received
