# Local delivery: own addresses, 0.0.0.0, lo's counters, other namespaces' lo, broadcast of 127/8, ports by address.
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
ip -n h addr add 10.5.0.1/24 dev lo
sleep 2.5
ip netns exec h http-echo -listen 127.0.0.1:80 -text loopback -show-peer &
ip netns exec h http-echo -listen 10.0.0.1:80 -text eth0 -show-peer &
ip netns exec h http-echo -listen :8080 -text any -show-peer &
ip netns exec h udp-echo -listen :9000 -text any -show-peer &
sleep 0.5
ip netns exec h curl -s http://127.0.0.1/
ip netns exec h curl -s http://10.0.0.1/
ip netns exec h curl -s http://0.0.0.0/
ip netns exec h curl -sS http://10.5.0.1/
ip netns exec h curl -s http://10.5.0.1:8080/
ip netns exec h curl -s http://10.5.0.77:8080/
ip netns exec h curl -s http://127.3.4.5:8080/
ip netns exec h curl -s --interface 10.5.0.1 http://10.0.0.1/
ip netns exec h udp-probe 0.0.0.0:9000
ip netns exec h udp-probe 127.9.9.9:9000
ip netns exec h udp-probe 10.0.0.1:9000
ip netns exec h udp-probe -bind 10.5.0.1:0 127.0.0.1:9000
ip netns exec r curl -s -m 1 http://127.0.0.1/
echo "rc=$?"
ip netns exec h ping -q -c 1 -W 1 10.5.0.77 | grep received
ip -n h route get 10.5.0.77
ip -n h route show table local | grep 10.5
ip netns exec h ping -q -c 1 127.255.255.255
echo "rc=$?"
ip -n r route add 10.5.0.0/24 via 10.0.0.1
ip netns exec r ping -q -c 1 -W 1 10.5.0.1 | grep received
ip netns exec r ping -q -c 1 -W 1 10.5.0.77 | grep received
