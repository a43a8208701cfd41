# Rules as people write them, what iptables says to them and how it prints them again: conntrack, state, connlimit, CT, NOTRACK.
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
for s in NEW ESTABLISHED RELATED INVALID UNTRACKED SNAT DNAT new New est N NEW,ESTABLISHED RELATED,ESTABLISHED ESTABLISHED,RELATED,NEW,INVALID,UNTRACKED,SNAT,DNAT NEW,NEW NEW, ,NEW NEW,,INVALID 'NEW, RELATED' NOSUCH NEW,NOSUCH '' all ALL NONE; do
  r INPUT -m conntrack --ctstate "$s"
  r INPUT -m conntrack ! --ctstate "$s"
  r INPUT -m state --state "$s"
  r INPUT -m state ! --state "$s"
  r INPUT -m conntrack --ctstatus "$s"
done
for s in NONE EXPECTED SEEN_REPLY ASSURED CONFIRMED none expected,assured CONFIRMED,NONE; do
  r INPUT -m conntrack --ctstatus "$s"
  r INPUT -m conntrack ! --ctstatus "$s"
done
for d in ORIGINAL REPLY original orig Reply both '' x; do
  r INPUT -m conntrack --ctdir "$d"
  r INPUT -m conntrack ! --ctdir "$d"
done
for p in tcp udp icmp 6 17 0 all 255 256 nosuch '' TCP; do
  r INPUT -m conntrack --ctproto "$p"
  r INPUT -m conntrack ! --ctproto "$p"
done
for a in 10.0.0.1 10.0.0.0/8 10.0.0.1/24 10.0.0.1/255.0.255.0 10.0.0.1/0 10/8 0/0 10.0.0.1,10.0.0.2 10.0.0.1/33 x '' ::1 localhost; do
  r INPUT -m conntrack --ctorigsrc "$a"
  r INPUT -m conntrack ! --ctorigdst "$a"
  r INPUT -m conntrack --ctreplsrc "$a"
  r INPUT -m conntrack ! --ctrepldst "$a"
done
for p in 80 1:2 2:1 1: :2 : 0 65535 65536 http ssh:http nosuch '' x -1 80,81; do
  r INPUT -m conntrack --ctproto tcp --ctorigsrcport "$p"
  r INPUT -m conntrack --ctproto tcp ! --ctorigdstport "$p"
  r INPUT -p tcp -m conntrack --ctreplsrcport "$p"
  r INPUT -m conntrack ! --ctrepldstport "$p"
done
for e in 0 1 100 4294967295 4294967296 -1 x '' 1:2 1: :2 : 2:1 5:5 0x10 1:2:3; do
  r INPUT -m conntrack --ctexpire "$e"
  r INPUT -m conntrack ! --ctexpire "$e"
done
r INPUT -m conntrack
r INPUT -m conntrack --ctstate
r INPUT -m conntrack --ctstate NEW --ctstate INVALID
r INPUT -m conntrack --ctdir ORIGINAL --ctstate NEW --ctproto tcp --ctorigsrc 10.0.0.1 --ctorigdst 10.0.0.2 --ctorigsrcport 1 --ctorigdstport 2 --ctexpire 1:9 --ctstatus ASSURED
r INPUT -m conntrack ! --ctrepldst 10.0.0.4 --ctreplsrc 10.0.0.3 ! --ctstate NEW
r INPUT -m conntrack --ctstate NEW -m conntrack --ctdir REPLY
r INPUT --ctstate NEW
r INPUT -m state
r INPUT -m state --state NEW --state INVALID
r INPUT -m state --state NEW -m state --state INVALID
r INPUT -m state --ctstate NEW
r INPUT -m conntrack --state NEW
for n in 0 1 10 0x10 4294967295 4294967296 -1 x ''; do
  r INPUT -m connlimit --connlimit-above "$n"
  r INPUT -m connlimit --connlimit-upto "$n"
  r INPUT -m connlimit --connlimit-above 10 --connlimit-mask "$n"
done
r INPUT -m connlimit
r INPUT -m connlimit --connlimit-mask 24
r INPUT -m connlimit ! --connlimit-above 10
r INPUT -m connlimit ! --connlimit-upto 10
r INPUT -m connlimit --connlimit-above 10 --connlimit-upto 10
r INPUT -m connlimit --connlimit-above 10 --connlimit-mask 32
r INPUT -m connlimit --connlimit-above 10 --connlimit-mask 33
r INPUT -m connlimit --connlimit-above 10 --connlimit-mask 24 --connlimit-daddr
r INPUT -m connlimit --connlimit-above 10 --connlimit-saddr
r INPUT -m connlimit --connlimit-above 10 --connlimit-saddr --connlimit-daddr
r INPUT -p tcp --syn -m connlimit --connlimit-above 2 -j REJECT
t=raw
r PREROUTING -j NOTRACK
r PREROUTING -j NOTRACK --notrack
r OUTPUT -j CT
r PREROUTING -j CT --notrack
r PREROUTING -j CT --notrack --zone 1
for z in 0 1 65535 65536 -1 x '' 0x10 mark; do
  r PREROUTING -j CT --zone "$z"
  r PREROUTING -j CT --zone-orig "$z"
  r PREROUTING -j CT --zone-reply "$z"
done
r PREROUTING -j CT --zone 1 --zone-orig 2
r PREROUTING -j CT --zone-orig 1 --zone-reply 2
r PREROUTING -j CT --zone 1 --zone 2
for e in new related destroy reply assured protoinfo helper mark natseqinfo secmark NEW new,destroy destroy,new nosuch new,nosuch ''; do
  r PREROUTING -j CT --ctevents "$e"
done
for e in new new,new NEW ''; do
  r PREROUTING -j CT --expevents "$e"
done
r PREROUTING -j CT --ctevents new --expevents new --zone 3
r PREROUTING -j CT --helper nosuch
r PREROUTING -p tcp -j CT --helper nosuch
r PREROUTING -j CT --timeout nosuch
r PREROUTING -p tcp -j CT --timeout nosuch
t=filter
r INPUT -j CT --notrack
r INPUT -j NOTRACK
