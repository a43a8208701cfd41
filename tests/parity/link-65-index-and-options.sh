# ip link add with index, numtxqueues, several options; next free index; set of two things at once; down with routes.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 index 20 address 02:00:00:00:01:01 type veth peer name v1 index 30 address 02:00:00:00:01:02
ip link add br0 type bridge
ip -br link | cut -c 1-31
ip link add br1 index 20 type bridge
echo "rc=$?"
ip link add br1 index 5 address 02:00:00:00:00:b1 mtu 1400 txqueuelen 10 up type bridge
echo "rc=$?"
ip -o link show br1
ip link add br2 type bridge
ip -o link show br2 | cut -d : -f 1,2
ip link del br2
ip link add br3 type bridge
ip -o link show br3 | cut -d : -f 1,2
ip link set v0 up mtu 1300 address 02:00:00:00:0a:01 txqueuelen 5
ip -o link show v0
ip link set v0 mtu 60 address 02:00:00:00:0a:02
echo "rc=$?"
ip -o link show v0
ip link set v0 address 02:00:00:00:0a:03 mtu 60
echo "rc=$?"
ip -o link show v0
ip link set v0 master br1 down
ip -o link show v0
ip link add v5 up type veth peer name v6
ip -br link show v5 | cut -c 1-31
ip link add v7 type veth
ip -br link show type veth | cut -c 1-31
