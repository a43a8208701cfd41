# blackhole, unreachable, prohibit, throw: listing, get, JSON, with and without dev.
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
ip -n h route add blackhole 10.2.0.0/16
ip -n h route add unreachable 10.3.0.0/16 metric 100
ip -n h route add prohibit 10.4.0.0/16
ip -n h route add throw 10.5.0.0/16
ip -n h route add default via 10.0.0.2
ip -n h route
ip -n h -d route show 10.2.0.0/16
ip -n h -j route
for a in 10.2.0.1 10.3.0.1 10.4.0.1 10.5.0.1; do
  ip -n h route get $a
  echo "rc=$?"
done
ip -n h route get 10.5.0.1 fibmatch
ip netns exec h nc -z -v -w 1 10.2.0.1 80
ip netns exec h nc -z -v -w 1 10.3.0.1 80
ip netns exec h nc -z -v -w 1 10.4.0.1 80
ip netns exec h udp-probe 10.2.0.1:80
ip netns exec h udp-probe 10.3.0.1:80
ip netns exec h udp-probe 10.4.0.1:80
ip -n h route del 10.2.0.0/16
echo "rc=$?"
ip -n h route del unreachable 10.3.0.0/16
echo "rc=$?"
ip -n h route replace 10.4.0.0/16 via 10.0.0.2
ip -n h route
