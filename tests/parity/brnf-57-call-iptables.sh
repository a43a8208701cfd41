# Who asks for it: the sysctl, the bridge's own nf_call_iptables, or both; a namespace has its own sysctl.
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
sleep 2.5
iptables -A FORWARD -i br0 -o br0
iptables -A FORWARD -i br1 -o br1
ip -d link show br0 | grep -o "nf_call_[a-z0-9]* [01]"
for s in 1 0; do
  sysctl -w net.bridge.bridge-nf-call-iptables=$s
  for n in 0 1; do
    ip link set br0 type bridge nf_call_iptables $n
    cat /sys/class/net/br0/bridge/nf_call_iptables
    iptables -Z
    ip netns exec a ping -c 1 -W 1 10.0.0.2 | grep packets
    ip netns exec c ping -c 1 -W 1 10.1.0.4 | grep packets
    iptables -nvxL FORWARD
  done
done
echo 0 >/sys/class/net/br0/bridge/nf_call_iptables
ip -d link show br0 | grep -o "nf_call_[a-z0-9]* [01]"
ip link set br0 type bridge nf_call_iptables 7 nf_call_arptables 1 nf_call_ip6tables 1
ip -d link show br0 | grep -o "nf_call_[a-z0-9]* [01]"
ip link set br0 type bridge nf_call_iptables 300
sysctl -w net.bridge.bridge-nf-call-iptables=5
sysctl net.bridge.bridge-nf-call-iptables
sysctl -w net.bridge.bridge-nf-filter-vlan-tagged=3
sysctl net.bridge
ip netns exec a sysctl net.bridge.bridge-nf-call-iptables
sysctl -w net.bridge.bridge-nf-call-iptables=0
ip netns exec a sysctl net.bridge.bridge-nf-call-iptables
ip netns add late
ip netns exec late sysctl net.bridge.bridge-nf-call-iptables
