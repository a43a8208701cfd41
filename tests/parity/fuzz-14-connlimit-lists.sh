# connlimit keeps a list of tuples: what it adds, finds, leaves out, looks through; NOTRACK.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:02:01 netns r
ip -n s link add eth0 address 02:00:00:00:03:01 type veth peer name eth1 address 02:00:00:00:02:02 netns r
ip -n c addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n s addr add 10.0.2.2/24 dev eth0
for n in c s; do ip -n $n link set eth0 up; done
for d in eth0 eth1; do ip -n r link set $d up; done
ip -n c route add default via 10.0.1.1
ip -n s route add default via 10.0.2.1
ip netns exec s udp-echo -listen :53 -text s &
ip netns exec s http-echo -listen :80 -text s &
ip netns exec s iptables -A INPUT -p udp --dport 9 -j DROP
sleep 2.5
R="ip netns exec r"
C="ip netns exec c"
count() {
  echo "$1: $($R iptables -nvxL FORWARD | grep -c conn) $($R iptables -nvxL FORWARD | grep conn | sed 's/^ *\([0-9]*\) .*/\1/')"
}
drop() { $C udp-probe -timeout 0.1 -bind :$1 10.0.2.2:9; }
dns() { $C udp-probe -timeout 0.3 -bind :$1 10.0.2.2:53; }
$R iptables -A FORWARD -m conntrack --ctstate INVALID
echo "== older than the rule, not assured"
drop 5000
$R iptables -I FORWARD -p udp -m connlimit --connlimit-above 1 --connlimit-mask 0
drop 5001
count "one"
drop 5000
count "two, the older one"
echo "== request and answer in one tick"
$R iptables -D FORWARD 1
$R conntrack -F 2>/dev/null
$R iptables -I FORWARD -p udp -m connlimit --connlimit-above 1 --connlimit-mask 0
dns 5002
dns 5002
count "one"
dns 5003
count "two"
echo "== older than the rule, assured: it isn't added, and a list that becomes empty drops its packets"
$R iptables -D FORWARD 1
$R conntrack -F 2>/dev/null
( sleep 0.6; printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1 ) | $C nc -p 6000 10.0.2.2 80 >one.txt &
( sleep 0.9; printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1 ) | $C nc -p 6001 10.0.2.2 80 >two.txt &
sleep 0.3
$R iptables -I FORWARD -p tcp -s 10.0.1.2 -m connlimit --connlimit-above 1 --connlimit-mask 0
$C nping --tcp --flags syn -g 6002 -p 9 -c 1 10.0.2.2 >/dev/null 2>&1 &
sleep 0.2
$R conntrack -L -p tcp 2>/dev/null | sort
$R iptables -nvxL FORWARD | grep conn
sleep 1.5
cat one.txt two.txt
$R iptables -nvxL FORWARD | grep conn
echo "== untracked"
$R iptables -D FORWARD 1
$R conntrack -F 2>/dev/null
$R iptables -I FORWARD -p udp -s 10.0.1.2 -m connlimit --connlimit-above 1 --connlimit-mask 0
$R iptables -t raw -A PREROUTING -p udp -j NOTRACK
dns 5010
sleep 0.1
dns 5011
count "untracked"
