# netstat: sockets by protocol and state, numeric or by service, headings.
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
ip netns exec r nc -k -l 80 </dev/null &
ip netns exec r udp-echo -listen :53 &
sleep 0.5
sleep 4 | ip netns exec h nc -p 3333 10.0.0.2 80 &
sleep 0.5
for o in -t -tn -ua -uan -ta -tan -l -ln -a -tuln -w -n "--tcp --listening"; do
  echo "== $o"
  ip netns exec r netstat $o
done
ip netns exec r netstat
ip netns exec h netstat -tn
ip netns exec h netstat -tuln
sleep 4
ip netns exec h netstat -tan
