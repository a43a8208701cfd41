# ip rule add/del: errors, exit codes, duplicates, default priorities.
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
ip -n h rule add
echo "rc=$?"
ip -n h rule add from 10.0.0.0/24
echo "rc=$?"
ip -n h rule add from 10.0.0.0/33 table 5
echo "rc=$?"
ip -n h rule add from foo table 5
echo "rc=$?"
ip -n h rule add from 10.0.0.1 table nosuch
echo "rc=$?"
ip -n h rule add from 10.0.0.1 table 5
ip -n h rule add from 10.0.0.1 table 5
echo "rc=$?"
ip -n h rule add from 10.0.0.1 table 5 pref 32765
echo "rc=$?"
ip -n h rule add from 10.0.0.1 table 5 pref abc
echo "rc=$?"
ip -n h rule add from 10.0.0.2 table 6 fwmark zz
echo "rc=$?"
ip -n h rule add from 10.0.0.2 table 6 bar
echo "rc=$?"
ip -n h rule add from 10.0.0.2 goto 10 pref 20
echo "rc=$?"
ip -n h rule
ip -n h rule del from 10.0.0.77
echo "rc=$?"
ip -n h rule del pref 9
echo "rc=$?"
ip -n h rule del
echo "rc=$?"
ip -n h rule del from 10.0.0.1
echo "rc=$?"
ip -n h rule del table 5
echo "rc=$?"
ip -n h rule del pref 0
echo "rc=$?"
ip -n h rule foo
echo "rc=$?"
ip -n h rule add sport 0 table 5
echo "rc=$?"
ip -n h rule
