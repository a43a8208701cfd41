# Tagged packets across a bridge and its VLAN device: seen by iptables only with bridge-nf-filter-vlan-tagged; by which input device.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge mcast_snooping 0
ip link set br0 address 02:00:00:00:00:b0
ip addr add 10.0.0.254/24 dev br0
ip link set br0 up
for n in a b; do
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
ip link add link br0 name br0.10 type vlan id 10
ip addr add 10.10.0.254/24 dev br0.10
ip link set br0.10 up
ip -n a link add link eth0 name eth0.10 type vlan id 10
ip -n b link add link eth0 name eth0.10 type vlan id 10
ip -n a addr add 10.10.0.1/24 dev eth0.10
ip -n b addr add 10.10.0.2/24 dev eth0.10
ip -n a link set eth0.10 up
ip -n b link set eth0.10 up
sysctl -qw net.ipv4.ip_forward=1
sleep 2.5
for c in PREROUTING INPUT FORWARD; do
  iptables -t mangle -A $c -p icmp -i br0
  iptables -t mangle -A $c -p icmp -i br0.10
  iptables -t mangle -A $c -p icmp -m physdev --physdev-in pa
done
iptables -t mangle -A POSTROUTING -p icmp -o br0
iptables -t mangle -A POSTROUTING -p icmp -o br0.10
iptables -t mangle -A POSTROUTING -p icmp -m physdev --physdev-out pb
for tagged in 0 1; do
  for pass in 0 1; do
    echo "== tagged=$tagged pass=$pass"
    sysctl -qw net.bridge.bridge-nf-filter-vlan-tagged=$tagged net.bridge.bridge-nf-pass-vlan-input-dev=$pass
    iptables -t mangle -Z
    ip netns exec a ping -c 1 -W 2 10.10.0.2 | grep packets
    ip netns exec a ping -c 1 -W 2 10.10.0.254 | grep packets
    iptables-save -c -t mangle | grep "^.[1-9]"
  done
done
