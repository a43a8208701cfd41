# ifconfig: show, one device, up, down, address, netmask, mtu, aliases, errors.
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
ip netns exec h ifconfig
ip netns exec h ifconfig eth0 10.1.0.1
ip -n h -o addr show eth0
ip netns exec h ifconfig eth0 10.1.0.1 netmask 255.255.0.0 broadcast 10.1.255.255
ip -n h -o addr show eth0
ip netns exec h ifconfig eth0:1 10.2.0.1/24
ip -n h -o addr show eth0
ip netns exec h ifconfig eth0:1
ip netns exec h ifconfig eth0 mtu 1400
ip netns exec h ifconfig eth0 | head -n 2
ip netns exec h ifconfig eth0 down
ip netns exec h ifconfig
ip netns exec h ifconfig -a | grep flags
ip netns exec h ifconfig eth0 up
sleep 1.2
ip -n h route
ip netns exec h ifconfig nosuch
echo "rc=$?"
ip netns exec h ifconfig eth0 10.0.0.256
echo "rc=$?"
ip netns exec h ifconfig eth0:1 down
ip netns exec h ifconfig eth0 0.0.0.0
ip netns exec h ifconfig eth0 hw ether 02:00:00:00:0a:0a
ip netns exec h ifconfig eth0 promisc
ip netns exec h ifconfig -s | tr -s ' ' | cut -d ' ' -f 1,2
ip netns exec h ifconfig eth0
