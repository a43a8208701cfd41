# mtu, mtu lock, advmss, window, initcwnd, scope, pref source, tos, proto names in listings and JSON.
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
ip -n h route add 10.2.0.0/16 via 10.0.0.2 mtu 1400 advmss 1000
ip -n h route add 10.3.0.0/16 via 10.0.0.2 mtu lock 1300 window 5000 initcwnd 20
ip -n h route add 10.4.0.0/16 dev eth0 scope link proto zebra
ip -n h route add 10.5.0.0/16 via 10.0.0.2 rtt 100ms hoplimit 33
ip -n h route add 10.6.0.0/16 via 10.0.0.2 proto bird metric 4294967295
ip -n h route add 10.7.0.0/16 dev eth0 scope 100 proto ra
ip -n h route add 10.8.0.0/16 via 10.0.0.2 quickack 1 initrwnd 10
ip -n h route
ip -n h -d route
ip -n h route get 10.2.0.1
ip -n h route get 10.3.0.1
ip -n h -j route
ip -n h -j -p route show 10.3.0.0/16
ip -n h -N route show 10.6.0.0/16
ip netns exec h ping -q -c 1 -M do -s 1400 10.2.0.1
echo "rc=$?"
ip netns exec h ping -q -c 1 -M do -s 1372 -W 1 10.3.0.1
echo "rc=$?"
