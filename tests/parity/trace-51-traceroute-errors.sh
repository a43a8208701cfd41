# traceroute: option errors, unreachable network, bad names, exit codes; names from /etc/hosts.
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
ip netns exec h traceroute -n 10.9.0.1
echo "rc=$?"
ip netns exec h traceroute -m 0 10.0.0.2
echo "rc=$?"
ip netns exec h traceroute -m 256 10.0.0.2
echo "rc=$?"
ip netns exec h traceroute -q 11 10.0.0.2
echo "rc=$?"
ip netns exec h traceroute -f 31 10.0.0.2
echo "rc=$?"
ip netns exec h traceroute -n -q 1 -s 10.0.0.77 10.0.0.2
echo "rc=$?"
ip netns exec h traceroute -n -q 1 -i nosuch 10.0.0.2
echo "rc=$?"
ip netns exec h traceroute -n -q 1 -i eth0 10.0.0.2
ip netns exec h traceroute -n -q 1 127.0.0.1
ip netns exec h traceroute -n -q 1 -M tcp -p 22 10.0.0.2
ip netns exec h traceroute -n -q 1 -F 10.0.0.2 1500
ip netns exec h traceroute -n -q 1 -F 10.0.0.2 1501
echo "rc=$?"
ip netns exec h traceroute -n -q 1 -w 0.5 -m 1 10.0.0.2 20
echo "rc=$?"
ip netns exec h traceroute -n -N 1 -q 2 10.0.0.2
