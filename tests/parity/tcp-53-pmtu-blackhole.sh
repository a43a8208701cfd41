# A router that drops frag needed: small requests pass, large uploads hang; MSS clamping heals; lower interface MTU heals.
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
ip -n r link set eth1 mtu 1200
ip -n s link set eth0 mtu 1500
ip netns exec r iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP
sleep 2.5
head -c 20000 /dev/zero >big
ip netns exec s http-echo -listen :80 -text hi &
for p in 5000 5001 5002; do
  ip netns exec s sh -c "nc -l $p >got$p" &
done
sleep 0.5
ip netns exec c curl -s -m 2 http://10.0.2.2/
ip netns exec c timeout 2 nc -N 10.0.2.2 5000 <big
echo "rc=$?"
wc -c <got5000
ip netns exec r iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
ip netns exec c timeout 4 nc -N 10.0.2.2 5001 <big
echo "rc=$?"
sleep 0.3
wc -c <got5001
ip netns exec r iptables -t mangle -F
ip netns exec c sysctl -qw net.ipv4.tcp_mtu_probing=2
ip netns exec c timeout 6 nc -N 10.0.2.2 5002 <big
echo "rc=$?"
sleep 0.3
wc -c <got5002
