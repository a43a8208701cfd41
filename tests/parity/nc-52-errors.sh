# nc: bad ports, addresses in use, -k, -l errors, -s of a foreign address, unknown options.
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
ip netns exec h nc -z 10.0.0.2
echo "rc=$?"
ip netns exec h nc -z 10.0.0.2 0
echo "rc=$?"
ip netns exec h nc -z 10.0.0.2 65536
echo "rc=$?"
ip netns exec h nc -z 10.0.0.2 abc
echo "rc=$?"
ip netns exec h nc 2>&1 | head -n 1
ip netns exec h nc -z -v -s 10.9.9.9 10.0.0.2 80
echo "rc=$?"
ip netns exec r http-echo -listen :80 -text hi &
sleep 0.5
ip netns exec r nc -l 80
echo "rc=$?"
ip netns exec r nc -l 10.9.9.9 80
echo "rc=$?"
ip netns exec r http-echo -listen :80 -text again
echo "rc=$?"
ip netns exec r http-echo -listen 10.0.0.2:80 -text again
echo "rc=$?"
ip netns exec r udp-echo -listen 10.0.0.77:53 -text no
echo "rc=$?"
ip netns exec h nc -z -v -p 80 -w 1 10.0.0.2 80
echo "rc=$?"
ip netns exec r nc -k -l 5000 >got.txt &
sleep 0.3
echo first | ip netns exec h nc -N -w 1 10.0.0.2 5000
echo second | ip netns exec h nc -N -w 1 10.0.0.2 5000
sleep 0.2
cat got.txt
ip netns exec h nc -z -w abc 10.0.0.2 80
echo "rc=$?"
