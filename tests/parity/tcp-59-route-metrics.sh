# Metrics of a route that TCP and IP heed: hoplimit, initcwnd, initrwnd, quickack, advmss above the MTU, min_adv_mss, min_snd_mss.
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
ip netns exec r http-echo -listen :80 -text hi &
ip netns exec r tcpdump -l -n -t -v -i eth0 --immediate-mode 'tcp[tcpflags] & tcp-syn != 0' 2>/dev/null >cap.txt &
sleep 0.7
try() {
  ip -n h route replace 10.0.0.2 dev eth0 $*
  ip -n h route show 10.0.0.2
  ip netns exec h curl -s http://10.0.0.2/
}
try hoplimit 9
ip netns exec r ping -c 1 -W 1 10.0.0.1 | grep -o 'ttl=[0-9]*'
ip netns exec h ping -c 1 -W 1 10.0.0.2 | grep -o 'ttl=[0-9]*'
try initrwnd 4
try window 1000
try window 100000
try advmss 3000
try advmss 100
try mtu 1000 advmss 1400
ip netns exec h sysctl -w net.ipv4.route.min_adv_mss=600
try mtu 400
try mtu 900
ip -n h route del 10.0.0.2 dev eth0
ip -n r route add 10.0.0.1 dev eth0 initrwnd 3 hoplimit 33
ip netns exec h curl -s http://10.0.0.2/
ip -n r route replace 10.0.0.1 dev eth0 window 2000 mtu 800
ip netns exec h curl -s http://10.0.0.2/
ip -n r route replace 10.0.0.1 dev eth0 mtu 1300
ip netns exec h sysctl -qw net.ipv4.tcp_timestamps=0
ip netns exec h curl -s http://10.0.0.2/
sleep 0.3
grep -o 'ttl [0-9]*\|Flags \[[^]]*\]\|win [0-9]*\|mss [0-9]*' cap.txt | tr '\n' ' ' | sed 's/ttl/\nttl/g'
echo
