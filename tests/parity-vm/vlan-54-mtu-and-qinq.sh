# Tagged full size frames pass; MTU of stacked vlans; tcpdump filter vlan; a missing tag is dropped.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
for n in h r; do
  ip -n $n link add link eth0 name v10 type vlan id 10
  ip -n $n link set v10 up
  ip -n $n link add link v10 name v10.20 type vlan id 20
  ip -n $n link set v10.20 up
done
ip -n h addr add 10.10.0.1/24 dev v10
ip -n r addr add 10.10.0.2/24 dev v10
ip -n h addr add 10.20.0.1/24 dev v10.20
ip -n r addr add 10.20.0.2/24 dev v10.20
sleep 2.5
ip netns exec r tcpdump -l -n -t -e -i eth0 --immediate-mode icmp or vlan 2>/dev/null >cap.txt &
sleep 1
ip netns exec h ping -q -c 1 -s 1472 -M do 10.10.0.2 | grep received
ip netns exec h ping -q -c 1 -W 1 -s 1468 -M do 10.20.0.2 | grep received
ip netns exec h ping -q -c 1 -W 1 -s 1472 -M do 10.20.0.2 | grep received
ip -n r link del v10.20
ip netns exec h ping -q -c 1 -W 1 10.20.0.2 | grep received
sleep 0.5
grep -v ARP cap.txt | cut -c 1-110
ip -n r -s link show v10 | tail -n 4 | head -n 2
