# ip link set: promisc, arp, multicast, allmulticast, txqueuelen, alias, group, carrier.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
ip link set v0 promisc on
ip link set v0 arp off
ip -o link show v0 | cut -c 1-100
ip link set v0 multicast off
ip link set v0 allmulticast on
ip link show v0
ip link set v0 promisc off allmulticast off arp on multicast on
ip link set dev v0 txqueuelen 77
ip link set dev v0 alias "to the peer"
ip link show v0
ip link set dev v0 group 5
ip link show group 5
ip link show group default | head -n 1
ip link set dev v0 alias ""
ip link set group 5 up
ip -br link
ip link set dev v0 carrier off
echo "rc=$?"
ip link set dev v0 arp maybe
echo "rc=$?"
ip link set dev v0 promisc 1
echo "rc=$?"
ip link set dev v0 group nosuch
echo "rc=$?"
ip link set dev v0 txqueuelen -1
echo "rc=$?"
