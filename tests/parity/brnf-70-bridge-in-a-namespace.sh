# A bridge in a namespace of its own: that namespace's rules and sysctl count, nobody else's.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in sw a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n sw link add br0 type bridge mcast_snooping 0
ip -n sw link set br0 address 02:00:00:00:00:b0
ip -n sw link set br0 up
for n in a b; do
  ip -n sw link add p$n type veth peer name eth0 netns $n
  ip -n sw link set p$n up
  ip -n sw link set p$n master br0
done
ip -n a addr add 10.0.0.1/24 dev eth0
ip -n b addr add 10.0.0.2/24 dev eth0
ip -n a link set eth0 up
ip -n b link set eth0 up
sleep 2.5
iptables -P FORWARD DROP
ip netns exec sw iptables -A FORWARD -p icmp -m physdev --physdev-in p+
ip netns exec a iptables -A OUTPUT -p icmp -m physdev ! --physdev-is-bridged
ip netns exec b iptables -t mangle -A PREROUTING -p icmp -m physdev ! --physdev-is-in
ip netns exec a ping -c 1 -W 1 10.0.0.2 | grep packets
ip netns exec sw iptables -P FORWARD DROP
sysctl -qw net.bridge.bridge-nf-call-iptables=0
ip netns exec a ping -c 1 -W 0.5 10.0.0.2 | grep packets
ip netns exec sw sysctl -qw net.bridge.bridge-nf-call-iptables=0
ip netns exec a ping -c 1 -W 1 10.0.0.2 | grep packets
for n in sw a b; do
  ip netns exec $n iptables-save -c | grep -v "^#" | grep -v "ACCEPT"
done
