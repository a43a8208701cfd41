# Options of the other matches as they are read, listed, saved and refused.
try() {
  t=$1
  c=$2
  shift 2
  iptables -t $t -A $c "$@" || echo "rc=$?"
  iptables -t $t -S $c | tail -n +2
  iptables -t $t -L $c -n -v -x | tail -n +3
  iptables -t $t -L $c | tail -n +3
  iptables -t $t -F $c
}
echo "== owner filter OUTPUT"
try filter OUTPUT -m owner
try filter OUTPUT -m owner --uid-owner root
try filter OUTPUT -m owner ! --uid-owner 0-99 --gid-owner adm
try filter OUTPUT -m owner --uid-owner 5:9
try filter OUTPUT -m owner --uid-owner nobody
try filter OUTPUT -m owner --uid-owner nosuch
try filter OUTPUT -m owner --gid-owner nosuch
try filter OUTPUT -m owner --uid-owner 4294967295
try filter OUTPUT -m owner --socket-exists
try filter OUTPUT -m owner ! --socket-exists
try filter OUTPUT -m owner --gid-owner 0 --suppl-groups
try filter OUTPUT -m owner --suppl-groups --gid-owner 0
try filter OUTPUT -m owner --suppl-groups
try filter OUTPUT -m owner --uid-owner 9-5
try filter OUTPUT -m owner ! --socket-exists --uid-owner 3 ! --gid-owner 4-6
echo "== owner filter INPUT"
try filter INPUT -m owner --uid-owner root
echo "== owner filter FORWARD"
try filter FORWARD -m owner --uid-owner root
echo "== owner mangle POSTROUTING"
try mangle POSTROUTING -m owner --uid-owner root
echo "== tcpmss filter INPUT"
try filter INPUT -p tcp -m tcpmss --mss 1000:1400
try filter INPUT -p tcp -m tcpmss ! --mss 1460
try filter INPUT -m tcpmss --mss 1460
try filter INPUT -p tcp -m tcpmss --mss 70000
try filter INPUT -p tcp -m tcpmss --mss 1400:1000
try filter INPUT -p tcp -m tcpmss --mss :1000
try filter INPUT -p tcp -m tcpmss --mss 1000:
try filter INPUT -p tcp -m tcpmss --mss
try filter INPUT -p tcp -m tcpmss
try filter INPUT -p udp -m tcpmss --mss 5
try filter INPUT -p tcp --tcp-flags SYN,RST SYN -m tcpmss ! --mss 500:1000 -j ACCEPT
echo "== connlimit filter INPUT"
try filter INPUT -p tcp --syn --dport 23 -m connlimit --connlimit-above 2 -j REJECT
try filter INPUT -m connlimit --connlimit-upto 5 --connlimit-mask 24
try filter INPUT -m connlimit ! --connlimit-upto 5 --connlimit-mask 24
try filter INPUT -m connlimit ! --connlimit-above 5 --connlimit-daddr
try filter INPUT -m connlimit --connlimit-above 5 --connlimit-upto 6
try filter INPUT -m connlimit --connlimit-above 5 --connlimit-saddr --connlimit-daddr
try filter INPUT -m connlimit --connlimit-mask 24
try filter INPUT -m connlimit --connlimit-above 5 --connlimit-mask 33
try filter INPUT -m connlimit --connlimit-above 5 --connlimit-mask 0
try filter INPUT -m connlimit --connlimit-above -1
try filter INPUT -m connlimit --connlimit-above 5 --connlimit-mask 255.255.0.0
echo "== quota filter INPUT"
try filter INPUT -m quota --quota 1000
try filter INPUT -m quota ! --quota 1000
try filter INPUT -m quota --quota 0x100
try filter INPUT -m quota --quota 18446744073709551615
try filter INPUT -m quota --quota 18446744073709551616
try filter INPUT -m quota
try filter INPUT -m quota --quota x
echo "== rpfilter raw PREROUTING"
try raw PREROUTING -m rpfilter
try raw PREROUTING -m rpfilter --loose --validmark --accept-local --invert
try raw PREROUTING -m rpfilter --invert
try raw PREROUTING -m rpfilter ! --loose
echo "== rpfilter mangle PREROUTING"
try mangle PREROUTING -m rpfilter --invert -j DROP
echo "== rpfilter nat PREROUTING"
try nat PREROUTING -m rpfilter --invert
echo "== rpfilter filter FORWARD"
try filter FORWARD -m rpfilter
echo "== string filter INPUT"
try filter INPUT -m string --string abc --algo bm
try filter INPUT -m string --string "GET /index" --algo kmp --from 20 --to 100
try filter INPUT -m string ! --string "a\"b" --algo bm --icase
try filter INPUT -m string --hex-string "|0a 0B|abc|0c|" --algo bm
try filter INPUT -m string --hex-string "abc" --algo bm
try filter INPUT -m string --hex-string "ab|4" --algo bm
try filter INPUT -m string --hex-string "ab|4g|" --algo bm
try filter INPUT -m string --hex-string "" --algo bm
try filter INPUT -m string --string "" --algo bm
try filter INPUT -m string --string abc
try filter INPUT -m string --algo bm
try filter INPUT -m string --string abc --algo foo
try filter INPUT -m string --string abc --hex-string abc --algo bm
try filter INPUT -m string --string abc --algo bm --from 100 --to 20
try filter INPUT -m string --string abc --algo bm --from 65536
try filter INPUT -m string ! --hex-string "|00|" --algo kmp --to 0
echo "== u32 filter INPUT"
try filter INPUT -m u32 --u32 "6&0xFF=1"
try filter INPUT -m u32 ! --u32 "0>>22&0x3C@0>>24=3&&4&0x3FFF=0:5,7"
try filter INPUT -m u32 --u32 "0x0=0x0&&0x0=0x0"
try filter INPUT -m u32 --u32 "6&0xFF"
try filter INPUT -m u32 --u32 "=1"
try filter INPUT -m u32 --u32 "x=1"
try filter INPUT -m u32 --u32 "6<1=1"
try filter INPUT -m u32 --u32 "6&1=1&2"
try filter INPUT -m u32 --u32 "6=1;2"
try filter INPUT -m u32 --u32 ""
try filter INPUT -m u32 --u32 "6="
try filter INPUT -m u32 --u32 "6 & 0xff = 1 : 5 , 7"
try filter INPUT -m u32 --u32 "1@2@3@4@5@6@7@8@9@10@11=1"
try filter INPUT -m u32
echo "== dscp filter INPUT"
try filter INPUT -m dscp ! --dscp 10
try filter INPUT -m dscp --dscp-class AF11
try filter INPUT -m dscp ! --dscp-class ef
try filter INPUT -m dscp --dscp-class foo
try filter INPUT -m dscp --dscp foo
echo "== tos filter INPUT"
try filter INPUT -m tos --tos 0x10
try filter INPUT -m tos ! --tos 0x10/0x1f
try filter INPUT -m tos ! --tos Minimize-Cost
try filter INPUT -m tos --tos 256
try filter INPUT -m tos --tos foo
try filter INPUT -m tos --tos 4/300
try filter INPUT -m tos
echo "== ttl filter INPUT"
try filter INPUT -m ttl --ttl-eq 5
try filter INPUT -m ttl ! --ttl-eq 5
try filter INPUT -m ttl --ttl-lt 5
try filter INPUT -m ttl --ttl-gt 5
try filter INPUT -m ttl ! --ttl-gt 5
try filter INPUT -m ttl --ttl-eq 256
try filter INPUT -m ttl --ttl-lt 5 --ttl-gt 3
try filter INPUT -m ttl
try filter INPUT -m ttl --ttl 64
echo "== length filter INPUT"
try filter INPUT -m length --length 100
try filter INPUT -m length --length 100:200
try filter INPUT -m length ! --length :200
try filter INPUT -m length --length 200:100
try filter INPUT -m length --length x
try filter INPUT -m length --length 1:2:3
try filter INPUT -m length --length 65536
try filter INPUT -m length --length 5x
try filter INPUT -m length
echo "== statistic filter INPUT"
try filter INPUT -m statistic --mode random --probability 0.25
try filter INPUT -m statistic --mode random ! --probability 0.25
try filter INPUT -m statistic --mode nth --every 3 --packet 1
try filter INPUT -m statistic --mode nth ! --every 3 --packet 0
try filter INPUT -m statistic --mode nth --every 3
try filter INPUT -m statistic --mode nth --every 3 --packet 3
try filter INPUT -m statistic --mode nth --every 0 --packet 0
try filter INPUT -m statistic --mode foo
try filter INPUT -m statistic --mode random
try filter INPUT -m statistic --mode random --probability 2
try filter INPUT -m statistic --mode random --probability -1
try filter INPUT -m statistic --mode random --probability x
try filter INPUT -m statistic --mode nth --packet 1
try filter INPUT -m statistic --mode nth --probability 0.5
try filter INPUT -m statistic --mode random --every 3
try filter INPUT -m statistic --probability 0.5
try filter INPUT -m statistic --every 3 --packet 0
try filter INPUT -m statistic --mode random --probability 0.5 --every 3
echo "== limit filter INPUT"
try filter INPUT -m limit
try filter INPUT -m limit --limit 5/sec
try filter INPUT -m limit --limit 10/hour --limit-burst 7
try filter INPUT -m limit --limit 1000/sec
try filter INPUT -m limit --limit 10001/s
try filter INPUT -m limit --limit 0/s
try filter INPUT -m limit --limit 5/foo
try filter INPUT -m limit --limit 5/
try filter INPUT -m limit --limit x
try filter INPUT -m limit --limit 3/day
try filter INPUT -m limit ! --limit 3/day
try filter INPUT -m limit --limit 100/min
try filter INPUT -m limit --limit 7/sec
try filter INPUT -m limit --limit-burst 0
try filter INPUT -m limit --limit-burst 10001
try filter INPUT -m limit --limit-burst 5
try filter INPUT -m limit --limit 5/MINUTE
try filter INPUT -m limit --limit 20
echo "== addrtype filter INPUT"
try filter INPUT -m addrtype --src-type LOCAL
try filter INPUT -m addrtype ! --dst-type LOCAL,BROADCAST
try filter INPUT -m addrtype --src-type foo
try filter INPUT -m addrtype --dst-type local
try filter INPUT -m addrtype
try filter INPUT -m addrtype --src-type LOCAL --limit-iface-in
try filter INPUT -m addrtype --src-type LOCAL --limit-iface-out
try filter INPUT -m addrtype --src-type UNSPEC,UNICAST,LOCAL,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT
try filter INPUT -m addrtype --src-type THROW
echo "== addrtype filter OUTPUT"
try filter OUTPUT -m addrtype --dst-type LOCAL --limit-iface-in
try filter OUTPUT -m addrtype --dst-type LOCAL --limit-iface-out
echo "== iprange filter INPUT"
try filter INPUT -m iprange --src-range 10.0.0.1-10.0.0.9
try filter INPUT -m iprange ! --dst-range 10.0.0.1-10.0.0.9 --src-range 1.1.1.1
try filter INPUT -m iprange --src-range foo
try filter INPUT -m iprange --src-range 10.0.0.1-foo
try filter INPUT -m iprange
try filter INPUT -m iprange --src-range 10.0.0.1-
echo "== mac filter INPUT"
try filter INPUT -m mac --mac-source 02:00:00:00:00:01
try filter INPUT -m mac ! --mac-source 02:00:00:00:00:01
try filter INPUT -m mac --mac-source foo
try filter INPUT -m mac --mac-source 2:0:0:0:0:1
try filter INPUT -m mac
echo "== mac filter OUTPUT"
try filter OUTPUT -m mac --mac-source 02:00:00:00:00:01
echo "== mark filter INPUT"
try filter INPUT -m mark --mark 5
try filter INPUT -m mark ! --mark 0x5/0xf
try filter INPUT -m mark --mark x
try filter INPUT -m mark --mark 5/
try filter INPUT -m mark
try filter INPUT -m mark --mark 0xff/0xf
try filter INPUT -m mark --mark 4294967296
echo "== connmark filter INPUT"
try filter INPUT -m connmark --mark 5
try filter INPUT -m connmark ! --mark 0x5/0xf
try filter INPUT -m connmark --mark x
try filter INPUT -m connmark
echo "== pkttype filter INPUT"
try filter INPUT -m pkttype --pkt-type broadcast
try filter INPUT -m pkttype ! --pkt-type multicast
try filter INPUT -m pkttype --pkt-type host
try filter INPUT -m pkttype --pkt-type foo
try filter INPUT -m pkttype
echo "== comment filter INPUT"
try filter INPUT -m comment --comment hello
try filter INPUT -m comment --comment "hello world"
try filter INPUT -m comment --comment "a\"b"
try filter INPUT -m comment --comment ""
try filter INPUT -m comment
try filter INPUT -m comment ! --comment x
echo "== frag filter INPUT"
try filter INPUT -f
try filter INPUT ! -f
try filter INPUT -f -p udp
try filter INPUT -p udp -f -j DROP
try filter INPUT -f -p tcp --dport 5
