# Packets longer than the port's MTU: cut when br_netfilter sees them, dropped when they have DF or when it doesn't.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge mcast_snooping 0
ip link set br0 address 02:00:00:00:00:b0
ip addr add 10.0.0.254/24 dev br0
ip link set br0 up
for n in a b c; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add pa address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns a
ip link set pa up
ip -n a addr add 10.0.0.1/24 dev eth0
ip -n a link set eth0 up
ip link set pa master br0
ip -n a route add default via 10.0.0.254
ip link add pb address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns b
ip link set pb up
ip -n b addr add 10.0.0.2/24 dev eth0
ip -n b link set eth0 up
ip link set pb master br0
ip -n b route add default via 10.0.0.254
ip link add pc address 02:00:00:00:03:01 type veth peer name eth0 address 02:00:00:00:03:02 netns c
ip link set pc up
ip -n c addr add 10.0.0.3/24 dev eth0
ip -n c link set eth0 up
ip link set pc master br0
ip -n c route add default via 10.0.0.254
ip link set pb mtu 1000
ip -n b link set eth0 mtu 1000
ip link show br0 | grep -o "mtu [0-9]*"
sleep 2.5
iptables -A FORWARD -p icmp
ip netns exec b tcpdump -l -n -t -v -i eth0 --immediate-mode icmp 2>/dev/null >b.txt &
sleep 1
for size in 900 1200; do
  for df in dont do; do
    echo "== size=$size df=$df"
    ip netns exec a ping -c 1 -W 0.5 -M $df -s $size 10.0.0.2 | grep packets
  done
done
sleep 0.3
cat b.txt
iptables-save -c -t filter | grep -v "^#" | grep -v ":[A-Z]"
echo "== bridge with a larger mtu"
ip link set br0 mtu 1500
ip link show br0 | grep -o "mtu [0-9]*"
ip netns exec a ping -c 1 -W 0.5 -M dont -s 1200 10.0.0.2 | grep packets
ip link set br0 mtu 800
ip netns exec a ping -c 1 -W 0.5 -M dont -s 1200 10.0.0.2 | grep packets
sysctl -qw net.bridge.bridge-nf-call-iptables=0
ip netns exec a ping -c 1 -W 0.5 -M dont -s 1200 10.0.0.2 | grep packets
ip netns exec a ping -c 1 -W 0.5 -M dont -s 800 10.0.0.2 | grep packets
sleep 0.3
cat b.txt
