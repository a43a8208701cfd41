# UDP to broadcast and multicast addresses, from unconnected and connected sockets; no errors for broadcasts.
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
sleep 2.5
for n in 2 3; do
  ip netns exec h$n udp-echo -listen :9000 -text "from h$n" &
done
ip netns exec h1 tcpdump -l -n -t -i eth0 --immediate-mode udp or icmp 2>/dev/null >cap.txt &
sleep 0.7
ip netns exec h1 udp-probe -bind :1111 10.0.0.255:9000
ip netns exec h1 udp-probe -bind :1112 10.0.0.2:9000
ip netns exec h1 udp-probe -bind :1113 10.0.0.3:9001
ip netns exec h1 udp-probe -bind :1114 224.0.0.5:9000
ip netns exec h1 udp-probe -bind :1115 255.255.255.255:9000
echo x | ip netns exec h1 nc -u -b -w 1 -p 1116 10.0.0.255 9001
echo "rc=$?"
ip netns exec h1 udp-probe 10.0.0.99:9000
ip netns exec h1 udp-probe 10.9.0.1:9000
ip netns exec h1 udp-probe 127.0.0.1:9000
ip netns exec h1 udp-probe 10.0.0.1:9000
sleep 0.2
cat cap.txt
