# tcp, udp, sctp, multiport, icmp: options as they are read, listed, saved and refused.
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
echo "== sctp filter INPUT"
try filter INPUT -p sctp --sport 5 --dport 80:90
try filter INPUT -p sctp -m sctp ! --dport ssh
try filter INPUT -p sctp --chunk-types any DATA,INIT
try filter INPUT -p sctp ! --chunk-types all DATA:BE,INIT
try filter INPUT -p sctp --chunk-types only ALL
try filter INPUT -p sctp --chunk-types any NONE
try filter INPUT -p sctp --chunk-types foo DATA
try filter INPUT -p sctp --chunk-types any FOO
try filter INPUT -p sctp --chunk-types any DATA:x
try filter INPUT -p sctp --chunk-types any
try filter INPUT -p sctp --dport 99999
try filter INPUT -p sctp --dport 90:80
try filter INPUT -m sctp --dport 5
try filter INPUT -p sctp -m sctp
echo "== icmp filter INPUT"
try filter INPUT -p icmp --icmp-type any
try filter INPUT -p icmp --icmp-type 8
try filter INPUT -p icmp --icmp-type 3/4
try filter INPUT -p icmp ! --icmp-type echo-request
try filter INPUT -p icmp --icmp-type pong
try filter INPUT -p icmp --icmp-type ping
try filter INPUT -p icmp --icmp-type destination-unreachable
try filter INPUT -p icmp --icmp-type network-unreachable
try filter INPUT -p icmp --icmp-type fragmentation-needed
try filter INPUT -p icmp --icmp-type TOS-host-unreachable
try filter INPUT -p icmp --icmp-type source-quench
try filter INPUT -p icmp --icmp-type redirect
try filter INPUT -p icmp --icmp-type host-redirect
try filter INPUT -p icmp --icmp-type time-exceeded
try filter INPUT -p icmp --icmp-type ttl-exceeded
try filter INPUT -p icmp --icmp-type ttl-zero-during-transit
try filter INPUT -p icmp --icmp-type parameter-problem
try filter INPUT -p icmp --icmp-type timestamp-request
try filter INPUT -p icmp --icmp-type address-mask-reply
try filter INPUT -p icmp --icmp-type router-advertisement
try filter INPUT -p icmp --icmp-type host
try filter INPUT -p icmp --icmp-type echo
try filter INPUT -p icmp --icmp-type foo
try filter INPUT -p icmp --icmp-type 256
try filter INPUT -p icmp --icmp-type 3/256
try filter INPUT -p icmp --icmp-type 3/x
try filter INPUT -p icmp --icmp-type 8/0-5
try filter INPUT -p icmp -m icmp
try filter INPUT -m icmp --icmp-type 8
try filter INPUT -p icmp --icmp-type 13
try filter INPUT -p icmp --icmp-type 42
try filter INPUT -p icmp --icmp-type 255
try filter INPUT -p icmp --icmp-type 255/3
try filter INPUT -p icmp ! --icmp-type any
try filter INPUT -p icmp ! --icmp-type 3/3
try filter INPUT -p icmp --icmp-type 8 --icmp-type 0
echo "== tcp filter INPUT"
try filter INPUT -p tcp --tcp-option 3
try filter INPUT -p tcp ! --tcp-option 3
try filter INPUT -p tcp --tcp-option 0
try filter INPUT -p tcp --tcp-option 256
try filter INPUT -p tcp --tcp-flags SYN,ACK SYN
try filter INPUT -p tcp ! --tcp-flags ALL NONE
try filter INPUT -p tcp --tcp-flags ALL ALL
try filter INPUT -p tcp --tcp-flags FOO SYN
try filter INPUT -p tcp --tcp-flags SYN
try filter INPUT -p tcp --syn
try filter INPUT -p tcp ! --syn
try filter INPUT -p tcp --syn --tcp-flags SYN SYN
try filter INPUT -p tcp --sport 1:2 --sport 3
try filter INPUT -p tcp --source-port 5 --destination-port 6
try filter INPUT -p tcp --dport http
try filter INPUT -p tcp --dport foo
try filter INPUT -p tcp --dport 70000
try filter INPUT -p tcp --dport 5:3
try filter INPUT -p udp -m tcp --dport 5
try filter INPUT -p tcp --dport 0:65535
try filter INPUT -p tcp --tcp-flags syn,ack syn
try filter INPUT -p tcp --dport -1
try filter INPUT -p tcp --dport 80,443
try filter INPUT -p tcp --dport
try filter INPUT -p tcp --dport 80 81
try filter INPUT -p tcp -m tcp
echo "== udp filter INPUT"
try filter INPUT -p udp --sport 53 --dport 1024:
try filter INPUT -p udp ! --dport domain
try filter INPUT -p udp -m udp
try filter INPUT -p udp --dport 5 --dport 6
try filter INPUT -p udp --sport 5 --source-port 6
try filter INPUT -p udplite -m udp --dport 5
echo "== multiport filter INPUT"
try filter INPUT -p tcp -m multiport --dports 80,443,1000:2000
try filter INPUT -p tcp -m multiport ! --sports 80
try filter INPUT -p udp -m multiport --ports domain,123
try filter INPUT -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
try filter INPUT -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
try filter INPUT -p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15
try filter INPUT -p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16
try filter INPUT -p tcp -m multiport --dports foo
try filter INPUT -p tcp -m multiport --dports 5:3
try filter INPUT -p tcp -m multiport --dports 5,
try filter INPUT -p tcp -m multiport --dports ,5
try filter INPUT -p tcp -m multiport --dports 70000
try filter INPUT -p tcp -m multiport --dports 5:
try filter INPUT -p tcp -m multiport --dports :5
try filter INPUT -p icmp -m multiport --dports 5
try filter INPUT -m multiport --dports 5
try filter INPUT ! -p tcp -m multiport --dports 5
try filter INPUT -p tcp -m multiport --dports 80 --sports 80
try filter INPUT -p tcp -m multiport --source-ports 80
try filter INPUT -p tcp -m multiport --dports http,https
