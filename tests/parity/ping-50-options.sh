# ping: -c -i -s -t -W -w -q -n -I and their output; exit codes.
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
ip netns exec h ping -c 2 -i 0.2 10.0.0.2
ip netns exec h ping -c 1 -s 8 10.0.0.2
ip netns exec h ping -c 1 -s 7 10.0.0.2 | head -n 2
ip netns exec h ping -c 1 -s 0 10.0.0.2 | head -n 2
ip netns exec h ping -c 1 -s 2000 10.0.0.2 | head -n 2
ip netns exec h ping -q -c 3 -i 0.2 10.0.0.2
ip netns exec h ping -n -c 1 -I eth0 10.0.0.2
ip netns exec h ping -n -c 1 -I 10.0.0.1 10.0.0.2
ip netns exec h ping -c 1 -I lo 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -I nosuch 10.0.0.2
echo "rc=$?"
ip netns exec h ping -c 1 -I 10.9.9.9 10.0.0.2
echo "rc=$?"
ip netns exec h ping -w 1 -i 0.4 -q 10.0.0.2 | head -n 4 | tail -n 1
ip netns exec h ping -c 2 -W 1 -i 0.3 10.0.0.99
echo "rc=$?"
ip netns exec h ping -c 1 -w 1 10.0.0.99
echo "rc=$?"
ip netns exec h ping -c 1 -l 3 10.0.0.2 | grep transmitted
ip netns exec h ping -c 3 -i 0.2 -a 10.0.0.2 | tr -d '\007' | head -n 3 | tail -n 1
ip netns exec h ping -c 1 -Q 0x10 -p ff00 10.0.0.2 | head -n 3
ip netns exec h ping -V
