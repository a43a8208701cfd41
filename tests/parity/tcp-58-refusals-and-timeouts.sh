# What nc and curl say, and how long the SYNs go on, for refused, filtered, unreachable hosts and nets behind a router.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:02 type veth peer name eth0 address 02:00:00:00:02:01 netns s
ip -n c addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n s addr add 10.0.2.2/24 dev eth0
for n in c r s; do
  ip -n $n link set eth0 up
done
ip -n r link set eth1 up
ip -n c route add default via 10.0.1.1
ip -n s route add default via 10.0.2.1
ip netns exec s http-echo -listen :80 -text hi &
ip netns exec s iptables -A INPUT -p tcp --dport 81 -j DROP
ip netns exec s iptables -A INPUT -p tcp --dport 82 -j REJECT
ip netns exec s iptables -A INPUT -p tcp --dport 83 -j REJECT --reject-with icmp-host-prohibited
ip netns exec s iptables -A INPUT -p tcp --dport 84 -j REJECT --reject-with tcp-reset
ip netns exec r iptables -A FORWARD -p tcp --dport 85 -j REJECT --reject-with icmp-net-unreachable
sleep 2.5
for p in 80 81 82 83 84 85 86; do
  ip netns exec c nc -z -v -w 1 10.0.2.2 $p
  echo "rc=$?"
done
for p in 80 81 82 83 84 85 86; do
  ip netns exec c curl -s -S -m 1 -o /dev/null -w '%{http_code} %{exitcode}\n' http://10.0.2.2:$p/
done
ip netns exec c nc -z -v -w 5 10.0.2.99 80
ip netns exec c nc -z -v -w 1 10.77.0.1 80
ip -n c route del default
ip netns exec c nc -z -v -w 1 10.0.2.2 80
ip -n c route add default via 10.0.1.99
ip netns exec c nc -z -v -w 5 10.0.2.2 80
ip netns exec c curl -s -S -m 5 http://10.0.2.2/
