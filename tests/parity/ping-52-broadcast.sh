# Pinging a broadcast address: -b, icmp_echo_ignore_broadcasts, who answers; 224.0.0.1.
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
ip netns exec h1 ping -b -c 1 -W 1 10.0.0.255
echo "rc=$?"
ip netns exec h2 sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
ip netns exec h1 ping -b -c 1 -W 1 10.0.0.255
ip netns exec h1 ping -b -c 1 -W 1 -I eth0 255.255.255.255
ip netns exec h1 ping -c 1 -W 1 -I eth0 224.0.0.1
ip netns exec h3 sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
ip netns exec h1 ping -b -q -c 2 -i 0.3 10.0.0.255
ip netns exec h3 sysctl -qw net.ipv4.icmp_echo_ignore_all=1
ip netns exec h1 ping -c 1 -W 1 10.0.0.3
echo "rc=$?"
