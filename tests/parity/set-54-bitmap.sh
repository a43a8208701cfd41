# ipset bitmap:port and bitmap:ip: ranges, sizes, what they refuse; counters outlive their element.
ipset create p bitmap:port range 0-1023
ipset add p 80
ipset add p 80
ipset add p udp:domain
ipset add p 100-103
ipset add p 202-200
ipset add p 1020-1030
ipset add p 2000
ipset add p 1-2,3
ipset list p
ipset test p 101
ipset test p udp:101
ipset test p 104
ipset test p 5000
ipset test p 1-2
ipset del p 100-102
ipset del p 100
ipset save p
ipset flush p
ipset list p
ipset create q portmap from 10 to 5
ipset save q
ipset create r bitmap:port range 5
ipset create r bitmap:port
ipset create r bitmap:port range 1-70000
ipset create r bitmap:port range tcp:ssh-http
ipset save r
ipset create s bitmap:port range 0-65535 counters comment
ipset add s 5 packets 7 bytes 8 comment "five"
ipset del s 5
ipset add s 5
ipset list s
ipset create a bitmap:ip range 10.0.0.0/24
ipset add a 10.0.0.5
ipset add a 10.0.0.8/30
ipset add a 10.0.0.250-10.0.1.3
ipset add a 10.0.1.0
ipset add a 10.0.0.20-10.0.0.18
ipset list a
ipset test a 10.0.0.9
ipset test a 10.0.0.12
ipset test a 10.1.0.0
ipset test a 10.0.0.8/30
ipset del a 10.0.0.8/30
ipset save a
ipset create b bitmap:ip range 10.0.0.0/16 netmask 24
ipset add b 10.0.7.9
ipset add b 10.0.8.0-10.0.9.255
ipset list b
ipset create c bitmap:ip range 10.0.0.0/8
ipset create c bitmap:ip range 10.0.0.0/8 netmask 24
ipset list -t c
ipset create d bitmap:ip range 10.0.0.1
ipset create d bitmap:ip
ipset create d bitmap:ip range 10.0.0.1/32
ipset create d bitmap:ip range 10.0.0.5-10.0.0.1
ipset list d
ipset create e ipmap from 10.0.0.1 to 10.0.0.9
ipset create g ipmap network 10.0.0.0/28
ipset create h bitmap:ip range 10.0.0.1-10.0.0.9 netmask 30
ipset create h bitmap:ip range 10.0.0.0/24 netmask 24
ipset create h bitmap:ip range 10.0.0.0/24 hashsize 5
ipset save e
ipset save g
