# Two hosts with tagged subinterfaces over one veth: separation by tag, tagged frames on the wire, counters.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
for n in h r; do
  ip -n $n link set eth0 up
  for v in 10 20; do
    ip -n $n link add link eth0 name eth0.$v type vlan id $v
    ip -n $n link set eth0.$v up
  done
done
ip -n h addr add 10.0.10.1/24 dev eth0.10
ip -n r addr add 10.0.10.2/24 dev eth0.10
ip -n h addr add 10.0.20.1/24 dev eth0.20
ip -n r addr add 10.0.20.2/24 dev eth0.20
sleep 2.5
ip netns exec r tcpdump -l -n -t -e -i eth0 --immediate-mode 2>/dev/null >cap.txt &
ip netns exec r tcpdump -l -n -t -e -i eth0.10 --immediate-mode 2>/dev/null >cap10.txt &
sleep 1
ip netns exec h ping -c 1 10.0.10.2
ip netns exec h ping -q -c 1 10.0.20.2 | grep received
sleep 0.5
cat cap.txt
cat cap10.txt
ip -n r -s link show eth0 | tail -n 4
ip -n r -s link show eth0.10 | tail -n 4
ip -n r addr flush dev eth0.20
ip -n r addr add 10.0.10.2/24 dev eth0.20
ip -n r addr flush dev eth0.10
ip -n h neigh flush all
ip netns exec h ping -q -c 1 -W 1 10.0.10.2 | grep received
ip -n h route
ip -n h -br addr
