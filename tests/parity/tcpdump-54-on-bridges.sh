# Captures on a bridge, its ports and a third host: what each sees of a conversation before and after learning.
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
ip netns exec h1 ping -q -c 1 10.0.0.3 | grep received
for d in br0 p1 p2; do
  tcpdump -l -n -t -i $d --immediate-mode arp or icmp 2>/dev/null >cap.$d &
done
ip netns exec h3 tcpdump -l -n -t -i eth0 --immediate-mode arp or icmp 2>/dev/null >cap.h3 &
sleep 0.7
ip -o link show br0 | grep -o '<[^>]*>'
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
sleep 0.3
for d in br0 p1 p2 h3; do
  echo "== $d"
  cat cap.$d
done
