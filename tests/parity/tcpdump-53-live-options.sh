# tcpdump live: -c, -i any, -D no, -Q in/out, an unknown device, a down device, statistics lines on stderr.
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
ip netns exec h tcpdump -n -t -c 2 -i eth0 --immediate-mode icmp >out.txt 2>err.txt &
sleep 0.7
ip netns exec h ping -q -c 2 -i 0.2 10.0.0.2 | grep received
sleep 0.3
cat out.txt err.txt
ip netns exec h tcpdump -l -n -t -i any --immediate-mode icmp >any.txt 2>err2.txt &
ip netns exec h tcpdump -l -n -t -i eth0 -Q in --immediate-mode icmp >in.txt 2>/dev/null &
ip netns exec h tcpdump -l -n -t -i eth0 -Q out --immediate-mode icmp >out2.txt 2>/dev/null &
ip netns exec h tcpdump -l -n -t -i lo --immediate-mode icmp >lo.txt 2>/dev/null &
ip netns exec r tcpdump -l -n -t -p -i eth0 --immediate-mode icmp >r.txt 2>/dev/null &
sleep 0.7
ip netns exec h ping -q -c 1 10.0.0.2 | grep received
ip netns exec h ping -q -c 1 10.0.0.1 | grep received
sleep 0.5
cat any.txt err2.txt
echo ==
cat in.txt out2.txt
echo ==
cat lo.txt r.txt
ip netns exec h tcpdump -n -i nosuch
echo "rc=$?"
ip -n h link set eth0 down
ip netns exec h tcpdump -n -i eth0 -c 1
echo "rc=$?"
