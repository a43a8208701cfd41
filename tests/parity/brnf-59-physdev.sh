# physdev in every chain: options, negation, wildcards, and what the kernel refuses.
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
sysctl -qw net.ipv4.ip_forward=1
sleep 2.5
ip netns exec a ping -c 1 -W 1 10.0.0.2 | grep packets
ip netns exec a ping -c 1 -W 1 10.0.0.254 | grep packets
iptables -A FORWARD -m physdev
iptables -A FORWARD -m physdev --physdev-in
iptables -A FORWARD -m physdev --physdev-in averylongdevicename
iptables -A FORWARD -m physdev --physdev-in pa --physdev-in pb
iptables -A FORWARD -m physdev --physdev-is-in --physdev-is-in
iptables -A FORWARD -m physdev --physdev-is-in yes
iptables -A FORWARD -m physdev --physdev-in ""
iptables -A FORWARD -m physdev --physdev-in +
iptables -A FORWARD -m physdev --physdev-in a+b
iptables -A FORWARD -m physdev --physdev-in fifteencharacte
iptables -A FORWARD -m physdev --physdev-in sixteencharacter
iptables -S FORWARD
iptables -nL FORWARD
iptables -A FORWARD -m physdev ! --physdev-out p+
iptables -F
iptables -A OUTPUT -m physdev --physdev-out pa
iptables -A OUTPUT -m physdev --physdev-is-out
iptables -A OUTPUT -m physdev ! --physdev-is-out
iptables -A OUTPUT -m physdev --physdev-is-bridged --physdev-out pa
iptables -A OUTPUT -m physdev ! --physdev-is-bridged --physdev-out pa
iptables -A OUTPUT -m physdev --physdev-in pa
iptables -t raw -A OUTPUT -m physdev --physdev-out pa
iptables -t mangle -A POSTROUTING -m physdev --physdev-out pa
iptables -t mangle -A PREROUTING -m physdev --physdev-out pa
iptables -A INPUT -m physdev --physdev-out pa
iptables -N own
iptables -A own -m physdev --physdev-out pa
iptables -A OUTPUT -j own
iptables -S
iptables -F
iptables -t mangle -F
for c in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do
  for m in "--physdev-in pa" "! --physdev-in pa" "--physdev-in p+" "! --physdev-in x+" "--physdev-is-in" "! --physdev-is-in"; do
    iptables -t mangle -A $c -p icmp -m physdev $m
  done
done
for c in PREROUTING INPUT FORWARD POSTROUTING; do
  for m in "--physdev-out pb" "! --physdev-out pb" "--physdev-out p+" "--physdev-is-out" "! --physdev-is-out" "--physdev-is-bridged" "! --physdev-is-bridged" "--physdev-is-bridged --physdev-in pa --physdev-out pb"; do
    iptables -t mangle -A $c -p icmp -m physdev $m
  done
done
ip netns exec a ping -c 1 -W 1 10.0.0.2 | grep packets
iptables-save -c -t mangle | grep -v "^#" | grep -v ":[A-Z]"
iptables -t mangle -Z
ip netns exec a ping -c 1 -W 1 10.0.0.254 | grep packets
iptables -t mangle -nvxL
