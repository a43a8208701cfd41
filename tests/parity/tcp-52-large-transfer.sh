# A large upload and download over normal and small MTUs: the sizes that arrive; small MTU in the middle.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:02 type veth peer name eth0 address 02:00:00:00:02:01 netns s
ip -n c addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n s addr add 10.0.2.2/24 dev eth0
for n in c r s; do
  ip -n $n link set eth0 up
done
ip -n r link set eth1 up
ip -n c route add default via 10.0.1.1
ip -n s route add default via 10.0.2.1
sleep 2.5
head -c 300000 /dev/zero >big
ip netns exec s sh -c 'nc -l 5000 >got1' &
sleep 0.3
ip netns exec c nc -N -w 5 10.0.2.2 5000 <big
sleep 0.3
wc -c <got1
ip -n r link set eth1 mtu 700
ip -n s link set eth0 mtu 700
ip netns exec s sh -c 'nc -l 5001 >got2' &
sleep 0.3
ip netns exec c nc -N -w 5 10.0.2.2 5001 <big
sleep 0.3
wc -c <got2
ip -n c route get 10.0.2.2 | grep -o 'mtu [0-9]*'
ip netns exec s nc -N -l 5002 <big &
sleep 0.3
ip netns exec c nc -w 5 10.0.2.2 5002 | wc -c
ip netns exec r ping -q -c 1 10.0.2.2 | grep received
