# Rules as people write them, what iptables says to them and how it prints them again: DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP, TPROXY.
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
t=nat
for a in 10.0.0.1 10.0.0.1-10.0.0.9 10.0.0.9-10.0.0.1 10.0.0.1-10.0.0.1 10.0.0.1:80 10.0.0.1:80-90 10.0.0.1:90-80 10.0.0.1:80-80 10.0.0.1-10.0.0.9:80 10.0.0.1-10.0.0.9:80-90 :80 :80-90 :80-90/100 10.0.0.1:80-90/100 10.0.0.1:80/100 \
  10.0.0.1:http 10.0.0.1:http-https 10.0.0.1:ssh-http 10.0.0.1:ftp-data 10.0.0.1:0 10.0.0.1:65535 10.0.0.1:65536 10.0.0.1: 10.0.0.1:- 10.0.0.1:80- 10.0.0.1:-80 10.0.0.1:x 10.0.0.1:80x 10.0.0.1:1-2-3 10.0.0.1:1-2/ 10.0.0.1:1-2/x 10.0.0.1:1-2/0 10.0.0.1:1-2/65536 \
  10.0.0.1- -10.0.0.1 10.0.0 10.0.0.256 10.0.0.1/24 localhost x '' : - 0.0.0.0 255.255.255.255 10.0.0.1,10.0.0.2 10.0.0.1:0x50 10.0.0.1:080 10.0.0.1:1:2; do
  r PREROUTING -p tcp -j DNAT --to-destination "$a"
  r PREROUTING -j DNAT --to-destination "$a"
  r POSTROUTING -p udp -j SNAT --to-source "$a"
  r POSTROUTING -j SNAT --to-source "$a"
done
r PREROUTING -j DNAT
r PREROUTING -j DNAT --to 10.0.0.1
r PREROUTING -j DNAT --to-dest 10.0.0.1
r PREROUTING -j DNAT --to-source 10.0.0.1
r PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:80 --random
r PREROUTING -j DNAT --to-destination 10.0.0.1 --persistent
r PREROUTING -j DNAT --to-destination 10.0.0.1 --random --persistent
r PREROUTING -j DNAT --random --to-destination 10.0.0.1
r PREROUTING -j DNAT --random
r PREROUTING -j DNAT --to-destination 10.0.0.1 --to-destination 10.0.0.2
r PREROUTING -j DNAT ! --to-destination 10.0.0.1
r PREROUTING -j DNAT --to-destination 10.0.0.1 --random-fully
r POSTROUTING -j DNAT --to-destination 10.0.0.1
r INPUT -j DNAT --to-destination 10.0.0.1
r OUTPUT -j DNAT --to-destination 10.0.0.1
r PREROUTING -p icmp -j DNAT --to-destination 10.0.0.1:80
r PREROUTING -p sctp -j DNAT --to-destination 10.0.0.1:80
r PREROUTING -p udplite -j DNAT --to-destination 10.0.0.1:80
r PREROUTING -p dccp -j DNAT --to-destination 10.0.0.1:80
r PREROUTING ! -p tcp -j DNAT --to-destination 10.0.0.1:80
r PREROUTING -j DNAT --to-destination 10.0.0.1:80 -p tcp
r PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080
r POSTROUTING -j SNAT
r POSTROUTING -j SNAT --to 10.0.0.1
r POSTROUTING -j SNAT --to-source 10.0.0.1 --random
r POSTROUTING -j SNAT --to-source 10.0.0.1 --random-fully
r POSTROUTING -j SNAT --to-source 10.0.0.1 --random --random-fully
r POSTROUTING -j SNAT --to-source 10.0.0.1 --persistent
r POSTROUTING -j SNAT --persistent --random-fully --random --to-source 10.0.0.1
r POSTROUTING -j SNAT --to-source 10.0.0.1 --to-source 10.0.0.2
r POSTROUTING -j SNAT --random
r PREROUTING -j SNAT --to-source 10.0.0.1
r INPUT -j SNAT --to-source 10.0.0.1
r OUTPUT -j SNAT --to-source 10.0.0.1
for p in 80 80-90 90-80 80-80 0 0-0 65535 65536 -1 80- x http ssh-http http-https '' 1-2-3 80,81 80:90 0x50 080 80-90/100 ' 80'; do
  r POSTROUTING -p tcp -j MASQUERADE --to-ports "$p"
  r POSTROUTING -j MASQUERADE --to-ports "$p"
  r PREROUTING -p udp -j REDIRECT --to-ports "$p"
  r PREROUTING -j REDIRECT --to-ports "$p"
