# iproute2's abbreviations of objects, commands and options.
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
ip -n h a
ip -n h a s eth0
ip -n h -4 a sh dev lo
ip -n h l
ip -n h l l eth0
ip -n h lin sho eth0
ip -n h r
ip -n h r a 10.2.0.0/16 v 10.0.0.2
ip -n h ro l
ip -n h route ls 10.2.0.0/16
ip -n h r d 10.2.0.0/16
ip -n h r g 10.0.0.2
ip -n h ru
ip -n h n a 10.0.0.9 ll 02:00:00:00:09:09 d eth0
ip -n h n
ip -n h neighbour show
ip -n h neighbor del 10.0.0.9 dev eth0
ip net | sort
ip -n h a a 10.3.0.1/24 d eth0
ip -n h a d 10.3.0.1/24 dev eth0
ip -n h l s eth0 mtu 1400
ip -n h -o l s eth0
ip -n h -oneline link show lo
ip -n h -brief addr
ip -n h -stats link show lo | tail -n 1
ip -n h -family inet addr show lo
ip -n h -f inet -o a s lo
ip -n h -details link show lo | wc -l
ip -n h -6 route
ip -n h -color=never -br link
ip -n h -c=never route
ip -n h -j -p r
ip -V
