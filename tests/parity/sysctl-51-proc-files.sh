# /proc/sys through cat and echo: values, errors, directories; a file written inside a namespace.
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
ip netns exec h cat /proc/sys/net/ipv4/ip_forward
ip netns exec h sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
ip netns exec h cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/eth0/forwarding /proc/sys/net/ipv4/conf/all/forwarding
ip netns exec h sh -c 'echo 0 > /proc/sys/net/ipv4/conf/eth0/forwarding'
ip netns exec h cat /proc/sys/net/ipv4/ip_forward
ip netns exec r cat /proc/sys/net/ipv4/ip_forward
cat /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv4/ip_forward
cat /proc/sys/net/ipv4/ip_forward
ip netns exec r cat /proc/sys/net/ipv4/ip_forward
cat /proc/sys/net/ipv4/nosuch
echo "rc=$?"
ip netns exec h cat /proc/sys/net/ipv4/conf/eth9/rp_filter
echo "rc=$?"
ip netns exec h ls /proc/sys/net/ipv4/conf
ip netns exec h sh -c 'echo 7 8 > /proc/sys/net/ipv4/ip_local_port_range'
ip netns exec h cat /proc/sys/net/ipv4/ip_local_port_range
ip netns exec h sysctl -w net.ipv4.conf.all.rp_filter=1
ip netns exec h cat /proc/sys/net/ipv4/conf/all/rp_filter /proc/sys/net/ipv4/conf/eth0/rp_filter
ip netns exec h sysctl -w net.ipv4.conf.default.rp_filter=2
ip -n h link add d0 type bridge
ip netns exec h sysctl net.ipv4.conf.d0.rp_filter net.ipv4.conf.eth0.rp_filter
ip -n h link set d0 name d1
ip netns exec h sysctl net.ipv4.conf.d0.rp_filter net.ipv4.conf.d1.rp_filter
