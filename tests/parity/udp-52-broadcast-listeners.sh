# Who hears a broadcast datagram and from which address the answer comes; directed broadcast through a router.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1 2 3; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
for n in 2 3; do
  ip netns exec h$n udp-echo -listen :9000 -text "pong$n" &
done
ip netns exec h2 udp-echo -listen 10.0.0.2:9100 -text specific &
ip netns exec h3 udp-echo -listen 10.0.0.255:9100 -text bound &
ip netns exec h1 tcpdump -l -n -t -i eth0 --immediate-mode udp or icmp 2>/dev/null >cap.txt &
sleep 2.5
echo x | ip netns exec h1 nc -u -b -w 1 -p 1111 10.0.0.255 9000
echo x | ip netns exec h1 nc -u -b -w 1 -p 1112 10.0.0.255 9100
echo x | ip netns exec h1 nc -u -b -w 1 -p 1113 255.255.255.255 9000
echo "rc=$?"
echo x | ip netns exec h1 nc -u -w 1 -p 1114 10.0.0.255 9000
echo "rc=$?"
sort cap.txt
ip -n h1 neigh | sort
