# ethtool -i, -k (a few features), plain, -a, -S of a veth; errors.
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
ip netns exec h ethtool eth0 | head -n 20
ip netns exec h ethtool -i eth0 | grep -v '^version'
ip netns exec h ethtool -k eth0 | grep 'tcp-segmentation-offload\|generic-receive\|^tx-checksumming\|rx-checksumming\|generic-segm\|scatter-gather:\|rx-vlan-offload'
ip netns exec h ethtool -K eth0 tx off
ip netns exec h ethtool -k eth0 | grep '^tx-checksumming\|^tcp-segm'
ip netns exec h ethtool -K eth0 tx on gro on
ip netns exec h ethtool -k eth0 | grep '^generic-receive\|^tx-checks'
ip netns exec h ethtool -S eth0 | head -n 2
ip netns exec h ethtool -P eth0
ip netns exec h ethtool nosuch 2>&1 | tail -n 1
ip netns exec h ethtool -i nosuch 2>/dev/null
echo "rc=$?"
ip netns exec h ethtool -i lo
echo "rc=$?"
ip netns exec h ethtool lo | head -n 3
ip -n r link set eth0 down
sleep 1.2
ip netns exec h ethtool eth0 | grep 'Link detected'
hostname
