# The same exchange by busybox: a lease, more time for it, a release, and nobody there.
d=$(pwd)
ip netns add s; ip netns add c
ip link add s0 netns s type veth peer name eth0 netns c
ip -n s link set s0 name eth0
ip netns exec s sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip netns exec c sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip -n s link set eth0 address 02:00:00:00:00:01
ip -n c link set eth0 address 02:00:00:00:00:02
ip -n s addr add 192.168.1.1/24 dev eth0
ip -n s link set eth0 up
mkdir -p /etc/netns/c
touch /etc/netns/c/resolv.conf
ip netns exec s dnsmasq --no-daemon --port=0 --user=root --conf-file=/dev/null --interface=eth0 --no-ping --dhcp-range=192.168.1.100,192.168.1.200,2m --dhcp-authoritative --dhcp-leasefile=$d/s.leases 2> s.log &
server=$!
ip netns exec s tcpdump -l -n -t -v -i eth0 'udp port 67' > cap 2>/dev/null &
sleep 1
ip netns exec c udhcpc -f -R -i eth0 > c.log 2>&1 &
pid=$!
sleep 1
ip -n c addr show dev eth0 | grep inet
ip -n c route
cut -d ' ' -f 2- s.leases
kill -USR1 $pid
sleep 1
kill -TERM $pid
sleep 1
cat c.log
ip -n c addr show dev eth0 | grep inet
ip netns exec c udhcpc -n -q -t 2 -i eth0 -r 192.168.1.150
ip -n c addr show dev eth0 | grep inet
kill $server
sleep 0.5
ip netns exec c udhcpc -n -t 2 -T 1 -i eth0
echo "status $?"
ip netns exec c udhcpc -n -i nosuch0
echo "status $?"
cat s.log
sed -e 's/xid 0x[0-9a-f]*/xid X/' -e 's/secs [0-9]*, //' -e 's/\(R[NB] .*\): [0-9]*/\1: T/' cap
rm -r /etc/netns/c
