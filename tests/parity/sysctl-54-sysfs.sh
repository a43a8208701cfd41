# /sys/class/net: what is in a namespace, attributes, writes.
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
sleep 2.5
ip netns exec h ls /sys/class/net
ip netns exec h sh -c 'for f in address mtu operstate ifindex iflink carrier tx_queue_len type flags speed duplex dormant carrier_changes broadcast addr_len link_mode dev_id; do echo "$f $(cat /sys/class/net/eth0/$f 2>&1)"; done'
ip netns exec h sh -c 'for f in address mtu operstate ifindex iflink carrier tx_queue_len type flags; do echo "$f $(cat /sys/class/net/lo/$f 2>&1)"; done'
ip -n r link set eth0 down
sleep 1.2
ip netns exec h cat /sys/class/net/eth0/operstate /sys/class/net/eth0/carrier
ip -n h link set eth0 down
ip netns exec h cat /sys/class/net/eth0/operstate /sys/class/net/eth0/carrier
echo "rc=$?"
ip netns exec h sh -c 'echo 1400 > /sys/class/net/eth0/mtu'
ip -n h -o link show eth0 | grep -o 'mtu [0-9]*'
ip netns exec h sh -c 'echo 70000 > /sys/class/net/eth0/mtu' 2>&1 | grep -o 'Invalid argument\|Numerical.*'
ip netns exec h cat /sys/class/net/nosuch/mtu
echo "rc=$?"
ls /sys/class/net
