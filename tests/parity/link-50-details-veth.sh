# ip -d link of a veth in the same namespace and across namespaces, and of lo.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in c; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link add w0 address 02:00:00:00:02:01 type veth peer name w1 address 02:00:00:00:02:02 netns c
ip -d link show v0 | sed 's/numtxqueues [0-9]* numrxqueues [0-9]* /queues /'
ip link set v0 up
ip -d link show v1 | sed 's/numtxqueues [0-9]* numrxqueues [0-9]* /queues /'
ip link set v1 up
sleep 2.5
ip -d link show v0 | sed 's/numtxqueues [0-9]* numrxqueues [0-9]* /queues /'
ip -d link show w0 | sed 's/numtxqueues [0-9]* numrxqueues [0-9]* /queues /'
ip -d link show lo
ip link show up
ip link show type veth
ip -br link show type veth
