# nc -u: one line to a server, -z, a closed port, -l -u, source address and port.
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
sleep 2.5
ip netns exec r udp-echo -listen :53 -text pong -show-peer &
ip netns exec r nc -u -l 5000 >got.txt &
sleep 0.5
echo ping | ip netns exec h nc -u -w 1 10.0.0.2 53
echo
echo hello | ip netns exec h nc -u -w 1 -s 10.0.0.1 -p 1234 10.0.0.2 5000
cat got.txt
ip netns exec h nc -u -z -v -w 1 10.0.0.2 53
echo "rc=$?"
ip netns exec h nc -u -z -v -w 1 10.0.0.2 9
echo "rc=$?"
echo x | ip netns exec h nc -u -w 1 10.0.0.2 9
echo "rc=$?"
ip netns exec h nc -u -z -v -w 1 10.0.0.99 9
echo "rc=$?"
ip -n h addr add 10.0.0.7/24 dev eth0
echo ping | ip netns exec h nc -u -w 1 -s 10.0.0.7 10.0.0.2 53
echo
