# Nobody answers.
d=$(pwd)
ip netns add c
ip link add s0 type veth peer name eth0 netns c
ip netns exec c sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip -n c link set eth0 address 02:00:00:00:00:02
ip link set s0 up
echo 'timeout 5;' > c.conf
ip netns exec c dhclient -v -1 -cf $d/c.conf -lf $d/c.leases -pf $d/c.pid eth0 2>&1 | sed 's/interval [0-9]*/interval N/' | uniq
ip netns exec c dhclient -1 -cf $d/c.conf -lf $d/c.leases -pf $d/c.pid eth0
echo "status $?"
ip netns exec c dhclient -v -cf $d/c.conf -lf $d/c.leases -pf $d/c.pid eth0 2>&1 | sed 's/interval [0-9]*/interval N/' | uniq
sleep 1
ip netns exec c dhclient -r -lf $d/c.leases -pf $d/c.pid eth0
echo "status $?"
ip -n c -br link show dev eth0
ip netns exec c dhclient nosuch0
ip netns exec c dhclient --version
