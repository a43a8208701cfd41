# Addresses with lifetimes: deprecated, expiry, source selection, forever.
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
ip -n h addr add 10.1.0.1/24 dev eth0 valid_lft 100 preferred_lft 0
ip -n h addr add 10.2.0.1/24 dev eth0 valid_lft 3 preferred_lft 3
ip -n h addr show eth0 | sed 's/[0-9][0-9]*sec/Nsec/g'
ip -n h addr show eth0 deprecated | grep inet
ip -n h addr show eth0 dynamic | grep inet
ip -n h addr show eth0 permanent | grep inet
ip -n h route
sleep 4.5
ip -n h addr show eth0 | grep inet
ip -n h route
ip -n h addr change 10.1.0.1/24 dev eth0 valid_lft forever preferred_lft forever
ip -n h addr show eth0 | tail -n 2
ip -n h addr add 10.3.0.1/24 dev eth0 valid_lft 5 preferred_lft 10
echo "rc=$?"
ip -n h addr add 10.3.0.1/24 dev eth0 valid_lft abc
echo "rc=$?"
ip -n h addr add 10.3.0.1/24 dev eth0 valid_lft 0
echo "rc=$?"
