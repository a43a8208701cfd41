# ping: bad options and values, unreachable networks, broadcasts; messages and exit codes.
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
ip netns exec h ping -c 0 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c abc 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -s -1 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -s 70000 10.0.0.2
echo "rc=$?"
ip netns exec h ping -s 65508 -c 1 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -t 0 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -t 256 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -M foo 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -W -1 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -i -1 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 2>&1 | head -n 1
ip netns exec h ping 2>&1 | head -n 1
ip netns exec h ping -c 1 10.0.0.256 2>/dev/null
echo "rc=$?"
ip netns exec h ping -c 1 10.9.0.1
echo "rc=$?"
ip netns exec h ping -c 1 10.0.0.255
echo "rc=$?"
ip netns exec h ping -c 1 255.255.255.255
echo "rc=$?"
ip netns exec h ping -c 1 224.0.0.1
echo "rc=$?"
ip netns exec h ping -c 1 -W 1 0.0.0.0 | head -n 2
ip netns exec h ping -c 1 127.1 | head -n 2
ip netns exec h ping -c 1 10.2 | head -n 1
ip netns exec h ping -c 1 -W 1 240.0.0.1
echo "rc=$?"
ip netns exec h ping -f -c 5 10.0.0.2 | grep transmitted
