# host-gw on a bridged network of three nodes: pods, a wrong route, a node that is down, a node's address changed.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1 2 3; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
for n in 1 2 3; do
  ip netns exec h$n sysctl -qw net.ipv4.ip_forward=1
  ip netns add pod$n
  ip netns exec pod$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link add cni0 address 02:00:00:00:1$n:01 type veth peer name eth0 address 02:00:00:00:1$n:02 netns pod$n
  ip -n h$n addr add 10.244.$n.1/24 dev cni0
  ip -n h$n link set cni0 up
  ip -n pod$n addr add 10.244.$n.2/24 dev eth0
  ip -n pod$n link set eth0 up
  ip -n pod$n route add default via 10.244.$n.1
  for m in 1 2 3; do
    if [ $n != $m ]; then
      ip -n h$n route add 10.244.$m.0/24 via 10.0.0.$m
    fi
  done
done
sleep 2.5
ip -n h1 route
ip netns exec pod1 ping -c 1 10.244.2.2 | head -n 2
ip netns exec pod1 traceroute -n -q 1 10.244.3.2
ip -n h1 route replace 10.244.3.0/24 via 10.0.0.2
ip netns exec pod1 ping -c 2 -i 0.3 10.244.3.2 | grep 'from\|rom'
ip netns exec pod1 traceroute -n -q 1 10.244.3.2
ip -n h1 route replace 10.244.3.0/24 via 10.0.0.3
ip link set p3 down
sleep 1.2
ip netns exec pod1 ping -c 1 10.244.3.2
ip -n h1 neigh show 10.0.0.3
ip -n h3 route
ip link set p3 up
sleep 1.2
ip netns exec pod1 ping -q -c 1 -W 1 10.244.3.2 | grep received
ip -n h3 addr del 10.0.0.3/24 dev eth0
ip -n h3 route
ip netns exec pod1 ping -q -c 1 -W 1 10.244.3.2 | grep received
