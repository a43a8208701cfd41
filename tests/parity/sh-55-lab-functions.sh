# A lab script in the usual style: functions, counters, computed addresses, a table in a here-document, checks with &&.
set -e
mac() { printf '02:00:00:00:%02x:%02x' "$1" "$2"; }
host() {
  ip netns add "$1"
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$1" link set lo up
}
wire() { # A B SUBNET
  n=$((n + 1))
  ip -n "$1" link add "to-$2" address "$(mac $n 1)" type veth peer name "to-$1" address "$(mac $n 2)" netns "$2"
  ip -n "$1" addr add "10.0.$3.1/24" dev "to-$2"
  ip -n "$2" addr add "10.0.$3.2/24" dev "to-$1"
  ip -n "$1" link set "to-$2" up
  ip -n "$2" link set "to-$1" up
}
n=0
hosts="r1 r2 r3"
for x in $hosts; do host $x; done
while read -r from to net; do
  [ -n "$from" ] || continue
  wire "$from" "$to" "$net"
done <<EOF
r1 r2 12

r2 r3 23
EOF
for x in r2; do ip netns exec $x sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'; done
ip -n r1 route add default via 10.0.12.2
ip -n r3 route add default via 10.0.23.1
sleep 2.5
ok=0 bad=0
check() {
  if ip netns exec "$1" ping -q -c 1 -W 1 "$2" >/dev/null; then ok=$((ok + 1)); echo "$1 -> $2 ok"; else bad=$((bad + 1)); echo "$1 -> $2 FAILED"; fi
}
check r1 10.0.23.2
check r3 10.0.12.1
check r1 10.0.23.77
echo "$ok ok, $bad bad"
ip -n r2 -br link | while read -r dev state mac rest; do echo "${dev%@*} $state $mac"; done
[ "$bad" -eq 0 ] && echo all good || echo "some failed"
ip -n r1 route show default | { read -r _ _ gw _; echo "gw=$gw"; }
lines=$(ip -n r2 route | wc -l)
test "$lines" -eq 2
exit $bad
