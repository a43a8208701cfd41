# Options of targets as they are read, listed, saved and refused.
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
echo "== NFLOG filter INPUT"
try filter INPUT -j NFLOG --nflog-prefix "web traffic: " --nflog-group 5 --nflog-threshold 10
try filter INPUT -j NFLOG --nflog-prefix ""
try filter INPUT -j NFLOG --nflog-prefix plain
try filter INPUT -j NFLOG --nflog-threshold 1
try filter INPUT -j NFLOG --nflog-threshold 0
try filter INPUT -j NFLOG ! --nflog-group 3
try filter INPUT -j NFLOG --nflog-group 1 --nflog-group 2
try filter INPUT -j NFLOG --nflog-prefix 0123456789012345678901234567890123456789012345678901234567890123456789
echo "== NFQUEUE filter INPUT"
try filter INPUT -j NFQUEUE --queue-num 3 --queue-bypass
try filter INPUT -j NFQUEUE --queue-balance 1:4 --queue-cpu-fanout --queue-bypass
try filter INPUT -j NFQUEUE --queue-cpu-fanout
try filter INPUT -j NFQUEUE --queue-num 3 --queue-balance 1:2
try filter INPUT -j NFQUEUE --queue-balance 4:1
try filter INPUT -j NFQUEUE --queue-balance 4
try filter INPUT -j NFQUEUE --queue-balance 4:
try filter INPUT -j NFQUEUE --queue-balance 1:2:3
try filter INPUT -j NFQUEUE --queue-num 65536
try filter INPUT -j QUEUE
echo "== CLASSIFY mangle POSTROUTING"
try mangle POSTROUTING -j CLASSIFY --set-class 1:10
try mangle POSTROUTING -j CLASSIFY --set-class abcd:ffff
try mangle POSTROUTING -j CLASSIFY --set-class x
try mangle POSTROUTING -j CLASSIFY --set-class 12
echo "== CLASSIFY filter OUTPUT"
try filter OUTPUT -j CLASSIFY --set-class 1:10
echo "== CLASSIFY mangle PREROUTING"
try mangle PREROUTING -j CLASSIFY --set-class 1:10
echo "== CHECKSUM mangle POSTROUTING"
try mangle POSTROUTING -p udp --dport 68 -j CHECKSUM --checksum-fill
try mangle POSTROUTING -j CHECKSUM --checksum-fill --checksum-fill
echo "== CHECKSUM filter INPUT"
try filter INPUT -j CHECKSUM --checksum-fill
echo "== TPROXY mangle PREROUTING"
try mangle PREROUTING -p tcp -j TPROXY --on-port 8080 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1
try mangle PREROUTING -p udp -j TPROXY --on-port 8080
try mangle PREROUTING -p tcp -j TPROXY
try mangle PREROUTING -j TPROXY --on-port 8080
try mangle PREROUTING -p tcp -j TPROXY --on-port 0
try mangle PREROUTING -p tcp -j TPROXY --on-port http --tproxy-mark 5
try mangle PREROUTING -p tcp -j TPROXY --on-port 80 --on-ip x
try mangle PREROUTING -p icmp -j TPROXY --on-port 8080
echo "== TPROXY filter INPUT"
try filter INPUT -p tcp -j TPROXY --on-port 8080
echo "== TRACE raw OUTPUT"
try raw OUTPUT -j TRACE
echo "== TRACE filter INPUT"
try filter INPUT -j TRACE
echo "== TRACE mangle PREROUTING"
try mangle PREROUTING -j TRACE
echo "== TOS mangle OUTPUT"
try mangle OUTPUT -j TOS --set-tos 0x10
try mangle OUTPUT -j TOS --set-tos 16/0x3f
try mangle OUTPUT -j TOS --set-tos Minimize-delay
try mangle OUTPUT -j TOS --set-tos foo
try mangle OUTPUT -j TOS --and-tos 0x100
try mangle OUTPUT -j TOS --set-tos 300
try mangle OUTPUT -j TOS
try mangle OUTPUT -j TOS --or-tos 4 --xor-tos 8
try mangle OUTPUT -j TOS --or-tos x
echo "== TOS filter OUTPUT"
try filter OUTPUT -j TOS --set-tos 0x10
echo "== DSCP mangle OUTPUT"
try mangle OUTPUT -j DSCP --set-dscp 10
try mangle OUTPUT -j DSCP --set-dscp-class af11
try mangle OUTPUT -j DSCP --set-dscp-class AF43
try mangle OUTPUT -j DSCP --set-dscp-class EF
try mangle OUTPUT -j DSCP --set-dscp-class CS7
try mangle OUTPUT -j DSCP --set-dscp-class foo
try mangle OUTPUT -j DSCP --set-dscp 64
echo "== DSCP filter OUTPUT"
try filter OUTPUT -j DSCP --set-dscp 10
echo "== TTL mangle FORWARD"
try mangle FORWARD -j TTL --ttl-set 5
try mangle FORWARD -j TTL --ttl-dec 0
try mangle FORWARD -j TTL --ttl-inc 0
try mangle FORWARD -j TTL --ttl-set 256
try mangle FORWARD -j TTL --ttl-dec 1 --ttl-inc 1
try mangle FORWARD -j TTL --ttl-set x
try mangle FORWARD -j TTL
echo "== TTL filter FORWARD"
try filter FORWARD -j TTL --ttl-set 5
echo "== TCPMSS mangle FORWARD"
try mangle FORWARD -p tcp --syn -j TCPMSS --set-mss 1000
try mangle FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
try mangle FORWARD -p tcp -j TCPMSS --set-mss 1000
try mangle FORWARD -j TCPMSS --set-mss 1000
try mangle FORWARD -p tcp --syn -j TCPMSS
try mangle FORWARD -p tcp --syn -j TCPMSS --set-mss 1000 --clamp-mss-to-pmtu
try mangle FORWARD -p tcp --syn -j TCPMSS --set-mss 65496
try mangle FORWARD -p tcp --syn -j TCPMSS --set-mss x
try mangle FORWARD -p tcp ! --syn -j TCPMSS --set-mss 1000
echo "== TCPMSS mangle PREROUTING"
try mangle PREROUTING -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
try mangle PREROUTING -p tcp --syn -j TCPMSS --set-mss 1000
echo "== TCPMSS filter INPUT"
try filter INPUT -p tcp --syn -j TCPMSS --set-mss 1000
echo "== LOG filter INPUT"
try filter INPUT -j LOG --log-prefix "abc def" --log-level debug --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode
try filter INPUT -j LOG --log-level 7
try filter INPUT -j LOG --log-level emerg
try filter INPUT -j LOG --log-level panic
try filter INPUT -j LOG --log-level foo
try filter INPUT -j LOG --log-level 8
try filter INPUT -j LOG --log-prefix 012345678901234567890123456789
try filter INPUT -j LOG --log-prefix 01234567890123456789012345678
try filter INPUT -j LOG --log-prefix ""
try filter INPUT -j LOG --log-level warning
try filter INPUT -j LOG --log-level err
try filter INPUT -j LOG --log-uid --log-uid
echo "== REJECT filter INPUT"
try filter INPUT -j REJECT --reject-with icmp-net-unreachable
try filter INPUT -j REJECT --reject-with icmp-net-unreach
try filter INPUT -j REJECT --reject-with host-unreach
try filter INPUT -j REJECT --reject-with icmp-proto-unreachable
try filter INPUT -j REJECT --reject-with port-unreach
try filter INPUT -j REJECT --reject-with icmp-net-prohibited
try filter INPUT -j REJECT --reject-with icmp-host-prohibited
try filter INPUT -j REJECT --reject-with icmp-admin-prohibited
try filter INPUT -p tcp -j REJECT --reject-with tcp-reset
try filter INPUT -p tcp -j REJECT --reject-with tcp-rst
try filter INPUT -j REJECT --reject-with tcp-reset
try filter INPUT -p udp -j REJECT --reject-with tcp-reset
try filter INPUT -j REJECT --reject-with foo
try filter INPUT -j REJECT --reject-with icmp6-no-route
try filter INPUT -j REJECT --reject-with
try filter INPUT -j REJECT --reject-with icmp
try filter INPUT -p tcp -j REJECT --reject-with tcp
echo "== REJECT nat INPUT"
try nat INPUT -j REJECT
echo "== REJECT mangle FORWARD"
try mangle FORWARD -j REJECT
echo "== MARK mangle PREROUTING"
try mangle PREROUTING -j MARK --set-mark 5
try mangle PREROUTING -j MARK --set-mark 0x5/0xff
try mangle PREROUTING -j MARK --set-xmark 0x5/0xff
try mangle PREROUTING -j MARK --and-mark 0xff
try mangle PREROUTING -j MARK --or-mark 0xff
try mangle PREROUTING -j MARK --xor-mark 0xff
try mangle PREROUTING -j MARK --set-mark x
try mangle PREROUTING -j MARK --set-mark 4294967296
try mangle PREROUTING -j MARK --set-mark 1 --or-mark 2
try mangle PREROUTING -j MARK
try mangle PREROUTING -j MARK --set-mark 5/x
echo "== MARK filter INPUT"
try filter INPUT -j MARK --set-mark 5
echo "== CONNMARK mangle PREROUTING"
try mangle PREROUTING -j CONNMARK --set-mark 5
try mangle PREROUTING -j CONNMARK --set-mark 5/0xf
try mangle PREROUTING -j CONNMARK --set-xmark 5/0xf
try mangle PREROUTING -j CONNMARK --save-mark
try mangle PREROUTING -j CONNMARK --restore-mark
try mangle PREROUTING -j CONNMARK --save-mark --mask 0xff
try mangle PREROUTING -j CONNMARK --restore-mark --mask 0xff
try mangle PREROUTING -j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff
try mangle PREROUTING -j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff
try mangle PREROUTING -j CONNMARK --save-mark --nfmask 0xf
try mangle PREROUTING -j CONNMARK --and-mark 0xf
try mangle PREROUTING -j CONNMARK --or-mark 0xf
try mangle PREROUTING -j CONNMARK --xor-mark 0xf
try mangle PREROUTING -j CONNMARK
try mangle PREROUTING -j CONNMARK --save-mark --restore-mark
try mangle PREROUTING -j CONNMARK --set-mark 5 --mask 0xf
try mangle PREROUTING -j CONNMARK --mask 0xf
try mangle PREROUTING -j CONNMARK --save-mark --mask 0xf --nfmask 0xf
try mangle PREROUTING -j CONNMARK --set-mark x
try mangle PREROUTING -j CONNMARK --left-shift-mark 4
try mangle PREROUTING -j CONNMARK --set-xmark 5/0xf --left-shift-mark 4
try mangle PREROUTING -j CONNMARK --save-mark --right-shift-mark 4
try mangle PREROUTING -j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff --right-shift-mark 4
echo "== CONNMARK filter INPUT"
try filter INPUT -j CONNMARK --set-mark 5
echo "== NOTRACK raw OUTPUT"
try raw OUTPUT -j NOTRACK
echo "== NOTRACK filter INPUT"
try filter INPUT -j NOTRACK
