# nc: -z -v, ports, -w, refused, -l with data both ways, -N half close, exit codes.
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
ip netns exec r http-echo -listen :80 -text hi &
sleep 0.5
ip netns exec h nc -z -v -w 1 10.0.0.2 80
echo "rc=$?"
ip netns exec h nc -z -v -w 1 10.0.0.2 79-82
echo "rc=$?"
ip netns exec h nc -z -w 1 10.0.0.2 81
echo "rc=$?"
ip netns exec h nc -z -v -n -w 1 10.0.0.2 22 80 443
echo "rc=$?"
ip netns exec h nc -z -v -w 1 10.0.0.99 80
echo "rc=$?"
ip netns exec h nc -z -v -w 1 10.9.0.1 80
echo "rc=$?"
ip netns exec r nc -l 5000 >got.txt &
sleep 0.3
printf 'one\ntwo\n' | ip netns exec h nc -N -w 2 10.0.0.2 5000
echo "rc=$?"
sleep 0.2
cat got.txt
echo answer >ans.txt
ip netns exec r nc -N -l -p 5001 <ans.txt >got2.txt &
sleep 0.3
echo question | ip netns exec h nc -N -w 2 10.0.0.2 5001
sleep 0.2
cat got2.txt
printf 'GET / HTTP/1.0\r\n\r\n' | ip netns exec h nc -N -w 2 10.0.0.2 80 | tr -d '\r'
ip netns exec h nc -w 1 10.0.0.2 80
echo "rc=$?"
