# Lifetimes: forever and zero, JSON, source selection with a deprecated address, replace, secondaries of one that expires.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
sleep 2.5
ip -n h addr add 10.0.0.1/24 dev eth0 valid_lft 500 preferred_lft 0
ip -n h addr add 10.0.0.3/24 dev eth0
ip -n h addr add 10.1.0.1/24 dev eth0 valid_lft forever preferred_lft 0
ip -n h addr add 10.1.0.9/24 dev eth0 valid_lft forever preferred_lft 10
ip -n h addr add 10.4.0.1/24 dev eth0 valid_lft 900
echo "rc=$?"
ip -n h addr add 10.4.0.1/24 dev eth0 preferred_lft 900
echo "rc=$?"
ip -n h addr add 10.4.0.2/24 dev eth0 valid_lft 10 valid_lft 20
echo "rc=$?"
ip -n h addr add 10.4.0.2/24 dev eth0 preferred_lft -1
echo "rc=$?"
ip -n h addr show dev eth0 | sed 's/[0-9][0-9]*sec/Nsec/g'
ip -n h -br addr show dev eth0
ip -n h -j addr show dev eth0 | sed 's/"\(valid\|preferred\)_life_time":[1-9][0-9]\{2\},\?/N/g'
ip -n h route get 10.0.0.2 | head -n 1
ip -n h route get 10.1.0.2 | head -n 1
ip netns exec h ping -q -c 1 -W 1 10.0.0.2 | grep received
ip -n h addr show dev eth0 -deprecated | grep inet
ip -n h addr show dev eth0 -permanent | grep inet
ip -n h addr show dev eth0 secondary | grep inet
ip -n h addr replace 10.0.0.1/24 dev eth0 valid_lft 2 preferred_lft 1
ip -n h addr change 10.0.0.3/24 dev eth0 valid_lft 60 preferred_lft 1
ip -n h addr show dev eth0 dynamic | sed 's/[0-9][0-9]*sec/Nsec/g' | grep -A 1 inet
sleep 1.6
ip -n h addr show dev eth0 to 10.0.0.0/24 | grep inet
sleep 1.9
ip -n h addr show dev eth0 | grep inet
ip -n h route
ip -n h addr change 10.7.0.1/24 dev eth0 valid_lft 2 preferred_lft 2
ip -n h addr add 10.7.0.2/32 dev eth0 valid_lft 3 preferred_lft 3
ip -n h addr show dev eth0 dynamic | grep inet
sleep 4.7
ip -n h addr show dev eth0 dynamic | grep inet
ip -n h addr flush dev eth0
ip -n h addr add 10.8.0.1/24 dev eth0 valid_lft 1 preferred_lft 1
ip -n h neigh add 10.8.0.9 lladdr 02:00:00:00:00:09 dev eth0
sleep 2.8
ip -n h addr show dev eth0 | grep inet
ip -n h neigh
ip -n h route
