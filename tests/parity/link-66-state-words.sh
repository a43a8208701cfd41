# Every state a device shows: DOWN, NO-CARRIER, LOWERLAYERDOWN, UP, UNKNOWN, M-DOWN, in plain, brief and JSON forms.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in c; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link add w0 address 02:00:00:00:02:01 type veth peer name w1 address 02:00:00:00:02:02 netns c
ip link add br0 address 02:00:00:00:00:b0 type bridge
ip link add vx0 address 02:00:00:00:09:01 type vxlan id 5 dstport 4789
ip tuntap add t0 mode tun
show() {
  sleep 1.2
  echo "== $1"
  ip -br link | tr -s ' ' | cut -d ' ' -f 1,2,4
}
show created
for d in v0 w0 br0 vx0 t0; do
  ip link set $d up
done
show 'one end up'
ip -j link show v0 | grep -o '"operstate":"[A-Z]*"'
ip -j link show w0 | grep -o '"operstate":"[A-Z]*"\|"flags":\[[^]]*\]'
ip link set v1 up
ip -n c link set w1 up
show 'both ends up'
ip link set v0 down
ip -n c link set w1 down
show 'one end down'
ip link set v1 master br0
show 'a port without carrier'
ip link set v0 up
show 'carrier again'
ip -o link show up | cut -d : -f 2
