# The flannel udp shim: device details, MTU, carrier with a process, counters, no route for a subnet, too big packets.
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
ip netns exec h flannel-udp -tun flannel0 -addr 10.244.0.0/16 -listen 10.0.0.1:8285 -route 10.244.2.0/24=10.0.0.2 &
ip netns exec r flannel-udp -tun flannel0 -addr 10.244.2.0/16 -listen 10.0.0.2:8285 -route 10.244.0.0/24=10.0.0.1 &
sleep 1.5
ip -n h addr show flannel0
ip -n h route
ip -n h -d link show flannel0
ip netns exec h ping -c 1 -W 1 10.244.2.0
ip netns exec h ping -c 1 -W 1 10.244.9.1
echo "rc=$?"
ip netns exec h ping -c 1 -W 1 -M do -s 1445 10.244.2.0
echo "rc=$?"
ip netns exec h ping -q -c 1 -W 1 -s 1444 -M do 10.244.2.0 | grep received
ip netns exec h ping -q -c 1 -W 1 -s 3000 10.244.2.0 | grep received
ip netns exec h ping -c 1 -W 1 -t 1 10.244.2.0
ip netns exec h ping -c 1 -W 1 -t 2 10.244.2.0
ip -n h -s link show flannel0 | tail -n 4
ip -n r -s link show flannel0 | tail -n 4
ip -n r -s link show eth0 | tail -n 4 | head -n 2
ip netns exec h udp-probe 10.244.2.0:99
