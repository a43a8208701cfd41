# ipset timeouts: default, own, none; expiry, refresh, the limits; entries that have gone.
ipset create t hash:ip timeout 2
ipset create p hash:ip timeout 0
ipset create b bitmap:port range 0-100 timeout 600
ipset create l list:set timeout 1
ipset create n hash:ip
ipset add t 10.0.0.1
ipset add t 10.0.0.2 timeout 0
ipset add t 10.0.0.3 timeout 500
ipset add t 10.0.0.4 timeout x
ipset add t 10.0.0.4 timeout 2147484
ipset add t 10.0.0.4 timeout 2147483
ipset add n 10.0.0.1 timeout 5
ipset add p 10.0.0.1
ipset add p 10.0.0.2 timeout 300
ipset add b 5 timeout 0
ipset add b 6 timeout 1
ipset add l p
ipset save p -s
ipset save t -s
ipset test t 10.0.0.1
ipset test l p
sleep 3.5
ipset test t 10.0.0.1
ipset test b 6
ipset test l p
ipset list t -s
ipset save b
ipset list l
ipset add t 10.0.0.1
ipset add t 10.0.0.1
ipset -! add t 10.0.0.1 timeout 100
ipset del t 10.0.0.1
ipset del b 6
ipset add b 6 timeout 0
ipset list b
ipset create x hash:ip timeout 2147484
ipset create x hash:ip timeout -1
