# A bridge without an explicit MAC takes the lowest port MAC; setting one pins it; no ports: a random one stays.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 type bridge mcast_snooping 0
for i in 5 3 7; do
  ip link add p$i address 02:00:00:00:0$i:01 type veth peer name q$i address 02:00:00:00:0$i:02
done
ip link set p5 master br0
ip -br link show br0
ip link set p7 master br0
ip -br link show br0
ip link set p3 master br0
ip -br link show br0
ip link set p3 address 02:00:00:00:09:01
ip -br link show br0
ip link set p5 nomaster
ip -br link show br0
ip link set p7 nomaster
ip -br link show br0
ip link set p3 nomaster
ip -br link show br0 | cut -c 1-31
ip link set p7 master br0
ip -br link show br0
ip link set br0 address 02:00:00:00:00:b0
ip link set p5 master br0
ip -br link show br0
ip link set p7 nomaster
ip link set p5 nomaster
ip -br link show br0
ip link set br0 address 02:00:00:00:05:01
ip link set p5 master br0
echo "rc=$?"
bridge fdb show br br0 | grep 05:01
