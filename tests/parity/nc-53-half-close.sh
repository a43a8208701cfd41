# nc after the end of its input or of the peer's: without -N, with -N, with -q; a listener ends with its peer; FINs on the wire.
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
states() {
  for n in h r; do
    ip netns exec $n ss -H -tan | sed 's/10.0.0.1:[0-9]*/10.0.0.1:EPH/' | tr -s ' ' | sort
  done
}
echo "no option, input ends"
(sleep 3; echo late) | ip netns exec r nc -N -l 5000 >got1 &
sleep 0.5
echo one | ip netns exec h nc 10.0.0.2 5000 >back1 &
c=$!
sleep 1
states
wait $c
echo "rc=$?"
sleep 0.3
cat got1 back1
states
echo "-N"
(sleep 2; echo late) | ip netns exec r nc -N -l 5001 >got2 &
sleep 0.5
echo two | ip netns exec h nc -N 10.0.0.2 5001 >back2 &
c=$!
sleep 0.7
states
wait $c
echo "rc=$?"
sleep 0.5
cat got2 back2
echo "-q 1"
(sleep 4; echo late) | ip netns exec r nc -N -l 5002 >got3 &
sleep 0.5
echo three | ip netns exec h nc -q 1 10.0.0.2 5002 >back3 &
c=$!
sleep 0.5
states
wait $c
echo "rc=$?"
sleep 0.5
states
cat got3 back3
echo "-q 0"
(sleep 3; echo late) | ip netns exec r nc -N -l 5003 >got4 &
sleep 0.5
echo four | ip netns exec h nc -q 0 10.0.0.2 5003 >back4
echo "rc=$?"
sleep 0.5
cat got4 back4
echo "-d"
(echo hello; sleep 1) | ip netns exec r nc -N -l 5004 >got5 &
sleep 0.5
echo five | ip netns exec h nc -d 10.0.0.2 5004
echo "rc=$?"
sleep 0.5
cat got5
