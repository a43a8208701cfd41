# With initval the order of a hash and its memory don't depend on chance: growth, deletion, reuse.
ipset create a hash:ip initval 0x12345678 hashsize 64 bucketsize 4
ipset add a 10.0.0.0/26
ipset list a | sed "s/Size in memory/memory/"
ipset add a 10.0.1.0/25
ipset list a | sed "s/Size in memory/memory/"
ipset del a 10.0.1.32/27
ipset del a 10.0.0.0/28
ipset list a | sed "s/Size in memory/memory/"
ipset add a 10.0.2.0/27
ipset list a | sed "s/Size in memory/memory/"
ipset create n hash:net initval 0x1
ipset add n 10.0.0.3-10.0.7.9
ipset list n | sed "s/Size in memory/memory/"
ipset create p hash:ip,port initval 0x2 hashsize 64 counters timeout 0
ipset add p 10.0.0.1,tcp:1-40
ipset add p 10.0.0.1,udp:1-40
ipset list p | sed "s/Size in memory/memory/"
ipset create i hash:ip,port,ip initval 0x3 comment
ipset add i 10.0.0.1-10.0.0.9,tcp:1-2,10.1.1.1 comment "some words"
ipset list i | sed "s/Size in memory/memory/"
ipset create t hash:ip,port,net initval 0x4 skbinfo
ipset add t 10.0.0.1-10.0.0.3,tcp:1-2,10.1.1.1-10.1.1.7
ipset list t | sed "s/Size in memory/memory/"
ipset create m hash:net,port initval 0x5 hashsize 4096
ipset add m 10.0.0.1-10.0.0.9,udp:1-3
ipset list m | sed "s/Size in memory/memory/"
ipset create f hash:ip initval 0x6 maxelem 4 forceadd hashsize 64
ipset add f 10.0.0.0/26
ipset add f 10.0.1.0/24
ipset list f | sed "s/Size in memory/memory/"
ipset create b bitmap:port range 0-65535 timeout 0 counters comment
ipset add b 1-3 comment "x"
ipset list b | sed "s/Size in memory/memory/"
ipset create c bitmap:ip range 10.0.0.0/16 skbinfo
ipset list c | sed "s/Size in memory/memory/"
ipset create l list:set comment
ipset add l a comment "y"
ipset add l b
ipset list l | sed "s/Size in memory/memory/"
ipset save a
