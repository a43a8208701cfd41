# TCP and large pings between routed pods over vxlan: pods with MTU 1500 learn 1450; MSS; a transfer arrives whole.
for n in n1 n2; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n n1 link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns n2
for i in 1 2; do
  ip netns exec n$i sysctl -qw net.ipv4.ip_forward=1
  ip -n n$i addr add 192.168.0.$i/24 dev eth0
  ip -n n$i link set eth0 up
  ip -n n$i link add flannel.1 address 02:00:00:00:0c:0$i type vxlan id 1 dstport 8472 local 192.168.0.$i dev eth0 nolearning
  ip -n n$i addr add 10.244.$i.0/32 dev flannel.1
  ip -n n$i link set flannel.1 up
  ip netns add p$i
  ip netns exec p$i sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n n$i link add v$i address 02:00:00:00:0d:0$i type veth peer name eth0 address 02:00:00:00:0e:0$i netns p$i
  ip -n n$i addr add 10.244.$i.1/24 dev v$i
  ip -n n$i link set v$i up
  ip -n p$i addr add 10.244.$i.2/24 dev eth0
  ip -n p$i link set eth0 up
  ip -n p$i route add default via 10.244.$i.1
  j=$((3 - i))
  ip -n n$i route add 10.244.$j.0/24 via 10.244.$j.0 dev flannel.1 onlink
  ip -n n$i neigh add 10.244.$j.0 lladdr 02:00:00:00:0c:0$j dev flannel.1
  bridge -n n$i fdb add 02:00:00:00:0c:0$j dev flannel.1 dst 192.168.0.$j
done
sleep 2.5
head -c 200000 /dev/zero >big
ip netns exec p1 ping -c 1 -M do -s 1472 10.244.2.2 | grep From
ip -n p1 route get 10.244.2.2
ip netns exec p1 ping -c 1 -M do -s 1422 10.244.2.2 | head -n 2
ip -n p1 route flush cache
ip netns exec p2 sh -c 'nc -l 5000 >got' &
sleep 0.3
ip netns exec p1 nc -N -w 5 10.244.2.2 5000 <big
sleep 0.3
wc -c <got
ip -n p1 route get 10.244.2.2
ip netns exec p1 traceroute -n -q 1 10.244.2.2
