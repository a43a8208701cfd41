# ipset hash:ip: ranges, prefixes, netmask, bitmask, sizes; what it refuses.
ipset create a hash:ip
ipset list a
ipset add a 10.0.0.1
ipset add a 10.0.0.1
ipset -exist add a 10.0.0.1
ipset add a 10.1.0.0/30
ipset add a 10.2.0.9-10.2.0.11
ipset add a 10.2.0.11-10.2.0.9
ipset add a 10.3.0.5-10.3.0.3
ipset add a 0.0.0.0
ipset add a 10.4.0.0/0
ipset add a 10.4.0.0/33
ipset add a 10.4
ipset add a 010.0.0.7
ipset add a 10.0.0.256
ipset add a nobody
ipset add a 1.2.3.4.5
ipset list a -s
ipset test a 10.1.0.2
ipset test a 10.1.0.4
ipset test a 10.1.0.0/30
ipset test a 10.2.0.9-10.2.0.20
ipset -q test a 10.1.0.2
echo rc=$?
ipset -q test a 10.1.0.9
echo rc=$?
ipset del a 10.1.0.0/31
ipset del a 10.1.0.0/30
ipset -! del a 10.1.0.0/30
ipset del a 10.9.9.9
ipset -! del a 10.9.9.9
ipset list a -sorted
ipset create b hash:ip netmask 24
ipset add b 10.0.0.1
ipset add b 10.0.0.200
ipset add b 10.0.1.0-10.0.3.255
ipset test b 10.0.2.77
ipset save b -s
ipset create c hash:ip bitmask 255.255.0.255
ipset add c 10.1.2.3
ipset test c 10.1.77.3
ipset save c
ipset create d hash:ip netmask 24 bitmask 255.0.0.255
ipset create e hash:ip hashsize 1000 maxelem 3 bucketsize 5
ipset add e 10.0.0.1
ipset add e 10.0.0.2-10.0.0.9
ipset list e -s
ipset create f hash:ip hashsize 1 bucketsize 200 initval 0x5
ipset create g hash:ip bucketsize 1 initval 7
ipset create h iphash maxelem 0
ipset add h 10.0.0.1
ipset list -t f
ipset list -t g
ipset list -t h
ipset flush a
ipset list a
ipset flush nosuch
ipset destroy a
ipset destroy a
ipset -exist destroy a
ipset list a
ipset list -n