done
r POSTROUTING -j MASQUERADE
r POSTROUTING -j MASQUERADE --random
r POSTROUTING -j MASQUERADE --random-fully
r POSTROUTING -j MASQUERADE --random --random-fully
r POSTROUTING -j MASQUERADE --random-fully --random
r POSTROUTING -j MASQUERADE --random --random
r POSTROUTING -p tcp -j MASQUERADE --random --to-ports 1-2
r POSTROUTING -p tcp -j MASQUERADE --to-ports 1 --to-ports 2
r POSTROUTING -j MASQUERADE --persistent
r POSTROUTING -p icmp -j MASQUERADE --to-ports 1
r PREROUTING -j MASQUERADE
r OUTPUT -j MASQUERADE
r INPUT -j MASQUERADE
r PREROUTING -j REDIRECT
r OUTPUT -j REDIRECT
r INPUT -j REDIRECT
r POSTROUTING -j REDIRECT
r PREROUTING -j REDIRECT --random
r PREROUTING -p tcp -j REDIRECT --to-ports 80 --random
r PREROUTING -p tcp -j REDIRECT --random --to-ports 80
r PREROUTING -p tcp -j REDIRECT --to-port 80
r PREROUTING -p tcp -j REDIRECT --to 80
r PREROUTING -p tcp -j REDIRECT --to-ports 80 --to-ports 81
r PREROUTING -j REDIRECT --random-fully
r PREROUTING -j REDIRECT --persistent
for a in 10.0.0.0/24 10.0.0.1/24 10.0.0.1 10.0.0.1/32 10.0.0.0/255.255.255.0 10.0.0.0/255.0.255.0 10.0.0.0/0 10.0.0.0/33 10.0.0.0/ 10/8 x '' 10.0.0.0/x 0.0.0.0/0 10.0.0.1-10.0.0.2; do
  r PREROUTING -j NETMAP --to "$a"
  r POSTROUTING -d 10.1.0.0/24 -j NETMAP --to "$a"
done
r PREROUTING -j NETMAP
r INPUT -j NETMAP --to 10.0.0.0/24
r OUTPUT -j NETMAP --to 10.0.0.0/24
r PREROUTING -j NETMAP --to 10.0.0.0/24 --to 10.1.0.0/24
r PREROUTING -j REJECT
r PREROUTING -j DROP
t=filter
r INPUT -j DNAT --to-destination 10.0.0.1
r FORWARD -j SNAT --to-source 10.0.0.1
r OUTPUT -j MASQUERADE
r INPUT -j REDIRECT
r INPUT -j NETMAP --to 10.0.0.0/24
t=mangle
for p in 0 80 65535 65536 -1 http x '' 0x50; do
  r PREROUTING -p tcp -j TPROXY --on-port "$p"
done
r PREROUTING -p tcp -j TPROXY --on-port 80 --on-ip 127.0.0.1
r PREROUTING -p udp -j TPROXY --on-ip 127.0.0.1 --on-port 80 --tproxy-mark 0x1/0x1
r PREROUTING -p udp -j TPROXY --on-port 80 --tproxy-mark 1
r PREROUTING -p udp -j TPROXY --on-port 80 --tproxy-mark x
r PREROUTING -p udp -j TPROXY --on-port 80 --on-ip x
r PREROUTING -p udp -j TPROXY
r PREROUTING -p tcp -j TPROXY --on-ip 127.0.0.1
r PREROUTING -j TPROXY --on-port 80
r PREROUTING -p icmp -j TPROXY --on-port 80
r PREROUTING ! -p tcp -j TPROXY --on-port 80
r INPUT -p tcp -j TPROXY --on-port 80
r OUTPUT -p tcp -j TPROXY --on-port 80
