# Neighbour parameters per device and default; bridge sysfs attributes; bridge-nf sysctls.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
sysctl net.ipv4.neigh.p1.gc_stale_time net.ipv4.neigh.default.gc_stale_time net.ipv4.neigh.p1.unres_qlen net.ipv4.neigh.p1.mcast_solicit
sysctl -w net.ipv4.neigh.default.mcast_solicit=1
ip link add v0 type veth peer name v1
sysctl net.ipv4.neigh.v0.mcast_solicit net.ipv4.neigh.p1.mcast_solicit
cat /sys/class/net/br0/bridge/ageing_time /sys/class/net/br0/bridge/stp_state /sys/class/net/br0/bridge/bridge_id /sys/class/net/br0/bridge/multicast_snooping /sys/class/net/br0/bridge/vlan_filtering
echo 1 > /sys/class/net/p1/brport/hairpin_mode
cat /sys/class/net/p1/brport/hairpin_mode /sys/class/net/p1/brport/state /sys/class/net/p1/brport/path_cost /sys/class/net/p1/brport/isolated
bridge -d link show dev p1 | grep -o 'hairpin [a-z]*'
ls /sys/class/net/br0/brif
echo 500 > /sys/class/net/br0/bridge/ageing_time
ip -d link show br0 | grep -o 'ageing_time [0-9]*'
sysctl net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-arptables net.bridge.bridge-nf-filter-vlan-tagged
sysctl -w net.bridge.bridge-nf-call-iptables=0
cat /proc/sys/net/bridge/bridge-nf-call-iptables
ip netns exec h1 cat /proc/sys/net/bridge/bridge-nf-call-iptables
