# sysctl: reading, -n, -w, -q, several keys, / and . separators, errors, exit codes.
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
ip netns exec h sysctl net.ipv4.ip_forward
ip netns exec h sysctl -n net.ipv4.ip_forward
ip netns exec h sysctl -w net.ipv4.ip_forward=1
ip netns exec h sysctl net.ipv4.ip_forward=0
ip netns exec h sysctl -q -w net.ipv4.ip_forward=1
ip netns exec h sysctl -n net.ipv4.ip_forward net.ipv4.ip_default_ttl
ip netns exec h sysctl -w net.ipv4.ip_default_ttl=33 net.ipv4.conf.eth0.rp_filter=2
ip netns exec h sysctl net/ipv4/conf/eth0/rp_filter
ip netns exec h sysctl net.ipv4.conf.all.forwarding
ip netns exec h sysctl -w net.ipv4.nosuch=1
echo "rc=$?"
ip netns exec h sysctl net.ipv4.nosuch
echo "rc=$?"
ip netns exec h sysctl net.ipv4.conf.nosuch.rp_filter
echo "rc=$?"
ip netns exec h sysctl -e net.ipv4.nosuch
echo "rc=$?"
ip netns exec h sysctl -e -n net.ipv4.nosuch net.ipv4.ip_default_ttl
echo "rc=$?"
ip netns exec h sysctl -w net.ipv4.ip_forward=abc
echo "rc=$?"
ip netns exec h sysctl -w net.ipv4.ip_default_ttl=0
echo "rc=$?"
ip netns exec h sysctl -w net.ipv4.ip_default_ttl=256
echo "rc=$?"
ip netns exec h sysctl -w net.ipv4.ip_forward
echo "rc=$?"
ip netns exec h sysctl -w "net.ipv4.ip_forward = 1"
echo "rc=$?"
ip netns exec h sysctl -w net.ipv4.ip_forward=
echo "rc=$?"
ip netns exec h sysctl | head -n 3
ip netns exec h sysctl net.ipv4.ip_local_port_range
ip netns exec h sysctl -w net.ipv4.ip_local_port_range="40000 40010"
ip netns exec h sysctl -n net.ipv4.ip_local_port_range
