# Rules as people write them, what iptables says to them and how it prints them again: LOG, NFLOG, NFQUEUE, QUEUE, REJECT, TRACE, TTL, TOS, DSCP, TCPMSS, CLASSIFY, CHECKSUM.
# r CHAIN WORD...: appends the rule to table $t, prints what was made of it, and empties the chain.
r() {
  echo "$t $*"
  if iptables -t $t -A "$@"; then
    iptables -t $t -S $1 | grep '^-A'
    iptables -t $t -nL $1 | tail -n +3
  else
    echo "rc=$?"
  fi
  iptables -t $t -F $1
}
t=filter
for l in emerg alert crit error err warning warn notice info debug panic EMERG Info 0 1 2 3 4 5 6 7 8 -1 x '' 0x5 i e; do
  r INPUT -j LOG --log-level "$l"
done
for p in x 'a b' 'a: ' 'a"b' "a'b" 'a\b' '' 12345678901234567890123456789 123456789012345678901234567890 é -x '!x' 'a:b' a.b; do
  r INPUT -j LOG --log-prefix "$p"
  r INPUT -j NFLOG --nflog-prefix "$p"
done
r INPUT -j LOG
r INPUT -j LOG --log-tcp-sequence
r INPUT -j LOG --log-tcp-options
r INPUT -j LOG --log-ip-options
r INPUT -j LOG --log-uid
r INPUT -j LOG --log-macdecode
r INPUT -j LOG --log-macdecode --log-uid --log-ip-options --log-tcp-options --log-tcp-sequence --log-level 7 --log-prefix all
r INPUT -j LOG --log-level 1 --log-level 2
r INPUT -j LOG --log-uid --log-uid
r INPUT -j LOG ! --log-uid
r INPUT -j LOG --log
r INPUT -j LOG --log-prefix 'line
two'
for n in 0 1 65535 65536 4294967295 4294967296 -1 x '' 0x10; do
  r INPUT -j NFLOG --nflog-group "$n"
  r INPUT -j NFLOG --nflog-range "$n"
  r INPUT -j NFLOG --nflog-size "$n"
  r INPUT -j NFLOG --nflog-threshold "$n"
  r INPUT -j NFQUEUE --queue-num "$n"
done
r INPUT -j NFLOG
r INPUT -j NFLOG --nflog-group 1 --nflog-prefix a --nflog-size 64 --nflog-threshold 5
r INPUT -j NFLOG --nflog-group 1 --nflog-group 2
r INPUT -j NFLOG --nflog-prefix 123456789012345678901234567890123456789012345678901234567890123
r INPUT -j NFLOG --nflog-prefix 1234567890123456789012345678901234567890123456789012345678901234
r INPUT -j NFQUEUE
r INPUT -j NFQUEUE --queue-bypass
r INPUT -j NFQUEUE --queue-num 1 --queue-bypass
for b in 0:3 1:4 3:1 5:5 0:65535 0:65536 0: :3 0 x '' 0-3 65533:65535; do
  r INPUT -j NFQUEUE --queue-balance "$b"
done
r INPUT -j NFQUEUE --queue-balance 0:3 --queue-bypass --queue-cpu-fanout
r INPUT -j NFQUEUE --queue-cpu-fanout
r INPUT -j NFQUEUE --queue-num 1 --queue-cpu-fanout
r INPUT -j NFQUEUE --queue-num 1 --queue-balance 0:3
r INPUT -j QUEUE
r INPUT -j QUEUE --queue-num 1
for w in icmp-net-unreachable icmp-host-unreachable icmp-port-unreachable icmp-proto-unreachable icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited net-unreach host-unreach port-unreach proto-unreach \
  net-prohib host-prohib admin-prohib tcp-reset tcp-rst icmp-net icmp-host-u icmp-port icmp ICMP-PORT-UNREACHABLE nosuch '' icmp-admin; do
  r INPUT -j REJECT --reject-with "$w"
  r INPUT -p tcp -j REJECT --reject-with "$w"
