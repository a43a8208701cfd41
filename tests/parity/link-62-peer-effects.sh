# A veth's carrier follows both ends: NO-CARRIER, M-DOWN, state; deleting one deletes the other.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in c; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set v0 up
sleep 1.2
ip -br link show type veth
ip link set v1 up
sleep 1.2
ip -br link show type veth
ip link set v0 down
sleep 1.2
ip -br link show type veth
ip link set v1 netns c
ip link set v0 up
ip -n c link set v1 up
sleep 2.5
ip -br link show type veth
ip -n c -br link
ip -n c link set v1 down
sleep 1.2
ip -o link show v0 | cut -c 1-120
ip -n c link del v1
ip link show v0
echo "rc=$?"
