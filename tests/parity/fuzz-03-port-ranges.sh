# Port ranges in the form of nf_tables, all ports ruled out, comparisons of nothing.
ip netns add a
ip -n a link set lo up
for p in tcp udp; do
  ip netns exec a iptables -A INPUT -p $p ! --dport :80
  ip netns exec a iptables -A INPUT -p $p ! --dport 80:
  ip netns exec a iptables -A INPUT -p $p --dport 0:65535
  ip netns exec a iptables -A INPUT -p $p ! --dport 0:65535
  ip netns exec a iptables -A INPUT -p $p ! --dport 0:65535 --sport 5
  ip netns exec a iptables -A INPUT -p $p ! --dport 0
  ip netns exec a iptables -A INPUT -p $p ! --sport :65534
  ip netns exec a iptables -A INPUT -p $p ! --sport 1: ! --dport 7:8
  ip netns exec a iptables -A INPUT -p $p -m $p
done
ip netns exec a iptables -A INPUT -p tcp ! --dport :80 --tcp-option 2
ip netns exec a iptables -A INPUT -p tcp ! --dport 0:65535 --syn
ip netns exec a iptables -A INPUT ! -s 0.0.0.0/0
echo "rc=$?"
ip netns exec a iptables -A INPUT ! -d 0/0
echo "rc=$?"
ip netns exec a iptables -A INPUT -s 0/0
ip netns exec a iptables -C INPUT -p tcp --dport 81:
echo "rc=$?"
ip netns exec a udp-probe -timeout 0.2 -bind :5 127.0.0.1:53
ip netns exec a udp-probe -timeout 0.2 -bind :6 127.0.0.1:153
ip netns exec a iptables-save -c
ip netns exec a iptables -nvL INPUT
ip netns exec a iptables-restore <<EOF
*filter
-A FORWARD -p tcp
-A FORWARD ! -s 0.0.0.0/0 -j ACCEPT
-A FORWARD -p udp
COMMIT
EOF
echo "rc=$?"
ip netns exec a iptables-legacy -A INPUT -p udp ! --dport :80
ip netns exec a iptables-legacy -A INPUT -p udp ! --dport 0:65535
ip netns exec a iptables-legacy -S
