# A dummy device as a bridge port and as the parent of a route; multicast and flags; ip link show type dummy.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link add d0 address 02:00:00:00:0d:01 type dummy
ip link set br0 up
sleep 1
ip -br link
ip link set d0 master br0
ip link set d0 up
sleep 1
ip -br link
ip link show type dummy
bridge link
ip addr add 10.1.0.1/24 dev br0
ping -q -c 1 -W 0.5 10.1.0.9 | grep received
ip -s link show d0 | tail -n 2
ip -d link show d0 | grep -o 'dummy.*' | head -n 1 | cut -c 1-20
ip link set d0 carrier off
echo "rc=$?"
sleep 1
ip -br link
ip link set d0 carrier on
sleep 1
ip -br link
