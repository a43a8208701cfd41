# Deleting namespaces: veths vanish with their peers, a process inside keeps a namespace alive, names reused.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add v0 type veth peer name v1 netns a
ip -n a link add w0 type veth peer name w1 netns b
ip netns exec b sleep 3 &
ip netns del a
sleep 1
ip -br link | cut -c 1-20
ip -n b -br link | cut -c 1-20
ip netns list
ip netns del b
ip netns list
ip netns add a
ip -n a -br link | cut -c 1-20
ip netns add b
ip link add v5 type veth peer name v6 netns a
ip -n a link set v6 netns b
ip -n b -br link show v6 | cut -c 1-20
ip netns del a
sleep 1
ip -br link show v5 | cut -c 1-20
ip netns del b
sleep 1
ip link show v5
echo "rc=$?"
ip netns exec b true
echo "rc=$?"
