# rp_filter of all and of the device: the larger wins; a device without an address; src_valid_mark not needed.
for n in c r s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n r link add eth1 address 02:00:00:00:02:02 type veth peer name eth0 address 02:00:00:00:02:01 netns s
ip -n c addr add 10.0.1.2/24 dev eth0
ip -n r addr add 10.0.1.1/24 dev eth0
ip -n r addr add 10.0.2.1/24 dev eth1
ip -n s addr add 10.0.2.2/24 dev eth0
for n in c r s; do
  ip -n $n link set eth0 up
done
ip -n r link set eth1 up
ip -n c route add default via 10.0.1.1
ip -n s route add default via 10.0.2.1
ip -n s addr add 10.7.0.1/32 dev lo
ip -n r link add eth2 address 02:00:00:00:03:01 type veth peer name eth1 address 02:00:00:00:03:02 netns s
ip -n r addr add 10.0.3.1/24 dev eth2
ip -n s addr add 10.0.3.2/24 dev eth1
ip -n r link set eth2 up
ip -n s link set eth1 up
sleep 2.5
ip -n r route add 10.7.0.1 via 10.0.3.2
ip -n s route add 10.0.1.0/24 via 10.0.2.1
for all in 0 1 2; do
  for dev in 0 1 2; do
    ip netns exec r sysctl -qw net.ipv4.conf.all.rp_filter=$all net.ipv4.conf.eth1.rp_filter=$dev
    echo "all=$all eth1=$dev $(ip netns exec s ping -q -c 1 -W 0.5 -I 10.7.0.1 10.0.1.2 | grep -o '[0-9]* received')"
  done
done
ip -n r route del 10.7.0.1
ip netns exec r sysctl -qw net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.eth1.rp_filter=0
echo "no route, loose: $(ip netns exec s ping -q -c 1 -W 0.5 -I 10.7.0.1 10.0.1.2 | grep -o '[0-9]* received')"
ip -n r route add default via 10.0.1.2
echo "default elsewhere, loose: $(ip netns exec s ping -q -c 1 -W 0.5 -I 10.7.0.1 10.0.2.1 | grep -o '[0-9]* received')"
ip netns exec r sysctl -qw net.ipv4.conf.all.rp_filter=1
echo "default elsewhere, strict: $(ip netns exec s ping -q -c 1 -W 0.5 -I 10.7.0.1 10.0.1.2 | grep -o '[0-9]* received')"
