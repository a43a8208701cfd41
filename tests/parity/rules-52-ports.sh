# Rules as people write them, what iptables says to them and how it prints them again: tcp, udp, sctp, multiport.
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
for p in 80 0 65535 65536 -1 1:2 1: :2 : 2:1 0:65535 80:80 0x50 080 0120 http ssh:http http: :ssh domain nosuch ftp-data:ftp ssh-http 80,81 '' ' 80' 80x 1:2:3 tcpmux www; do
  r INPUT -p tcp --dport "$p"
  r INPUT -p udp ! --sport "$p"
  r INPUT -p sctp --dport "$p"
done
r INPUT -p tcp --sport 1 --dport 2
r INPUT -p tcp --source-port 1 --destination-port 2
r INPUT -p tcp --dport 2 --sport 1
r INPUT -p tcp ! --dport 2 ! --sport 1
r INPUT -p tcp -m tcp
r INPUT -p tcp -m tcp --dport 0:65535
r INPUT -p tcp -m tcp ! --dport 0:65535
r INPUT -p tcp --dport 1 --dport 2
r INPUT -p tcp -m tcp --dport 1 -m tcp --sport 2
r INPUT -p 6 --dport 1
r INPUT -p tcp --dport 1 -m tcp --sport 2
r INPUT -m tcp --dport 1
r INPUT -m tcp -p tcp --dport 1
r INPUT -m udp -p tcp --dport 1
r INPUT -p udp -m tcp --dport 1
r INPUT ! -p tcp -m tcp --dport 1
r INPUT -p udp --sport 1 --dport 2
r INPUT -p udp -m udp
r INPUT -p udp --dport 1 --dport 2
r INPUT -p udp --syn
r INPUT -p udplite --dport 1
r INPUT -p icmp --dport 1
r INPUT -p all --dport 1
r INPUT -p tcp --syn
r INPUT -p tcp ! --syn
r INPUT -p tcp --syn --tcp-flags ALL SYN
for f in 'SYN SYN' 'ALL ALL' 'ALL NONE' 'NONE NONE' 'SYN,ACK SYN' 'ACK,SYN SYN' 'FIN,SYN,RST,PSH,ACK,URG SYN,ACK' 'FIN,SYN,RST,ACK SYN' 'SYN,RST,ACK,FIN SYN' 'syn,ack SYN' 'SYN ACK' \
  'SYN' 'SYN,NOSUCH SYN' 'SYN NOSUCH' 'ALL,SYN SYN' 'SYN,NONE SYN' ', SYN' 'SYN, SYN' 'SYN,SYN SYN' 'ECE,CWR ECE' '0x02 0x02' 'ALL FIN,URG,PSH'; do
  r INPUT -p tcp --tcp-flags $f
  r INPUT -p tcp ! --tcp-flags $f
done
r INPUT -p tcp --tcp-flags
r INPUT -p tcp --tcp-flags SYN --dport 1
r INPUT -p tcp --tcp-flags SYN SYN --tcp-flags ACK ACK
for o in 0 1 2 8 0x8 255 256 -1 x ''; do
  r INPUT -p tcp --tcp-option "$o"
  r INPUT -p tcp ! --tcp-option "$o"
done
r INPUT -p tcp --tcp-option 8 --tcp-option 9
r INPUT -p tcp ! --tcp-option 8 ! --syn ! --dport 80 ! --sport 79
r INPUT -p sctp --sport 1 --dport 2
r INPUT -p sctp --dport 1 --dport 2
r INPUT -p sctp -m sctp
r INPUT -m sctp --dport 1
for c in 'all INIT' 'any INIT' 'only INIT' 'ALL INIT' 'all DATA,INIT' 'all INIT,DATA' 'any ALL' 'all ALL' 'only NONE' 'any NONE' 'all nosuch' 'most INIT' 'all' \
  'any DATA:U' 'any DATA:u' 'any DATA:UbE' 'any DATA:Ub' 'any DATA:BEUI' 'any DATA:x' 'any ABORT:t' 'any ABORT:T' 'any SHUTDOWN_COMPLETE:t' 'any INIT:t' 'any init,data' \
  'all INIT,INIT_ACK,SACK,HEARTBEAT,HEARTBEAT_ACK,ABORT,SHUTDOWN,SHUTDOWN_ACK,ERROR,COOKIE_ECHO,COOKIE_ACK,ECN_ECNE,ECN_CWR,SHUTDOWN_COMPLETE,ASCONF,ASCONF_ACK,FORWARD_TSN,DATA' 'any I_DATA' 'any RE_CONFIG' 'any PAD' 'any I_FORWARD_TSN' 'any AUTH'; do
  r INPUT -p sctp --chunk-types $c
  r INPUT -p sctp ! --chunk-types $c
done
r INPUT -p sctp --chunk-types any INIT --chunk-types any DATA
r INPUT -p sctp -m sctp --sport 1: ! --dport :5 --chunk-types all INIT
for p in 80 80,443 80,443,8080:8090 1:2,3 http,https http:https '80, 443' 80, ,80 80,,81 '' 0 65535 65536 -1 5:1 1: :1 nosuch 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 \
  1:2,3:4,5:6,7:8,9:10,11:12,13:14,15 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16 80:80 80,80; do
  r INPUT -p tcp -m multiport --dports "$p"
  r INPUT -p udp -m multiport ! --sports "$p"
  r INPUT -p sctp -m multiport --ports "$p"
done
r INPUT -p tcp -m multiport --destination-ports 1,2
r INPUT -p tcp -m multiport --source-ports 1,2
r INPUT -p tcp -m multiport --destination-port 1,2
r INPUT -p tcp -m multiport --dport 1,2
r INPUT -p tcp -m multiport --port 1,2
r INPUT -p tcp -m multiport --dports 1 --sports 2
r INPUT -p tcp -m multiport --dports 1 --dports 2
r INPUT -p tcp -m multiport --dports 1 -m multiport --sports 2
r INPUT -p tcp -m multiport
r INPUT -m multiport --dports 1
r INPUT -p icmp -m multiport --dports 1
r INPUT ! -p tcp -m multiport --dports 1
r INPUT -p all -m multiport --dports 1
r INPUT -p udplite -m multiport --dports 1
r INPUT -p dccp -m multiport --dports 1
r INPUT -p 17 -m multiport --dports 1
r INPUT -m multiport -p tcp --dports 1
r INPUT -m multiport --dports 1 -p tcp
r INPUT -p tcp --dport 1 -m multiport --sports 1,2
