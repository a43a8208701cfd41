# ip netns: add, list, exec, identify, pids, set, list-id, del: output, errors, exit codes.
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns list | sort
ip netns add a
echo "rc=$?"
ip netns add x/y
echo "rc=$?"
ip netns add ..
echo "rc=$?"
ip netns add
echo "rc=$?"
ip netns exec a ip netns identify
ip netns identify
echo "rc=$?"
ip netns exec nosuch true
echo "rc=$?"
ip netns exec a
echo "rc=$?"
ip netns exec a nosuchcmd
echo "rc=$?"
ip netns exec a false
echo "rc=$?"
ip netns exec a sh -c 'exit 7'
echo "rc=$?"
ip netns del nosuch
echo "rc=$?"
ip netns del
echo "rc=$?"
ip netns foo
echo "rc=$?"
ip netns set a 5
ip netns list | sort
ip netns list-id
ip netns set a 6
echo "rc=$?"
ip netns set nosuch 6
echo "rc=$?"
ip netns set b 5
echo "rc=$?"
ls /run/netns
ip netns del a
ls /run/netns
ip -all netns del
ip netns list
ls /run/netns
