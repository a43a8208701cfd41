# kubenet's hairpin: a pod reaches itself by its node's port; br_netfilter and a promiscuous bridge
ip link set lo up
ip netns add pod
ip link add eth0 type veth peer name wire
ip addr add 192.168.0.11/24 dev eth0; ip link set eth0 up; ip link set wire up
sysctl -qw net.ipv4.ip_forward=1
ip link add cbr0 type bridge
ip addr add 10.244.1.1/24 dev cbr0
ip link set cbr0 up
ip link add veth0 type veth peer name eth0 netns pod
ip link set veth0 master cbr0 up
ip -n pod link set lo up
ip -n pod addr add 10.244.1.2/24 dev eth0
ip -n pod link set eth0 up
ip -n pod route add default via 10.244.1.1
iptables -t nat -N MASQ
iptables -t nat -A MASQ -j MARK --set-xmark 0x4000/0x4000
iptables -t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
iptables -t nat -N HP
iptables -t nat -A HP -s 10.244.1.2/32 -j MASQ
iptables -t nat -A HP -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.1.2:80
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j HP
iptables -A FORWARD -p tcp -m tcp --syn
sleep 1
ip netns exec pod sh -c 'for i in 1 2 3 4; do echo answer | nc -l -p 80 -q 1 >/dev/null; done' &
sleep 0.5
for call in 0 1; do
  for promisc in off on; do
    for to in 10.244.1.1 192.168.0.11; do
      sysctl -qw net.bridge.bridge-nf-call-iptables=$call
      ip link set cbr0 promisc $promisc
      conntrack -F >/dev/null 2>&1
      iptables -Z; iptables -t nat -Z
      echo "call-iptables $call promisc $promisc to $to"
      echo hi | ip netns exec pod nc -w 2 -q 1 $to 8080
      echo "status $?"
      iptables -t nat -nvxL POSTROUTING | tail -n +3
      iptables -nvxL FORWARD | tail -n +3
    done
  done
done
