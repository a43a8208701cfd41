# A client that remembers a lease of another network; a client whose address is reserved; an empty pool.
d=$(pwd)
me=$(hostname)
ip netns add s; ip netns add c
ip link add s0 netns s type veth peer name eth0 netns c
ip -n s link set s0 name eth0
ip netns exec s sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip netns exec c sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip -n s link set eth0 address 02:00:00:00:00:01
ip -n c link set eth0 address 02:00:00:00:00:02
ip -n s addr add 10.0.0.1/24 dev eth0
ip -n s link set eth0 up
cat > c.leases <<END
lease {
  interface "eth0";
  fixed-address 192.168.1.185;
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 43200;
  option dhcp-server-identifier 192.168.1.1;
  renew 6 2036/11/21 22:44:42;
  rebind 0 2036/11/22 03:18:15;
  expire 0 2036/11/22 04:48:15;
}
END
echo 'timeout 5;' > c.conf
ip netns exec s dnsmasq --no-daemon --port=0 --user=root --conf-file=/dev/null --interface=eth0 --no-ping --dhcp-range=10.0.0.50,10.0.0.50,1h --dhcp-authoritative --dhcp-host=02:00:00:00:00:07,10.0.0.7 --dhcp-host=02:00:00:00:00:08,ignore --dhcp-leasefile=$d/s.leases 2> s.log &
ip netns exec s tcpdump -l -n -t -v -i eth0 'udp src port 67' > cap 2>/dev/null &
sleep 1
ip -n c addr add 192.168.1.185/24 dev eth0
ip netns exec c dhclient -v -1 -lf $d/c.leases -pf $d/c.pid eth0 2>&1 | sed -e 's/interval [0-9]*/interval N/' -e 's/in [0-9]* seconds/in N seconds/'
ip -n c addr show dev eth0 | grep inet
ip -n c route
for mac in 02:00:00:00:00:07 02:00:00:00:00:09 02:00:00:00:00:08; do
    kill $(cat c.pid); rm c.leases
    ip -n c addr flush dev eth0
    ip -n c link set eth0 address $mac
    echo "== $mac"
    ip netns exec c dhclient -q -1 -cf $d/c.conf -lf $d/c.leases -pf $d/c.pid eth0
    echo "status $?"
    ip -n c addr show dev eth0 | grep inet
done
sed "s/ $me\$/ HOST/" s.log | uniq
grep -v Hostname cap | sed -e 's/xid 0x[0-9a-f]*/xid X/' -e 's/secs [0-9]*, //' | head -34
