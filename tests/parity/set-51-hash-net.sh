# ipset hash:net: prefixes, ranges split into prefixes, nomatch, tests of addresses and of networks.
ipset create n hash:net
ipset add n 10.0.0.0/8
ipset add n 10.0.0.77/24
ipset add n 10.0.0.0/24
ipset add n 10.0.0.128/25 nomatch
ipset add n 192.168.1.1
ipset add n 172.16.0.3-172.16.0.17
ipset add n 0.0.0.0/0
ipset add n 10.0.0.0/33
ipset add n 0.0.0.0-255.255.255.255
ipset list n -s
ipset test n 10.0.0.5
ipset test n 10.0.0.200
ipset test n 10.0.0.200 nomatch
ipset test n 10.0.0.5 nomatch
ipset test n 10.0.0.0/24
ipset test n 10.0.0.128/25
ipset test n 10.0.0.128/25 nomatch
ipset test n 10.0.0.0/25
ipset test n 11.0.0.1
ipset test n 11.0.0.1-11.0.0.5
ipset test n 172.16.0.16
ipset del n 10.0.0.99/24
ipset del n 10.0.0.0/24
ipset del n 172.16.0.3-172.16.0.17
ipset add n 10.0.0.128/25
ipset -! add n 10.0.0.128/25
ipset save n -s
ipset test n 10.0.0.200
ipset -! add n 10.0.0.128/25 nomatch
ipset save n -s
ipset create m nethash maxelem 2 timeout 0
ipset add m 1.0.0.0/8 timeout 0
ipset add m 2.0.0.0/8 nomatch
ipset add m 3.0.0.0/8
ipset save m -s
ipset create bad hash:net netmask 24
ipset create r hash:net
ipset add r 64.0.0.0-127.255.255.255
ipset add r 1.2.3.4-1.2.3.4
ipset list r -s
