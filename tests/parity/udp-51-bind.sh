# Binding: an address in use, wildcard with specific, TCP and UDP apart, ip_nonlocal_bind, privileged port for root.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
ip -n r addr add 10.0.0.3/24 dev eth0
sleep 2.5
ip netns exec r udp-echo -listen :9000 -text any &
sleep 0.3
ip netns exec r udp-echo -listen :9000 -text second
echo "rc=$?"
ip netns exec r udp-echo -listen 10.0.0.3:9000 -text specific
echo "rc=$?"
ip netns exec r http-echo -listen :9000 -text tcp &
ip netns exec r udp-echo -listen 10.0.0.2:9001 -text two &
ip netns exec r udp-echo -listen 10.0.0.3:9001 -text three &
ip netns exec r udp-echo -listen 127.0.0.1:9001 -text lo &
sleep 0.3
ip netns exec h udp-probe 10.0.0.2:9000
ip netns exec h udp-probe -timeout 0.5 10.0.0.3:9000
ip netns exec h curl -s -m 1 http://10.0.0.3:9000/
ip netns exec h udp-probe 10.0.0.2:9001
ip netns exec h udp-probe 10.0.0.3:9001
ip netns exec r udp-probe 127.0.0.1:9001
ip netns exec r udp-probe 10.0.0.3:9001
ip netns exec r udp-probe 127.0.0.2:9001
ip netns exec r udp-echo -listen 10.0.0.77:9002 -text foreign
ip netns exec r sysctl -qw net.ipv4.ip_nonlocal_bind=1
ip netns exec r udp-echo -listen 10.0.0.77:9002 -text foreign &
ip netns exec r udp-echo -listen 10.0.0.255:9003 -text bcast &
sleep 0.3
ip netns exec r ss -H -uln | sort
ip -n r addr add 10.0.0.77/24 dev eth0
ip netns exec h udp-probe 10.0.0.77:9002
