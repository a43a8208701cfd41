# ipfrag_time: a lost fragment gives time exceeded, code 1, if the first fragment came.
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
ip netns exec s sysctl -qw net.ipv4.ipfrag_time=2
ip netns exec r iptables -A FORWARD -f -j DROP
ip netns exec c tcpdump -l -n -t -v -i eth0 --immediate-mode 'icmp[0] == 11' 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec c ping -c 1 -W 4 -s 2000 10.0.2.2
echo "rc=$?"
sleep 0.5
cat cap.txt
ip netns exec c ping -q -c 1 -W 1 -s 1400 10.0.2.2 | grep received
ip netns exec r iptables -F FORWARD
ip netns exec r iptables -A FORWARD -p icmp ! -f -m length --length 1500 -j DROP
ip netns exec c ping -c 1 -W 4 -s 2000 10.0.2.2
ip netns exec r iptables -F FORWARD
ip netns exec c ping -q -c 1 -W 1 -s 2000 10.0.2.2 | grep received
