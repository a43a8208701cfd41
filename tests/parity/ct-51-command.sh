# conntrack -I, -U, -G, -D and -L with their options and refusals.
ip link set lo up
ip addr add 10.0.2.1/24 dev lo
iptables -A OUTPUT -m conntrack --ctstate INVALID
N() { echo "== conntrack $*"; conntrack "$@"; echo "[$?]"; }
N -I -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 1000 --dport 2000 -t 100 --state ESTABLISHED -u SEEN_REPLY,ASSURED -m 7
N -I -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 1001 --dport 2000 -t 100
N -I -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 1001 --dport 2000 -t 100 --state NONE
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1000 --dport 2000 -t 100 -w 5
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1000 --dport 2000 -t 100 --orig-zone 6
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1000 --dport 2000 -t 100 --reply-zone 7
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1002 --dport 2000 -t 100 -n 5.5.5.5
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1003 --dport 2000 -t 100 -n 5.5.5.5:600
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1004 --dport 2000 -t 100 -g 6.6.6.6:700
N -I -s 1.1.1.1 -d 2.2.2.2 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77 -t 100
N -I -s 1.1.1.1 -d 2.2.2.2 -p udplite --orig-port-src 5 --orig-port-dst 6 -t 100
N -I -s 1.1.1.1 -d 2.2.2.2 -p 99 -t 100
N -I -s 1.1.1.1 -d 2.2.2.2 -p ospf -t 100
N -I -s 1.1.1.1 -d 2.2.2.2 -p esp -t 100
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1010 -t 100
N -I -s 1.1.1.1 -p udp --sport 1010 --dport 5 -t 100
N -I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 9.9.9.9 -p udp --sport 1011 --dport 5 -t 100
N -I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 9.9.9.9 -p udp --sport 1012 --dport 5 --reply-port-src 5 --reply-port-dst 99 -t 100 -u SEEN_REPLY,FIXED_TIMEOUT
conntrack -L | sort
for u in UNSET assured FIXED_TIMEOUT EXPECTED OFFLOAD HW_OFFLOAD CONFIRMED SRC_NAT DST_NAT UNREPLIED UNREPLIED,ASSURED SEEN_REPLY UNSET,SEEN_REPLY NONE; do N -L -u $u; done
N -L -w 5
N -L --orig-zone 6
N -L --reply-zone 7
N -L --orig-zone 5
N -L -n 5.5.5.5
N -L -n 5.5.5.5:600
N -L -g 6.6.6.6
N -L -j
N -L -j 5.5.5.5
N -L -p icmp --icmp-id 77
N -L -p udp --sport 1000:1002
N -L -p udp --orig-port-src 1000
N -L -m 7
N -L -m 0x7/0xf
N -L -m x
N -L -o extended,save
N -D -m 7
N -D -w 5
N -D -n
conntrack -L | sort
N -U -s 1.1.1.1 -u UNSET
N -L -e NEW
N -L -t 5
N -C -p tcp
N -S -p tcp
N -F -s 1.1.1.1
N -G -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 1002 --dport 2000 -o extended,id
N -G -p udp -r 2.2.2.2 -q 5.5.5.5 --reply-port-src 2000 --reply-port-dst 1002
N -D -p tcp --state ESTABLISHED
N -L conntrack
N -Lconntrack
N -L --src 1.1.1.1
N -L --sr 1.1.1.1
N -L --dump
N --dump
N -L -L
N -L -s 1.1.1.1 -s 2.2.2.2
N -L -s 1.1.1.1/33
N -L -s ::1
N -L -p tcp --sport 99999
N -L -p tcp --sport abc
N -L -p icmp --sport 5
N -L -p tcp --icmp-type 5
N -L --mask-src 255.0.0.0
N -L -s 1.1.1.1 --mask-src 255.0.0.0
N -L -l foo
N -L -c 5
N -L -w abc
N -L -w 70000
N -L -x
N -L foo=bar
N -I -p tcp -h
N -h -p tcp
N -h -p udp
N -h -p icmp
N() { echo "== conntrack $*"; conntrack "$@"; echo "[$?]"; }
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1002 --dport 2000 -t 100 -n 5.5.5.5 -m 9 
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1003 --dport 2000 -t 100 -g 6.6.6.6:600 -w 4
N -I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1004 --dport 2000 -t 100 --orig-zone 7 -u SEEN_REPLY,ASSURED,FIXED_TIMEOUT
N -I -s 1.1.1.1 -d 2.2.2.2 -p 99 -t 100
N -U -p udp -m 5
N -U -p 99 -m 5
N -U -p 99 -m 5
N -U -p 99 -u SEEN_REPLY
N -U -p 99 -u UNSET
N -L -p 99
N -C
N -L conntrack bar
N bar
N -A -s 1.1.1.2 -d 2.2.2.2 -p 99 -t 100
N -A -s 1.1.1.2 -d 2.2.2.2 -p 99 -t 100
N -G -p 99 -s 1.1.1.1 -d 2.2.2.2
N -L -s 1.1.1.1 -f ipv6
N -L -s 1.1.1.1/24
N -L -s 1.1.1.0/255.255.255.0
N -L -s 1.1.1.1 -d ::1
N -L -n foo
N -L -n 5.5.5.5:
N -L -n :600
N -L -n 5.5.5.5:abc
N -I -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 5 --dport 6 -t 10 -u SEEN_REPLY -o extended
N -I -p udp -r 1.1.1.1 -q 2.2.2.2 --reply-port-src 5 --reply-port-dst 6 -t 10
N -I -p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 5 --state ESTABLISHED -t 10
N -I -p icmp -s 1.1.1.1 -d 2.2.2.2 -t 10
N -I -p udp -s 3.1.1.1 -d 2.2.2.2 --sport 5 --dport 6 -t 10 -u EXPECTED
N -D expect
N -F expect
N -I expect
N -E expect -e NEW
N -L -p tcp -u S
N -L -u a
N -L -p tcp --state est
N -L -p tcp --state established
N -L --version
N -V foo
N -s 1.1.1.1
N -L --dum
N --dum
N --ver
N -L --proto tcp
N -L --protonum=tcp -m0
N -L -ptcp
N -L -p 6 --sport 5
N -L -p TCP
N -L -p 300
N -L -p -5
