# nsids appear when a veth crosses; ip -all netns exec; netns list -j; nsid per viewer.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add v0 type veth peer name v1 netns a
ip netns list | sort
ip -n a netns list-id
ip -n a link add w0 type veth peer name w1 netns b
ip -n a -o link show w0 | sed 's/.*brd ff:ff:ff:ff:ff:ff//'
ip -n b -o link show w1 | sed 's/.*brd ff:ff:ff:ff:ff:ff//'
ip netns list | sort
ip netns list-id
ip -n b netns list-id
ip -n a -o link show v1 | sed 's/.*brd ff:ff:ff:ff:ff:ff//'
ip netns set b 9
ip netns list | sort
ip -j netns list-id
ip netns exec a ip netns identify
ip netns exec a ip -br link show lo
ip -netns a -br link show lo
ip --netns a -br addr show lo
ip netns exec a ip -n b -o link show w1 | cut -c 1-12
