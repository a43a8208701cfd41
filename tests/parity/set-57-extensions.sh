# ipset counters, comment, skbinfo, forceadd: how they are given, kept and listed.
ipset create c hash:ip counters
ipset add c 10.0.0.1
ipset add c 10.0.0.2 packets 5 bytes 600
ipset add c 10.0.0.3 packets 0x10
ipset add c 10.0.0.4 packets 18446744073709551615
ipset add c 10.0.0.4 bytes x
ipset add c 10.0.0.4 comment x
ipset -! add c 10.0.0.2
ipset -! add c 10.0.0.3 bytes 7
ipset list c -s
ipset save c -s
ipset create m hash:net comment counters timeout 0 skbinfo
ipset add m 10.0.0.0/8 comment "the big one" packets 1 bytes 2 skbmark 0x10/0xff00 skbprio 1:10 skbqueue 4
ipset add m 10.1.0.0/16 nomatch comment plain
ipset add m 10.2.0.0/16 comment ""
ipset add m 10.3.0.0/16 skbmark 0x1
ipset add m 10.4.0.0/16 skbmark 1
ipset add m 10.4.0.0/16 skbprio 1
ipset add m 10.4.0.0/16 skbprio ffff:2
ipset add m 10.5.0.0/16 comment 'quote " inside'
ipset -! add m 10.0.0.0/8
ipset list m -s
ipset save m -s
ipset create f hash:ip forceadd comment
ipset save f
ipset add f 10.0.0.1 comment "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
ipset create l list:set counters comment
ipset add l c comment "first" packets 3
ipset add l m
ipset list l
ipset create c hash:ip
ipset -! create c hash:ip
ipset -! create c hash:ip counters
ipset -! create c hash:ip counters hashsize 64
ipset -! create c hash:ip counters maxelem 7
ipset -! create m hash:ip counters
