# ipset list:set: order, before and after, references, what can be destroyed; listed after all others.
ipset create l list:set
for n in a b c d; do
  ipset create $n hash:ip
done
ipset add l a
ipset add l c
ipset add l b before c
ipset add l d after c
ipset add l a
ipset -exist add l a
ipset add l nosuch
ipset add l l
ipset add l a before nosuch
ipset create e hash:net
ipset add l e before d
ipset list l
ipset test l a
ipset test l a before b
ipset test l b before a
ipset test l b after a
ipset test l e
ipset test l nosuch
ipset del l a before c
ipset del l a before b
ipset del l a
ipset del l b,before,c
ipset add l b,after,d
ipset add l a,x,d
ipset add l a,d
ipset create f bitmap:port range 1-2
ipset add l f before a
ipset save l
ipset list -n
ipset destroy b
ipset rename b z
ipset list -t b
ipset create m setlist size 2
ipset add m l
ipset add m a
ipset add m b
ipset add m c
ipset add m d
ipset list m
ipset list -t a
ipset swap a c
ipset swap a m
ipset swap l m
ipset list l
ipset save m
ipset destroy
ipset flush l
ipset flush m
ipset destroy
ipset list -n
ipset create k list:set size 1
ipset list k
ipset create k2 list:set hashsize 3
