# The server's process dies while the client still sends: FIN, then RST; socket states on both sides.
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
ip netns exec h tcpdump -l -n -t -i eth0 --immediate-mode tcp 2>/dev/null >cap.txt &
ip netns exec r nc -l 5000 >got.txt &
s=$!
sleep 0.7
(echo one; sleep 1.5; echo two; sleep 1; echo three; sleep 0.5) | ip netns exec h nc 10.0.0.2 5000 &
sleep 0.7
ip netns exec h ss -H -tan | sed 's/10.0.0.1:[0-9]*/10.0.0.1:EPH/' | tr -s ' '
ip netns exec r ss -H -tan | sed 's/10.0.0.1:[0-9]*/10.0.0.1:EPH/' | tr -s ' '
cat got.txt
kill -9 $s
sleep 0.3
ip netns exec h ss -H -tan | sed 's/10.0.0.1:[0-9]*/10.0.0.1:EPH/' | tr -s ' '
ip netns exec r ss -H -tan | sed 's/10.0.0.1:[0-9]*/10.0.0.1:EPH/' | tr -s ' '
sleep 3
grep -o '10.0.*Flags \[[^]]*\]\|length [0-9]*' cap.txt
ip netns exec r nc -l 5000 >got2.txt &
sleep 0.3
echo again | ip netns exec h nc -N 10.0.0.2 5000
echo "rc=$?"
