# Rules as people write them, what iptables says to them and how it prints them again: addresses, protocols, devices.
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
for a in 10.0.0.1 10.0.0.1/32 10.0.0.1/24 10.0.0.0/8 10/8 10.1/16 10.1.2/24 10.1.2 10.1 10 0/0 0.0.0.0/0 0 0.0.0.0 \
  0.0.0.0/32 255.255.255.255 10.0.0.1/255.255.255.255 10.0.0.1/255.255.255.0 10.0.0.1/255.0.255.0 10.0.0.1/0.0.0.255 10.0.0.1/0.0.0.0 \
  10.0.0.1/0 10.0.0.1/33 10.0.0.1/-1 10.0.0.1/ 10.0.0.1/x 10.0.0.1/255.255.255 10.0.0.1/24/24 10.0.0.1/024 10.0.0.1/0x18 10.0.0.1/255.256.0.0 \
  010.0.0.1 0x0a000001 10.0.0.256 10.0.0 10.0.0.0.1 10..0.1 .10 10. 256 167772161 localhost localhost/8 \
  10.0.0.1,10.0.0.2 10.0.0.1,10.0.1.0/24,10.0.0.1 '10.0.0.1, 10.0.0.2' ,10.0.0.1 10.0.0.1, 10.0.0.1,,10.0.0.2 10.0.0.1/24,10.0.0.2/24 1.2.3.4/0,5.6.7.8/0 ::1 10.0.0.1-10.0.0.2; do
  r INPUT -s "$a"
  r INPUT ! -d "$a"
done
r INPUT -s 10.0.0.1,10.0.0.2 -d 10.1.0.1,10.1.0.2 -j ACCEPT
r INPUT ! -s 10.0.0.1 ! -d 10.1.0.1,10.1.0.2
r INPUT ! -s 0/0
r INPUT -s 0/0 -d 0/0
for p in tcp udp icmp sctp udplite esp ah gre ipip ipencap igmp ospf vrrp dccp icmpv6 ipv6-icmp ipv6 all ALL TCP Udp 0 1 2 4 6 06 0x6 17 41 47 50 51 89 94 97 103 108 112 115 132 136 137 143 200 254 255 256 300 -1 1a nosuch ip hopopt st ggp \
  egp igp pup hmp xns-idp rdp iso-tp4 xtp ddp idpr-cmtp ipv6-route ipv6-frag idrp rsvp skip ipv6-nonxt ipv6-opts rspf eigrp ax.25 etherip encap pim ipcomp l2tp isis fc mobility-header mpls-in-ip manet hip shim6 wesp rohc ethernet mh ipv6-mh; do
  r INPUT -p $p
done
for p in tcp 17 all 0 gre; do
  r INPUT ! -p $p
done
for i in eth0 eth+ + e+h 'a b' a/b a:b eth0.100 veth-a_b.c 123456789012345 1234567890123456 12345678901234+ 123456789012345+ '*' '!x' -x é; do
  r FORWARD -i "$i"
  r FORWARD ! -o "$i"
done
r FORWARD ! -i eth0 ! -o eth1
r FORWARD ! -i +
r FORWARD -i + -o +
