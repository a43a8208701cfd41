# ipset: long and short names of commands and options, missing and extra words, unknown types.
ipset
ipset foo
ipset -N a hash:ip
ipset --create b hash:ip
ipset n c hash:ip
ipset cr d hash:ip
ipset -A a 10.0.0.1
ipset --add a 10.0.0.2
ipset a a 10.0.0.3
ipset -D a 10.0.0.3
ipset -T a 10.0.0.2
ipset t a 10.0.0.3
ipset -W a b
ipset sw a b
ipset w a b
ipset -E d e
ipset e e d
ipset ren d e
ipset -S b -s
ipset s b -sorted
ipset --save --sorted b
ipset -L -n
ipset l -name
ipset -F b
ipset f
ipset x c
ipset -X e
ipset des b
ipset list a b
ipset create
ipset create x
ipset create x hash:foo
ipset create x hash:ip foo
ipset create x hash:ip hashsize
ipset create x hash:ip hashsize 5x
ipset create x hash:ip hashsize -1
ipset create x hash:ip maxelem 4294967296
ipset create x hash:ip maxelem 1 maxelem 2
ipset create x hash:ip family foo
ipset create x hash:ip family inet family inet
ipset create x hash:ip netmask 33
ipset create x hash:ip netmask 0
ipset create x hash:ip netmask x
ipset create x hash:ip bitmask foo
ipset create x hash:ip bitmask 0.0.0.0
ipset create x hash:ip bitmask 255.0.0.0 netmask 8
ipset create x hash:ip -4 --maxelem 8
ipset save x
ipset create abcdefghijklmnopqrstuvwxyzabcdef hash:ip
ipset create abcdefghijklmnopqrstuvwxyzabcde hash:ip
ipset create y hash:mac
ipset create y hash:net,net
ipset create y hash:ip,mark
ipset create y abcdefghijklmnopqrstuvwxyzabcdefgh
ipset add
ipset add a
ipset add nosuch 10.0.0.1
ipset add a 10.0.0.1 foo
ipset add a 10.0.0.1 timeout
ipset add a 10.0.0.1 timeout 5
ipset add a 10.0.0.1 comment x
ipset add a 10.0.0.1 packets 1
ipset add a 10.0.0.1 skbprio 1:1
ipset add a 10.0.0.1 nomatch
ipset add a 10.0.0.1,80
ipset add a [10.0.0.9]
ipset add a [10.0.0.9
ipset add a 10.0.0.1/24-10.0.0.9
ipset del
ipset del a
ipset test a
ipset test nosuch 1.1.1.1
ipset swap a
ipset swap a nosuch
ipset swap nosuch a
ipset rename a
ipset rename nosuch a
ipset rename a x
ipset -o
ipset list -o foo
ipset -f
ipset version
ipset -v
ipset -V
ipset version x
ipset quit
ipset -q create a hash:ip
echo rc=$?
ipset -q add a foo
echo rc=$?
ipset list -x
ipset -n list
