# curl: exit codes and messages of refused, unreachable, timeouts, bad URLs, bad interfaces, empty answers.
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
ip netns exec r nc -k -l 5000 >/dev/null &
sleep 0.5
ip netns exec h curl -s http://10.0.0.2:81/
echo "rc=$?"
ip netns exec h curl -sS http://10.0.0.2:81/
echo "rc=$?"
ip netns exec h curl -sS -m 1 http://10.0.0.99/
echo "rc=$?"
ip netns exec h curl -sS --connect-timeout 4 http://10.0.0.99/
echo "rc=$?"
ip netns exec h curl -sS http://10.9.0.1/
echo "rc=$?"
ip netns exec h curl -sS -m 1 http://10.0.0.2:5000/
echo "rc=$?"
ip netns exec h curl -sS foo://10.0.0.2/
echo "rc=$?"
ip netns exec h curl -sS http://
echo "rc=$?"
ip netns exec h curl -sS --interface nosuch http://10.0.0.2/
echo "rc=$?"
ip netns exec h curl -sS --interface 10.9.9.9 http://10.0.0.2/
echo "rc=$?"
ip netns exec h curl -sS http://10.0.0.2:99999/
echo "rc=$?"
ip netns exec h curl -sS --nosuchoption http://10.0.0.2/
echo "rc=$?"
ip netns exec h curl 2>&1 | head -n 1
ip netns exec h curl -sS -f -o /nosuch/x http://10.0.0.2/
echo "rc=$?"
ip netns exec h curl -sS -m 1 -w '%{http_code}\n' http://10.0.0.2:5000/ 2>/dev/null
echo "rc=$?"
