# Rules at work: suppress_prefixlength, goto, not, unreachable, fwmark mask, throw falls through.
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
ip -n h route add default via 10.0.0.2
ip -n h route add default via 10.0.0.3 table 51
ip -n h route add 10.7.0.0/16 via 10.0.0.4
ip -n h rule add pref 50 table main suppress_prefixlength 0
ip -n h rule add pref 51 not fwmark 0xca6c table 51
ip -n h route get 8.8.8.8
ip -n h route get 8.8.8.8 mark 0xca6c
ip -n h route get 10.7.0.1
ip -n h route add throw 9.0.0.0/8 table 51
ip -n h route get 9.9.9.9
ip -n h rule add pref 10 to 10.7.0.0/16 goto 40
ip -n h rule add pref 20 unreachable
ip -n h rule add pref 40 nop
ip -n h route get 10.7.0.1
ip -n h route get 8.8.8.8
echo "rc=$?"
ip -n h rule del pref 20
ip -n h rule add pref 20 prohibit
ip -n h route get 8.8.8.8
echo "rc=$?"
ip -n h rule replace pref 20 blackhole
echo "rc=$?"
ip -n h rule del pref 20
ip -n h rule add pref 20 blackhole
ip -n h route get 8.8.8.8
echo "rc=$?"
ip -n h rule del pref 20
ip -n h rule add pref 30 to 10.7.0.0/16 fwmark 2/6 table 51
ip -n h route get 10.7.0.1 mark 3
ip -n h route get 10.7.0.1 mark 6
ip -n h rule
