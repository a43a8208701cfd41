# ipset hash:ip,port,ip, hash:ip,port,net and hash:net,port.
ipset create i hash:ip,port,ip
ipset add i 10.0.0.1,80,10.1.0.1
ipset add i 10.0.0.1,80,10.1.0.1
ipset add i 10.0.0.1,udp:53,10.1.0.1
ipset add i 10.0.0.2-10.0.0.3,tcp:1-2,10.1.0.2
ipset add i 10.0.0.1,80,10.1.0.0/24
ipset add i 10.0.0.1,80,10.1.0.5/32
ipset add i 10.0.0.1,80,10.1.0.1-10.1.0.2
ipset add i 10.0.0.1,80
ipset add i 10.0.0.1,80,1.1.1.1,2
ipset add i 0.0.0.0,80,0.0.0.0
ipset add i 10.0.0.1,80,10.1.0.9 nomatch
ipset list i -s
ipset test i 10.0.0.3,2,10.1.0.2
ipset test i 10.0.0.3,3,10.1.0.2
ipset del i 10.0.0.2-10.0.0.3,tcp:1-2,10.1.0.2
ipset save i -s
ipset create n hash:ip,port,net
ipset add n 10.0.0.1,80,10.1.0.0/16
ipset add n 10.0.0.1,80,10.1.2.0/24 nomatch
ipset add n 10.0.0.1,80,10.2.0.1
ipset add n 10.0.0.1,udp:1-2,10.3.0.1-10.3.0.6
ipset add n 10.0.0.1,80,10.1.0.0/0
ipset add n 10.0.0.1,80,0.0.0.0-255.255.255.255
ipset list n -s
ipset test n 10.0.0.1,80,10.1.1.1
ipset test n 10.0.0.1,80,10.1.2.1
ipset test n 10.0.0.1,80,10.1.2.1 nomatch
ipset test n 10.0.0.1,80,10.1.0.0/16
ipset test n 10.0.0.1,udp:2,10.3.0.5
ipset test n 10.0.0.1,udp:2,10.3.0.7
ipset del n 10.0.0.1,udp:1-2,10.3.0.1-10.3.0.6
ipset save n -s
ipset create p hash:net,port
ipset add p 10.0.0.0/8,80
ipset add p 10.1.0.0/16,80 nomatch
ipset add p 10.2.0.1-10.2.0.2,udp:5-6
ipset add p 10.3.0.0/24,icmp:ping
ipset list p -s
ipset test p 10.5.5.5,80
ipset test p 10.1.5.5,80
ipset test p 10.1.5.5,80 nomatch
ipset test p 10.2.0.2,udp:6
ipset del p 10.2.0.1-10.2.0.2,udp:5-6
ipset save p -s
ipset create x hash:ip,port,ip netmask 8