done
r INPUT -j REJECT
r OUTPUT -j REJECT
r FORWARD -j REJECT
r INPUT -p udp -j REJECT --reject-with tcp-reset
r INPUT ! -p tcp -j REJECT --reject-with tcp-reset
r INPUT -j REJECT --reject-with icmp-port-unreachable --reject-with tcp-reset
r INPUT -j REJECT --reject
t=raw
r PREROUTING -j TRACE
r OUTPUT -j TRACE
r PREROUTING -j TRACE --x
r PREROUTING -j REJECT
r PREROUTING -j DNAT --to-destination 1.1.1.1
r PREROUTING -j TTL --ttl-set 1
r PREROUTING -j MARK --set-mark 1
t=filter
r INPUT -j TRACE
r INPUT -j TTL --ttl-set 1
r INPUT -j TOS --set-tos 1
r INPUT -j DSCP --set-dscp 1
r INPUT -j MARK --set-mark 1
r INPUT -j CONNMARK --set-mark 1
r INPUT -p tcp -j TCPMSS --set-mss 1400
r FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
r OUTPUT -j CLASSIFY --set-class 1:1
r OUTPUT -j CHECKSUM --checksum-fill
t=mangle
for n in 0 1 64 255 256 -1 x '' 0x40 010; do
  r POSTROUTING -j TTL --ttl-set "$n"
  r POSTROUTING -j TTL --ttl-inc "$n"
  r POSTROUTING -j TTL --ttl-dec "$n"
done
r POSTROUTING -j TTL
r POSTROUTING -j TTL --ttl-set 1 --ttl-inc 1
r POSTROUTING -j TTL --ttl-inc 1 --ttl-dec 1
r POSTROUTING -j TTL --ttl-set 1 --ttl-set 2
r POSTROUTING -j TTL ! --ttl-set 1
for v in 0 1 0x10 16 255 256 -1 x '' 0x10/0x3f 16/63 1/256 /1 1/ Minimize-Delay Maximize-Throughput Maximize-Reliability Minimize-Cost Normal-Service minimize-delay Minimize nosuch Minimize-Delay/0xff 0xff/0; do
  r POSTROUTING -j TOS --set-tos "$v"
  r POSTROUTING -j TOS --and-tos "$v"
  r POSTROUTING -j TOS --or-tos "$v"
  r POSTROUTING -j TOS --xor-tos "$v"
done
r POSTROUTING -j TOS
r POSTROUTING -j TOS --set-tos 1 --or-tos 2
for v in 0 1 0x10 63 0x3f 64 -1 x ''; do
  r POSTROUTING -j DSCP --set-dscp "$v"
done
for v in BE EF AF11 AF12 AF13 AF21 AF22 AF23 AF31 AF32 AF33 AF41 AF42 AF43 CS0 CS1 CS2 CS3 CS4 CS5 CS6 CS7 ef Cs1 AF44 nosuch ''; do
  r POSTROUTING -j DSCP --set-dscp-class "$v"
done
r POSTROUTING -j DSCP
r POSTROUTING -j DSCP --set-dscp 1 --set-dscp-class EF
for v in 0 1 536 1400 65495 65496 65535 65536 -1 x '' 0x10; do
  r FORWARD -p tcp --syn -j TCPMSS --set-mss "$v"
done
r FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
r FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
r FORWARD -p tcp -m tcp --tcp-flags ALL SYN -j TCPMSS --set-mss 1400
r FORWARD -p tcp ! --syn -j TCPMSS --set-mss 1400
r FORWARD -p tcp --tcp-flags SYN NONE -j TCPMSS --set-mss 1400
r FORWARD -p tcp --dport 80 -j TCPMSS --set-mss 1400
r FORWARD -p tcp -j TCPMSS --set-mss 1400
r FORWARD -p udp -j TCPMSS --set-mss 1400
r FORWARD -j TCPMSS --set-mss 1400
r FORWARD -p tcp --syn -j TCPMSS
r FORWARD -p tcp --syn -j TCPMSS --set-mss 1400 --clamp-mss-to-pmtu
r INPUT -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
r PREROUTING -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
r OUTPUT -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
r INPUT -p tcp --syn -j TCPMSS --set-mss 1400
for v in 1:2 0:0 ffff:ffff 1:ffff 10000:1 1:10000 1 1: :1 x:1 1:x '' 0x1:0x2 1:2:3 ab:CD 0001:0002; do
  r POSTROUTING -j CLASSIFY --set-class "$v"
done
r POSTROUTING -j CLASSIFY
r POSTROUTING -j CLASSIFY --set-class 1:1 --set-class 1:2
r PREROUTING -j CLASSIFY --set-class 1:1
r INPUT -j CLASSIFY --set-class 1:1
r OUTPUT -j CLASSIFY --set-class 1:1
r POSTROUTING -j CHECKSUM
r POSTROUTING -j CHECKSUM --checksum-fill
r POSTROUTING -j CHECKSUM --checksum-fill --checksum-fill
r POSTROUTING -j CHECKSUM ! --checksum-fill
