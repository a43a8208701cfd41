# ip netns exec: pipes, redirections, nested exec, pids, identify of a pid, environment and working directory.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
echo text >f
ip netns exec a cat f
ip netns exec a sh -c 'echo $0; ip -br link show lo; echo out >g'
cat g
echo piped | ip netns exec a cat
ip netns exec a ip netns exec b ip netns identify
ip netns exec a ip -n b -br addr
x=1 ip netns exec a sh -c 'echo x=$x'
ip netns exec a sleep 5 &
p=$!
sleep 0.2
ip netns identify $p
ip netns pids a | wc -l
ip netns pids b | wc -l
ip netns pids nosuch
echo "rc=$?"
ip netns identify 999999
echo "rc=$?"
kill $p
ip netns exec a sh -c 'exit 3' || echo "rc=$?"
ip netns exec a sysctl -qw net.ipv4.ip_forward=1
for n in a b; do
  echo "$n $(ip netns exec $n cat /proc/sys/net/ipv4/ip_forward)"
done
ip netns exec a ls /sys/class/net
ip -all netns exec ip -br link show lo 2>&1 | sort
ip netns exec a ping -q -c 1 127.0.0.1 | grep received
ip netns add c
ip netns exec c ping -c 1 127.0.0.1
echo "rc=$?"
ip netns exec c cat /proc/net/route
