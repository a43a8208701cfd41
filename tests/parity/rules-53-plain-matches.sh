# Rules as people write them, what iptables says to them and how it prints them again: icmp, addrtype, pkttype, mac, iprange, length, ttl, tcpmss, tos, dscp.
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
for y in 0 8 any echo-reply echo-request ping pong destination-unreachable network-unreachable host-unreachable protocol-unreachable port-unreachable fragmentation-needed source-route-failed \
  network-unknown host-unknown network-prohibited host-prohibited TOS-network-unreachable TOS-host-unreachable communication-prohibited host-precedence-violation precedence-cutoff \
  source-quench redirect network-redirect host-redirect TOS-network-redirect TOS-host-redirect router-advertisement router-solicitation time-exceeded ttl-exceeded ttl-zero-during-transit \
  ttl-zero-during-reassembly parameter-problem ip-header-bad required-option-missing timestamp-request timestamp-reply address-mask-request address-mask-reply \
  8/0 3/4 0x8 010 255 256 255/255 3/256 -1 8/ /0 8/0/0 8/x x nosuch '' Echo-Request PING echo-req e time destination host 40; do
  r INPUT -p icmp --icmp-type "$y"
  r INPUT -p icmp ! --icmp-type "$y"
done
r INPUT -p icmp
r INPUT -p icmp -m icmp
r INPUT -p 1 --icmp-type 8
r INPUT -m icmp --icmp-type 8
r INPUT -p tcp -m icmp --icmp-type 8
r INPUT ! -p icmp -m icmp --icmp-type 8
r INPUT -p icmp --icmp-type 8 --icmp-type 0
r INPUT -p icmp --icmp-type
for y in UNSPEC UNICAST LOCAL BROADCAST ANYCAST MULTICAST BLACKHOLE UNREACHABLE PROHIBIT THROW NAT XRESOLVE local Local UNI LOCAL,BROADCAST BROADCAST,LOCAL LOCAL, ,LOCAL LOCAL,NOSUCH NOSUCH '' \
  UNSPEC,UNICAST,LOCAL,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT; do
  r INPUT -m addrtype --dst-type "$y"
  r INPUT -m addrtype ! --src-type "$y"
done
r INPUT -m addrtype
r INPUT -m addrtype --src-type LOCAL --dst-type UNICAST
r INPUT -m addrtype ! --dst-type LOCAL ! --src-type UNICAST --limit-iface-in
r INPUT -m addrtype --dst-type LOCAL --dst-type UNICAST
r INPUT -m addrtype --dst-type LOCAL --limit-iface-in
r INPUT -m addrtype --dst-type LOCAL --limit-iface-out
r OUTPUT -m addrtype --dst-type LOCAL --limit-iface-out
r OUTPUT -m addrtype --dst-type LOCAL --limit-iface-in
r FORWARD -m addrtype --dst-type LOCAL --limit-iface-in
r FORWARD -m addrtype --dst-type LOCAL --limit-iface-in --limit-iface-out
r INPUT -m addrtype --dst-type LOCAL ! --limit-iface-in
r INPUT -m addrtype --limit-iface-in
for y in unicast broadcast multicast host bcast mcast Unicast to_host nosuch any '' 1; do
  r INPUT -m pkttype --pkt-type "$y"
  r INPUT -m pkttype ! --pkt-type "$y"
done
r INPUT -m pkttype
r INPUT -m pkttype --pkt-type unicast --pkt-type host
for y in 02:00:00:00:00:01 02:00:00:00:00:0a 02:00:00:00:00:0A 2:0:0:0:0:1 02-00-00-00-00-01 020000000001 02:00:00:00:00 02:00:00:00:00:01:02 02:00:00:00:00:gg 02:00:00:00:00:100 ff:ff:ff:ff:ff:ff nosuch ''; do
  r INPUT -m mac --mac-source "$y"
  r INPUT -m mac ! --mac-source "$y"
done
r INPUT -m mac
r OUTPUT -m mac --mac-source 02:00:00:00:00:01
r FORWARD -m mac --mac-source 02:00:00:00:00:01
r INPUT -m mac --mac-source 02:00:00:00:00:01 --mac-source 02:00:00:00:00:02
for y in 10.0.0.1-10.0.0.9 10.0.0.1 10.0.0.9-10.0.0.1 10.0.0.1-10.0.0.1 10.0.0.1- -10.0.0.1 10.0.0.1-x x 10.0.0.1-10.0.0.256 10.0.0.1-10.0.0.2-10.0.0.3 '10.0.0.1 - 10.0.0.9' 10-11 0.0.0.0-255.255.255.255 ''; do
  r INPUT -m iprange --src-range "$y"
  r INPUT -m iprange ! --dst-range "$y"
done
r INPUT -m iprange --dst-range 1.1.1.1-1.1.1.2 --src-range 2.2.2.2-2.2.2.3
r INPUT -m iprange ! --dst-range 1.1.1.1-1.1.1.2 ! --src-range 2.2.2.2-2.2.2.3
r INPUT -m iprange --src-range 1.1.1.1-1.1.1.2 --src-range 2.2.2.2-2.2.2.3
r INPUT -m iprange
for y in 0 1 100 65535 65536 -1 x '' 1:2 1: :2 : 2:1 0:65535 5:5 0x10 010 1:2:3 1:x 1,2 1-2; do
  r INPUT -m length --length "$y"
  r INPUT -m length ! --length "$y"
  r INPUT -p tcp -m tcpmss --mss "$y"
  r INPUT -p tcp -m tcpmss ! --mss "$y"
done
r INPUT -m length
r INPUT -m length --length 1 --length 2
r INPUT -m tcpmss --mss 1
r INPUT -p udp -m tcpmss --mss 1
r INPUT -p tcp -m tcpmss
for y in 0 1 64 255 256 -1 x '' 0x40 077 64: ; do
  r INPUT -m ttl --ttl-eq "$y"
  r INPUT -m ttl ! --ttl-eq "$y"
  r INPUT -m ttl --ttl-lt "$y"
  r INPUT -m ttl --ttl-gt "$y"
done
r INPUT -m ttl --ttl 64
r INPUT -m ttl ! --ttl 64
r INPUT -m ttl ! --ttl-lt 64
r INPUT -m ttl
r INPUT -m ttl --ttl-eq 1 --ttl-lt 2
r INPUT -m ttl --ttl-gt 1 --ttl-lt 9
for y in 0 1 0x10 16 0x3f 63 64 0x40 -1 x '' 077; do
  r INPUT -m dscp --dscp "$y"
  r INPUT -m dscp ! --dscp "$y"
done
for y in BE EF AF11 AF12 AF13 AF21 AF22 AF23 AF31 AF32 AF33 AF41 AF42 AF43 CS0 CS1 CS2 CS3 CS4 CS5 CS6 CS7 be ef Af11 AF14 nosuch ''; do
  r INPUT -m dscp --dscp-class "$y"
done
r INPUT -m dscp ! --dscp-class EF
r INPUT -m dscp
r INPUT -m dscp --dscp 1 --dscp-class EF
for y in 0 0x10 16 255 256 0x10/0x3f 0x10/0 16/63 0x10/ /0x3f Minimize-Delay minimize-delay Maximize-Throughput Maximize-Reliability Minimize-Cost Normal-Service Minimize nosuch '' -1 0xff/0xff 0x100/0xff; do
  r INPUT -m tos --tos "$y"
  r INPUT -m tos ! --tos "$y"
done
r INPUT -m tos
r INPUT -m tos --tos 1 --tos 2
