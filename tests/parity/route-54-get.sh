# ip route get: from, iif, oif, mark, fibmatch, errors.
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
ip -n r route add 10.5.0.0/16 via 10.0.2.2
ip -n r route get 10.5.0.1
ip -n r route get 10.5.0.1 from 10.0.1.1
ip -n r route get 10.5.0.1 from 10.0.1.2 iif eth0
ip -n r route get 10.5.0.1 from 10.0.1.2
echo "rc=$?"
ip -n r route get 10.0.1.1 from 10.0.2.2 iif eth1
ip -n r route get 10.5.0.1 oif eth0
echo "rc=$?"
ip -n r route get 10.5.0.1 oif eth1
ip -n r route get 10.5.0.1 mark 7
ip -n r route get fibmatch 10.5.0.1
ip -n r route get 10.77.0.1
echo "rc=$?"
ip -n r route get 10.0.1.255
ip -n r route get 224.0.0.5
echo "rc=$?"
ip -n c route get 224.0.0.5
ip -n c route get 255.255.255.255
ip -n r route get 10.5.0.0/16
ip -n r route get
echo "rc=$?"
ip -n r route get foo
echo "rc=$?"
ip -n r route get 10.5.0.1 dev nosuch
echo "rc=$?"
ip -n r route get 127.0.0.1
ip -n r -o route get 10.0.1.2
ip -n r -j route get 10.5.0.1
ip -n r route get to 10.0.1.2 from 10.5.0.9 iif eth1
ip -n r route get 0.0.0.0
ip -n c route get 8.8.8.8 from 10.0.1.2 ipproto tcp dport 80
ip -n r route get 10.0.1.2 from 8.8.8.8 iif eth1
echo "rc=$?"
ip -n r route get 10.0.1.2 from 127.0.0.1 iif eth1
echo "rc=$?"
