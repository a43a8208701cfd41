# ip rule, route and addr save, restore and showdump: sizes, contents, errors, what comes back.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip netns add h
ip netns exec h sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip -n h link set lo up
ip -n h link add a0 type veth peer name a1
ip -n h link set a0 up
ip -n h link set a1 up
sleep 2.2
ip -n h addr add 10.0.0.1/24 brd + dev a0
ip -n h addr add 10.0.0.5/24 dev a0
ip -n h addr add 10.0.1.1 peer 10.0.1.2 dev a0 label a0:x metric 7 valid_lft 600 preferred_lft 0
ip -n h rule add pref 61 ipproto tcp dport 80-90 sport 5 fwmark 5/7 iif a0 from 10.0.0.0/8 to 9.0.0.0/9 tos 0x10 table 300
ip -n h rule add pref 62 not goto 61000
ip -n h rule add pref 63 prohibit uidrange 0-10 oif nosuch
ip -n h rule add pref 64 to 1.2.3.4 lookup 5 suppress_prefixlength 3
ip -n h rule add pref 65 fwmark 9 ipproto udp dport 53 blackhole
ip -n h route add 10.9.0.0/16 via 10.0.0.2 metric 5 src 10.0.0.1 mtu lock 1400 advmss 800 window 7 proto static
ip -n h route add 10.8.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.77.0.3 dev a0 onlink
ip -n h route add blackhole 10.7.0.0/16 table 500
ip -n h nexthop add id 3 via 10.0.0.7 dev a0
ip -n h route add 10.6.0.0/16 nhid 3
d=/tmp/save.$$
mkdir $d
ip -n h rule save > $d/rule
ip -n h route save > $d/main
ip -n h route save table all > $d/all
ip -n h route save 10.0.0.0/8 via 10.0.0.2 > $d/some
ip -n h addr save > $d/addr
ip -n h addr save dev a0 > $d/dev
wc -c < $d/rule
wc -c < $d/main
wc -c < $d/all
wc -c < $d/some
wc -c < $d/addr
wc -c < $d/dev
t() {
  f=$1
  shift
  echo "\$ $* < $f"
  ip -n h "$@" < $d/$f 2>&1 | sed 's/[0-9][0-9]*sec/Nsec/g'
}
t main route showdump
t all route showdump
t main -j route showdump
t addr addr showdump
t addr -o addr showdump
t addr route showdump
t main rule restore
t main addr restore
t rule route restore
t rule rule save x
printf abc > $d/abc
printf '' > $d/empty
t abc rule restore
t empty addr showdump
t addr addr restore
t main route restore
ip -n h nexthop flush
ip -n h route flush table main
ip -n h route flush table 500
ip -n h rule flush
t some route restore
ip -n h route
ip -n h addr flush dev a0
t addr addr restore
t all route restore
ip -n h addr show dev a0 | grep inet
ip -n h route show table all
t rule rule restore
ip -n h rule
ip -n h addr save dev nosuch
echo "rc=$?"
rm $d/rule $d/main $d/all $d/some $d/addr $d/dev $d/abc $d/empty
rmdir $d
