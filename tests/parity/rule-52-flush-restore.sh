# ip rule flush, del main, and what a host without rules can do; restoring them.
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
ip -n h rule add from 10.0.0.1 table 7
ip -n h rule add to 10.0.0.2 table 8 pref 10
ip -n h rule
ip -n h rule flush
echo "rc=$?"
ip -n h rule
ip netns exec h ping -c 1 -W 1 10.0.0.2
echo "rc=$?"
ip -n h route get 10.0.0.2
echo "rc=$?"
ip -n h rule add from all lookup main pref 32766
ip -n h rule add from all lookup default pref 32767
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n h rule del pref 0
ip -n h rule
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n h rule add pref 0 table local
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n h rule
