# -j CT and -m conntrack: every option as iptables writes it, and what it refuses.
ip link set lo up
N() { echo "== $*"; "$@"; echo "[$?]"; }
T="iptables -t raw -A PREROUTING"
N $T -j CT --zone 5
N $T -j CT --zone-orig 6
N $T -j CT --zone-reply 7
N $T -j CT --zone mark
N $T -j CT --zone-orig mark
N $T -j CT --zone-reply mark
N $T -j CT --notrack
N $T -j NOTRACK
N $T -j CT --zone 70000
N $T -j CT --zone abc
N $T -j CT --zone 0
N $T -j CT --zone 5 --zone-orig 6
N $T -j CT --zone 5 --notrack
N $T -p tcp -j CT --helper nosuch
N $T -j CT --helper averyveryverylongname
N $T -p tcp -j CT --timeout pol
N $T -j CT --ctevents new,destroy
N $T -j CT --ctevents new,related,destroy,reply,assured,protoinfo,helper,mark,natseqinfo,secmark
N $T -j CT --ctevents NEW
N $T -j CT --ctevents foo
N $T -j CT --expevents new
N $T -j CT --expevents foo
N $T -j CT --ctevents new --expevents new --zone 3
N $T -j CT --zone 0x10
N $T -j CT --zone 010
N $T ! -p tcp -j CT --zone 65535
N iptables -A INPUT -j CT --zone 5
N iptables -t raw -A OUTPUT -j CT --zone-orig 1 --zone-reply 2
N $T -j CT --notrack --ctevents new
N $T -j NOTRACK --zone 5
N iptables -t raw -S
N iptables -t raw -L -n
N iptables -t raw -L
C="iptables -A INPUT -m conntrack"
N $C --ctzone 5
N $C
N $C --ctstate NEW,FOO
N $C --ctstate new,established
N $C --ctstate NEW --ctstate INVALID
N $C ! --ctstate NEW,SNAT,DNAT,UNTRACKED
N $C --ctproto tcp
N $C ! --ctproto 17
N $C --ctproto foo
N $C --ctproto 0
N $C --ctorigsrc 10.0.0.0/24 ! --ctorigdst 1.2.3.4 --ctreplsrc 5.5.5.5 --ctrepldst 6.0.0.0/255.0.0.0
N $C --ctproto tcp --ctorigsrcport 80 --ctorigdstport 90:100 --ctreplsrcport http ! --ctrepldstport :5
N $C --ctorigsrcport 80
N $C --ctstatus NONE
N $C --ctstatus EXPECTED,SEEN_REPLY,ASSURED,CONFIRMED
N $C ! --ctstatus seen_reply
N $C --ctstatus FOO
N $C --ctstatus NONE,ASSURED
N $C --ctexpire 100
N $C --ctexpire 100:200
N $C ! --ctexpire :200
N $C --ctexpire 200:
N $C --ctexpire 200:100
N $C --ctexpire x
N $C --ctdir ORIGINAL
N $C --ctdir reply
N $C --ctdir foo
N $C ! --ctdir REPLY
N $C --ctproto tcp --ctorigsrcport 5:4
N $C --ctproto tcp --ctorigsrcport 70000
N iptables -S INPUT
N iptables -L INPUT -n
N iptables -L INPUT
