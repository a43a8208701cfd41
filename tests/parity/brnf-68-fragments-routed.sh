# Fragments that come in by a bridge and are routed: what leaves by another bridge, with and without br_netfilter.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge mcast_snooping 0
ip link set br0 address 02:00:00:00:00:b0
ip addr add 10.0.0.254/24 dev br0
ip link set br0 up
ip link add br1 type bridge mcast_snooping 0
ip link set br1 address 02:00:00:00:00:b1
ip addr add 10.1.0.254/24 dev br1
ip link set br1 up
for n in a b c d; do
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
ip -n c addr add 10.1.0.3/24 dev eth0
ip -n c link set eth0 up
ip link set pc master br1
ip -n c route add default via 10.1.0.254
ip link add pd address 02:00:00:00:04:01 type veth peer name eth0 address 02:00:00:00:04:02 netns d
ip link set pd up
ip -n d addr add 10.1.0.4/24 dev eth0
ip -n d link set eth0 up
ip link set pd master br1
ip -n d route add default via 10.1.0.254
sysctl -qw net.ipv4.ip_forward=1
ip netns exec c udp-echo -listen :9000 -text c &
sleep 2.5
iptables -A FORWARD -m conntrack --ctstate NEW
ip -n a link set eth0 mtu 800
ip netns exec c tcpdump -l -n -t -v -i eth0 --immediate-mode udp 2>/dev/null >c.txt &
sleep 1
for nf in 1 0; do
  echo "== nf=$nf"
  sysctl -qw net.bridge.bridge-nf-call-iptables=$nf
  for size in 1200 1460 3000; do
    ip netns exec a udp-probe -timeout 1 -size $size -bind :500$nf 10.1.0.3:9000
    sleep 0.2
  done
done
ip link set br1 mtu 1000
for nf in 1 0; do
  echo "== nf=$nf smaller"
  sysctl -qw net.bridge.bridge-nf-call-iptables=$nf
  ip netns exec a udp-probe -timeout 1 -size 1200 -bind :500$nf 10.1.0.3:9000
  sleep 0.2
  ip netns exec a udp-probe -timeout 1 -size 3000 -bind :500$nf 10.1.0.3:9000
  sleep 0.2
done
cat c.txt
iptables-save -c -t filter | grep "^.[0-9]"
