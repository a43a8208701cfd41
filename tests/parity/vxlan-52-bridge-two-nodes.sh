# Two nodes, each with a bridge of two pods and a vxlan port: learning through the overlay, fdb of the bridges, pings across.
for n in n1 n2; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n n1 link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns n2
for i in 1 2; do
  ip -n n$i addr add 192.168.0.$i/24 dev eth0
  ip -n n$i link set eth0 up
  ip -n n$i link add br0 address 02:00:00:00:0b:0$i type bridge mcast_snooping 0
  ip -n n$i link set br0 up
  ip -n n$i link add vx0 address 02:00:00:00:0c:0$i type vxlan id 10 dstport 4789 local 192.168.0.$i
  ip -n n$i link set vx0 up master br0
  ip netns add p$i
  ip netns exec p$i sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n n$i link add v$i address 02:00:00:00:0d:0$i type veth peer name eth0 address 02:00:00:00:0e:0$i netns p$i
  ip -n n$i link set v$i up master br0
  ip -n p$i addr add 10.9.0.$i/24 dev eth0
  ip -n p$i link set eth0 up
done
bridge -n n1 fdb append 00:00:00:00:00:00 dev vx0 dst 192.168.0.2
bridge -n n2 fdb append 00:00:00:00:00:00 dev vx0 dst 192.168.0.1
sleep 2.5
ip netns exec p1 ping -c 1 10.9.0.2
bridge -n n1 fdb show br br0 dynamic | sort
bridge -n n1 fdb show dev vx0 | sort
ip -n n1 -o link show br0 | grep -o 'mtu [0-9]*'
ip netns exec p1 ping -c 1 -W 1 -s 1472 10.9.0.2
ip netns exec p1 ping -c 1 -W 1 -s 1422 -M do 10.9.0.2 | grep received
ip -n n1 -s link show eth0 | tail -n 4
ip -n n1 link set vx0 down
ip netns exec p1 ping -q -c 1 -W 1 10.9.0.2 | grep received
bridge -n n1 fdb show br br0 dynamic | sort
