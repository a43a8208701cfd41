# ip link add ... netns, link set netns PID-less forms, peer's options, moving to the same namespace.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add v0 netns a type veth peer name v1 netns b
ip -n a -o link show v0 | cut -c 1-60
ip -n b -o link show v1 | cut -c 1-60
ip link add v2 address 02:00:00:00:02:01 mtu 1400 type veth peer name v3 address 02:00:00:00:02:02 mtu 1300
ip -o link show type veth | cut -c 1-60
ip link set v2 netns a name eth5
ip -n a -br link show eth5
ip -n a link set eth5 netns a
echo "rc=$?"
ip -n a link set eth5 netns b name v1
echo "rc=$?"
ip -n a link set eth5 netns b
ip -n b -o link show type veth | sed 's/link.ether.*link-net/link-net/'
ip -o link show v3 | sed 's/.*link-net/link-net/'
ip link set v3 netns 1
echo "rc=$?"
ip link set lo netns a
echo "rc=$?"
