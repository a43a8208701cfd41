# NFLOG, NFQUEUE, CLASSIFY, CHECKSUM: nobody listens.
for n in c s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns s
ip -n c addr add 10.0.0.1/24 dev eth0
ip -n c addr add 10.0.0.3/24 dev eth0
ip -n c link set eth0 up
ip -n s addr add 10.0.0.2/24 dev eth0
ip -n s link set eth0 up
ip netns exec s udp-echo -listen :7000 -text pong &
sleep 2.5
ip netns exec s iptables -A INPUT -p udp -j NFLOG --nflog-prefix "in: " --nflog-group 2 --nflog-size 64 --nflog-threshold 3
ip netns exec s iptables -t mangle -A OUTPUT -p udp -j CLASSIFY --set-class 1:a
ip netns exec s iptables -t mangle -A POSTROUTING -p udp -j CHECKSUM --checksum-fill
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
ip netns exec s iptables -A INPUT -p udp -j NFQUEUE --queue-num 1
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
ip netns exec s iptables -R INPUT 2 -p udp -j NFQUEUE --queue-num 1 --queue-bypass
ip netns exec s iptables -A INPUT -p udp -j REJECT
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
ip netns exec s iptables -R INPUT 2 -p udp -j NFQUEUE --queue-balance 0:3 --queue-cpu-fanout
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
ip netns exec s iptables -S INPUT -v
ip netns exec s iptables -L INPUT -n -v -x
ip netns exec s iptables -L INPUT
ip netns exec s iptables -t mangle -S -v
ip netns exec s iptables -t mangle -L -n -v -x
ip netns exec s iptables -I INPUT -j QUEUE
ip netns exec s iptables-save -c | grep -v "^#"
