# A lease from nothing, and back: DISCOVER, OFFER, REQUEST, ACK, RELEASE.
d=$(pwd)
me=$(hostname)
ip netns add s; ip netns add c
ip link add s0 netns s type veth peer name eth0 netns c
ip -n s link set s0 name eth0
ip netns exec s sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip netns exec c sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip -n s link set eth0 address 02:00:00:00:00:01
ip -n c link set eth0 address 02:00:00:00:00:02
ip -n s addr add 192.168.1.1/24 dev eth0
ip -n s link set eth0 up
ip netns exec s dnsmasq --no-daemon --port=0 --user=root --conf-file=/dev/null --interface=eth0 --dhcp-range=192.168.1.100,192.168.1.200,255.255.255.0,12h --dhcp-option=3,192.168.1.1 --dhcp-authoritative --dhcp-leasefile=$d/s.leases 2> s.log &
ip netns exec s tcpdump -l -n -t -v -i eth0 'arp or udp port 67' > cap 2>/dev/null &
sleep 1
ip netns exec c dhclient -v -1 -lf $d/c.leases -pf $d/c.pid eth0 2>&1 | sed -e 's/interval [0-9]*/interval N/' -e 's/in [0-9]* seconds/in N seconds/'
ip -n c addr show dev eth0 | grep inet
ip -n c route
sed -e "s/\"$me\"/\"HOST\"/" -e 's/re[a-z]* [0-6] 2.*/T/' c.leases
cut -d ' ' -f 2-3 s.leases
ip netns exec c dhclient -v -r -lf $d/c.leases -pf $d/c.pid eth0
sleep 1
ip -n c addr show dev eth0 | grep inet
ip -n c route
cat s.leases
sed "s/ $me\$/ HOST/" s.log
grep -v 'ARP\|Hostname' cap | sed -e 's/xid 0x[0-9a-f]*/xid X/' -e 's/secs [0-9]*, //'
