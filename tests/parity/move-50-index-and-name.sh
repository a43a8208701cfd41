# Moving devices: index kept or new, name clashes, what is lost, moving back, a bridge port moves.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip -n a link add x0 type bridge
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set v0 master br0
ip link set v0 up promisc on mtu 1400 alias moved txqueuelen 55
ip addr add 10.0.0.1/24 dev v0
ip neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev v0
ip link set v0 netns a
ip -n a link show v0
ip -n a -br addr
ip -br link show v1
bridge link
ip -n a link set v0 netns b
ip -n b link show v0
ip -n b link add v1 type bridge
ip link set v1 netns b
echo "rc=$?"
ip link set v1 netns b name v2
ip -n b -br link | cut -c 1-31
ip -n b link set v2 netns 1
ip -n b -br link | cut -c 1-31
ip link show v2
ip link set br0 netns a
echo "rc=$?"
ip link add vx0 type vxlan id 5 dstport 4789
ip link set vx0 netns a
echo "rc=$?"
ip tuntap add t0 mode tun
ip link set t0 netns a
echo "rc=$?"
ip -n a -br link | cut -c 1-31
