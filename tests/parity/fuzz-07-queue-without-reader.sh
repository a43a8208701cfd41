# A packet for a queue that nobody reads is lost, but its sender isn't told; with --queue-bypass it goes on to the next hook.
ip netns add a
ip netns exec a sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip -n a link set lo up
ip netns exec a udp-echo -listen :53 -text a &
sleep 0.5
ip netns exec a iptables -N q
ip netns exec a iptables -A OUTPUT -p udp --dport 53 -j q
ip netns exec a iptables -A OUTPUT -p udp --dport 53 -m comment --comment after
ip netns exec a iptables -t security -A OUTPUT -p udp
for j in DROP QUEUE NFQUEUE "NFQUEUE --queue-num 3 --queue-bypass"; do
  ip netns exec a iptables -A q -j $j
  ip netns exec a udp-probe -timeout 0.3 127.0.0.1:53
  echo "rc=$?"
  sleep 0.1
  ip netns exec a iptables-save -c
  ip netns exec a iptables -F q
  ip netns exec a iptables -Z
done
