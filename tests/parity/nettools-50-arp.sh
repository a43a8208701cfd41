# arp (net-tools): -n, -a, one address, -s, -d, -i, errors.
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
sleep 2.5
ip netns exec h arp -n
ip netns exec h ping -q -c 1 10.0.0.2 | grep received
ip netns exec h arp -n
ip netns exec h arp -an
ip netns exec h arp -s 10.0.0.9 02:00:00:00:09:09
ip netns exec h arp -n 10.0.0.9
ip netns exec h arp -an 10.0.0.9
ip netns exec h arp -n 10.0.0.77
echo "rc=$?"
ip netns exec h arp -d 10.0.0.9
echo "rc=$?"
ip netns exec h arp -d 10.0.0.9
echo "rc=$?"
ip netns exec h arp -d 10.0.0.88
echo "rc=$?"
ip netns exec h arp -s 10.9.0.9 02:00:00:00:09:09
echo "rc=$?"
ip netns exec h arp -s 10.0.0.8 foo
echo "rc=$?"
ip netns exec h arp -i eth0 -n
ip netns exec h arp -i nosuch -n
echo "rc=$?"
ip netns exec h arp -i eth0 -s 10.0.0.5 02:00:00:00:05:05 temp
ip netns exec h arp -i eth0 -Ds 10.0.0.6 eth0 pub
ip netns exec h arp -an | sort
ip -n h neigh show proxy
ping -q -c 1 -W 1 10.0.0.77 >/dev/null 2>&1
ip netns exec h ping -q -c 1 -W 1 10.0.0.77 >/dev/null
ip netns exec h arp -n 10.0.0.77
ip netns exec h cat /proc/net/arp | sort
