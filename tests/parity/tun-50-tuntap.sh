# ip tuntap add, show, del: forms, errors; a tun device without a process has no carrier.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip tuntap add t0 mode tun
ip tuntap add dev t1 mode tap
ip tuntap add t0 mode tun
echo "rc=$?"
ip tuntap add t2
echo "rc=$?"
ip tuntap add t2 mode foo
echo "rc=$?"
ip tuntap add mode tun
echo "rc=$?"
ip tuntap show | sort
ip tuntap | sort
ip link set t1 address 02:00:00:00:01:01
ip -d link show t0
ip link show t1
ip addr add 10.9.0.1/24 dev t0
ip link set t0 up
ip addr show t0
ip route
ping -q -c 1 -W 1 10.9.0.2 | grep received
ping -q -c 1 -W 1 10.9.0.1 | grep received
ip -s link show t0 | tail -n 2
ip tuntap del t0 mode tap
echo "rc=$?"
ip tuntap del t0 mode tun
ip tuntap del t0 mode tun
echo "rc=$?"
ip link del t1
ip -br link
ip tuntap
