# ipset -o plain, save and xml, terse, names, sorted: what each listing shows.
ipset create a hash:ip counters timeout 0 comment
ipset add a 10.0.0.2 comment "<&>" packets 3
ipset add a 10.0.0.1
ipset create b bitmap:port range 1-9
ipset add b 3
ipset create n hash:net
ipset add n 10.0.0.0/8
ipset add n 10.0.0.0/16 nomatch
ipset add n 9.0.0.0/8
ipset add n 10.0.0.0/24
ipset create l list:set
ipset add l a
ipset list -o xml -s | sed "s/0x[0-9a-f]*//" | sed "s/<memsize>.*/M/"
ipset list -o xml -t | sed "s/0x[0-9a-f]*//" | sed "s/<memsize>.*/M/"
ipset list -o xml -n
ipset list -o save -s
ipset list -o save -t -s
ipset list -t
ipset list -n
ipset save -n -s
ipset save -o plain -s
ipset save -o plain -t -s
ipset save -o xml -s n | sed "s/0x[0-9a-f]*//" | sed "s/<memsize>.*/M/"
ipset list n -s
ipset create empty hash:ip
ipset list empty
ipset list -o xml nosuch
ipset destroy
ipset flush l
ipset destroy
ipset list
ipset save
ipset list -o xml
ipset help hash:ip,port
ipset help bitmap:port
ipset help bitmap:ip
ipset help list:set
ipset help nosuch
ipset -q help
