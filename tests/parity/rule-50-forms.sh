# ip rule: selectors and actions as listed, with explicit priorities.
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
ip -n h rule add pref 100 from 10.0.0.0/24 lookup 100
ip -n h rule add pref 101 to 10.9.0.0/16 table 101
ip -n h rule add pref 102 iif eth0 lookup 102
ip -n h rule add pref 103 oif eth0 lookup 103
ip -n h rule add pref 104 fwmark 0x10/0xf0 lookup 104
ip -n h rule add pref 105 fwmark 7 lookup 105
ip -n h rule add pref 106 not fwmark 8 lookup 106
ip -n h rule add pref 107 lookup main suppress_prefixlength 0
ip -n h rule add pref 108 from all goto 200
ip -n h rule add pref 109 iif lo blackhole
ip -n h rule add pref 110 from 10.5.0.1 unreachable
ip -n h rule add pref 111 from 10.5.0.2 prohibit
ip -n h rule add pref 112 tos 0x10 lookup 112
ip -n h rule add pref 113 ipproto tcp dport 80 lookup 113
ip -n h rule add pref 114 ipproto udp sport 1000-2000 lookup 114
ip -n h rule add pref 115 uidrange 0-99 lookup 115
ip -n h rule add pref 116 iif nosuch lookup 116
ip -n h rule add pref 200 nop
ip -n h rule
ip -n h -j rule show pref 104
ip -n h -j rule show pref 113
ip -n h -j -p rule show pref 0
ip -n h rule show from 10.0.0.0/24
ip -n h rule show table 102
ip -n h rule show iif eth0
ip -n h rule show fwmark 7
ip -n h rule del pref 200
ip -n h rule show pref 108
ip -n h rule del pref 116
ip -n h rule show pref 116
