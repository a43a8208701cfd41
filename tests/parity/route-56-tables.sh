# Tables: local, main, default, numbered, all; names and limits.
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
ip -n h route add default via 10.0.0.2 table 100
ip -n h route add 10.5.0.0/16 dev eth0 table 254
ip -n h route add 10.6.0.0/16 via 10.0.0.2 table default
ip -n h route add 10.7.0.0/16 via 10.0.0.2 table 4000000000
ip -n h route add local 10.8.0.0/16 dev lo
ip -n h route add local 10.9.0.1 dev lo table local
ip -n h route add broadcast 10.5.255.255 dev eth0 table local
ip -n h route show table all
ip -n h route show table local
ip -n h route show table main
ip -n h route show table default
ip -n h route show table 253
ip -n h route show table 100
ip -n h -j route show table 4000000000
ip -n h route add 10.7.0.0/16 via 10.0.0.2 table 4294967296
echo "rc=$?"
ip -n h route flush table 100
ip -n h route show table 100
echo "rc=$?"
ip -n h route del local 10.0.0.1 dev eth0 table local
ip netns exec h ping -q -c 1 -W 1 10.0.0.1 | tail -n 2
ip -n h route get 10.8.3.4
ip netns exec h ping -q -c 1 -W 1 10.8.3.4 | grep received
