# sysctl -p FILE with comments and errors, -N, -a with grep, --ignore, -r, values with spaces.
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
cat >s.conf <<EOF
# a comment
; another

net.ipv4.ip_forward = 1
net.ipv4.conf.eth0.rp_filter=2
net/ipv4/ip_default_ttl = 99
-net.ipv4.nosuch = 1
net.ipv4.ip_local_port_range = 2000 3000
EOF
ip netns exec h sysctl -p s.conf
echo "rc=$?"
ip netns exec h sysctl -q -p s.conf
ip netns exec h sysctl -n net.ipv4.ip_forward net.ipv4.ip_default_ttl
printf 'net.ipv4.nosuch = 1\nnet.ipv4.ip_forward = 0\n' >bad.conf
ip netns exec h sysctl -p bad.conf
echo "rc=$?"
ip netns exec h sysctl -p nosuch.conf
echo "rc=$?"
ip netns exec h sysctl -N net.ipv4.ip_forward
ip netns exec h sysctl -a 2>/dev/null | grep 'conf\.eth0\.rp_filter\|conf\.lo\.rp_filter\|ipv4.ip_forward '
ip netns exec h sysctl -a -r 'eth0.arp_(ignore|announce)'
ip netns exec h sysctl net.ipv4.conf.eth0.arp_ignore=1 net.ipv4.conf.eth0.arp_announce=2
ip netns exec h sysctl -b net.ipv4.ip_forward
echo
ip netns exec h sysctl net.ipv4.ip_forward net.ipv4.nosuch net.ipv4.ip_default_ttl
echo "rc=$?"
ip -n h link add name d.1 type bridge
ip netns exec h sysctl net.ipv4.conf.d/1.forwarding
ip netns exec h sysctl net/ipv4/conf/d.1/forwarding
