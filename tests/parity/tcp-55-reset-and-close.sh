# RST after a killed server, to a closed port, half close; flags on the wire without counts of pure ACKs.
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
ip netns exec h tcpdump -l -n -t -i eth0 --immediate-mode 'tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0' 2>/dev/null >cap.txt &
ip netns exec r nc -l 5000 >got.txt &
s=$!
sleep 0.7
sleep 2 | ip netns exec h nc 10.0.0.2 5000 &
sleep 0.5
ip netns exec r ss -H -tan state established | wc -l
kill $s
sleep 2
echo == server killed
grep -o '10.0.*Flags \[[^]]*\]' cap.txt
ip netns exec r nc -l 5001 >got2.txt &
sleep 0.3
echo data | ip netns exec h nc -N 10.0.0.2 5001
sleep 0.3
echo == half close
tail -n +5 cap.txt | grep -o '10.0.*Flags \[[^]]*\]'
cat got2.txt
ip netns exec h ss -H -tan | grep -c TIME-WAIT
ip netns exec r ss -H -tan | grep -c TIME-WAIT
