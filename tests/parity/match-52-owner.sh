# -m owner: whose packets: a process's, the kernel's own (ICMP, resets), forwarded ones have none.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n r link add vc address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns c
ip -n r link add vs address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns s
ip -n r addr add 10.1.0.1/24 dev vc
ip -n r link set vc up
ip -n c addr add 10.1.0.2/24 dev eth0
ip -n c link set eth0 up
ip -n r addr add 10.2.0.1/24 dev vs
ip -n r link set vs up
ip -n s addr add 10.2.0.2/24 dev eth0
ip -n s link set eth0 up
ip -n c route add default via 10.1.0.1
ip -n s route add default via 10.2.0.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
for d in OUTPUT POSTROUTING; do
  ip netns exec r iptables -t mangle -A $d -m owner --uid-owner root -m comment --comment uid0
  ip netns exec r iptables -t mangle -A $d -m owner --uid-owner 1-99 -m comment --comment others
  ip netns exec r iptables -t mangle -A $d -m owner ! --uid-owner nobody -m comment --comment not-nobody
  ip netns exec r iptables -t mangle -A $d -m owner --gid-owner root -m comment --comment gid0
  ip netns exec r iptables -t mangle -A $d -m owner --socket-exists -m comment --comment socket
  ip netns exec r iptables -t mangle -A $d -m owner ! --socket-exists -m comment --comment no-socket
done
sleep 2.5
echo "== ping by a process"
ip netns exec r ping -c 1 -W 1 10.2.0.2 | grep received
ip netns exec r iptables -t mangle -S -v | grep -v "^-P"
ip netns exec r iptables -t mangle -Z
echo "== forwarded"
ip netns exec c ping -c 1 -W 1 10.2.0.2 | grep received
ip netns exec r iptables -t mangle -S -v | grep -v "^-P"
ip netns exec r iptables -t mangle -Z
echo "== echo reply by the kernel"
ip netns exec c ping -c 1 -W 1 10.1.0.1 | grep received
ip netns exec r iptables -t mangle -S -v | grep -v "^-P"
ip netns exec r iptables -t mangle -Z
echo "== port unreachable by the kernel"
ip netns exec c udp-probe -timeout 0.3 10.1.0.1:9999
ip netns exec r iptables -t mangle -S -v | grep -v "^-P"
ip netns exec r iptables -t mangle -Z
echo "== reset by the kernel"
ip netns exec c nc -z -w 1 10.1.0.1 81
ip netns exec r iptables -t mangle -S -v | grep -v "^-P"
ip netns exec r iptables -t mangle -Z
echo "== SYN of a process, dropped"
ip netns exec r iptables -A OUTPUT -p tcp --syn -m owner --uid-owner 0 -j REJECT
ip netns exec r nc -w 1 -z -v 10.2.0.2 81
ip netns exec r iptables -S OUTPUT -v
ip netns exec r iptables -L OUTPUT -v
