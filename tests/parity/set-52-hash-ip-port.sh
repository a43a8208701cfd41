# ipset hash:ip,port: protocols, services, ICMP names, ranges of ports and addresses; what it refuses.
ipset create s hash:ip,port
ipset add s 10.0.0.1,80
ipset add s 10.0.0.1,tcp:80
ipset add s 10.0.0.1,udp:domain
ipset add s 10.0.0.1,http
ipset add s 10.0.0.1,17:100
ipset add s 10.0.0.1,UDP:101
ipset add s 10.0.0.1,sctp:5
ipset add s 10.0.0.1,udplite:6
ipset add s 10.0.0.1,icmp:echo-request
ipset add s 10.0.0.1,icmp:ping
ipset add s 10.0.0.1,icmp:host-un
ipset add s 10.0.0.1,icmp:3/9
ipset add s 10.0.0.1,icmp:40/1
ipset add s 10.0.0.1,icmp:8
ipset add s 10.0.0.1,icmp:nosuch
ipset add s 10.0.0.1,icmp:300/1
ipset add s 10.0.0.1,gre:0
ipset add s 10.0.0.1,gre:7
ipset add s 10.0.0.1,200:0
ipset add s 10.0.0.1,foo:7
ipset add s 10.0.0.1,ip:0
ipset add s 10.0.0.1,0:0
ipset add s 10.0.0.1,nosuch
ipset add s 10.0.0.1,tcp:nosuch
ipset add s 10.0.0.1,6:nosuch
ipset add s 10.0.0.1,tcp:65536
ipset add s 10.0.0.1,tcp:0
ipset add s 10.0.0.2,tcp:20-22
ipset add s 10.0.0.2,25-24
ipset add s 10.0.1.0/31,udp:1-2
ipset add s 10.0.2.1-10.0.2.2,7
ipset add s 10.0.0.3
ipset add s 10.0.0.3,1,2
ipset add s 10.0.0.3,
ipset add s ,80
ipset add s 0.0.0.0,80
ipset add s 10.0.0.3,icmpv6:1/1
ipset list s -s
ipset test s 10.0.0.2,21
ipset test s 10.0.0.2,udp:21
ipset test s 10.0.0.1,icmp:8/0
ipset test s 10.0.0.1,icmp:9/0
ipset test s 10.0.1.0/31,udp:1
ipset test s 10.0.0.2,20-22
ipset del s 10.0.0.2,20-22
ipset del s 10.0.0.2,20-22
ipset del s 10.0.1.0/31,udp:2
ipset save s -s
ipset create t hash:ip,port netmask 16
ipset add t 10.1.2.3,80
ipset test t 10.1.9.9,80
ipset list t
ipset create u ipporthash from 10.0.0.0 to 10.0.0.9
ipset -q create v hash:ip,port network 10.0.0.0/24 probes 3
ipset create w hash:ip,port probes 3
ipset list -n
