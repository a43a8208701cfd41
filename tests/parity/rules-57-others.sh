# Rules as people write them, what iptables says to them and how it prints them again: string, u32, owner, set, physdev, rpfilter, SET.
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
for s in abc 'a b' 'a"b' "a'b" 'a\b' '' 'a|b' '|00|' é "	tab" '!x' -x 12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678; do
  r INPUT -m string --algo bm --string "$s"
  r INPUT -m string --algo kmp ! --string "$s"
done
for s in '|00ff|' '|00 ff|' 'a|62|c' '|616263|' '|6162' '61|62' '|6|' '|xx|' 'abc' '' '|0A|' '\|00' '|20 41|' 'a\|b'; do
  r INPUT -m string --algo bm --hex-string "$s"
  r INPUT -m string --algo kmp ! --hex-string "$s"
done
for a in bm kmp BM nosuch ''; do
  r INPUT -m string --algo "$a" --string x
done
for n in 0 1 65535 65536 -1 x '' 0x10; do
  r INPUT -m string --algo bm --string x --from "$n"
  r INPUT -m string --algo bm --string x --to "$n"
done
r INPUT -m string
r INPUT -m string --algo bm
r INPUT -m string --string x
r INPUT -m string --algo bm --string x --hex-string '|00|'
r INPUT -m string --string x --algo bm --icase
r INPUT -m string --string x --algo bm ! --icase
r INPUT -m string --from 5 --to 3 --string x --algo bm
r INPUT -m string --from 0 --to 65535 --string x --algo bm
r INPUT -m string --from 1 --to 100 ! --string 'GET /' --algo kmp --icase
for u in '0=0' '6&0xFF=1' '0>>22&0x3C@4>>16=80' '0=0x10:0x20' '0=1,2,3' '0=1:2,5' '0=0&&4=1' '0&0xFFFF=0x100:0xFFFF' '6 & 0xFF = 1' '0<<3=1' '' '0' '0=' 'x=1' '0&=1' '0=1 && ' '0==1' '0=2:1' '0=1:' '4294967296=1' '0>>22&0x3C@0>>24=0' '0x0=0X0' '010=8'; do
  r INPUT -m u32 --u32 "$u"
  r INPUT -m u32 ! --u32 "$u"
done
r INPUT -m u32
for u in 0 root nobody 1000 nosuch 0-10 10-0 0-4294967295 4294967295 4294967296 -1 '' 5- -5 root-nobody 0x10; do
  r OUTPUT -m owner --uid-owner "$u"
  r OUTPUT -m owner ! --gid-owner "$u"
done
r OUTPUT -m owner --gid-owner nogroup
r OUTPUT -m owner
r OUTPUT -m owner --socket-exists
r OUTPUT -m owner ! --socket-exists
r OUTPUT -m owner --uid-owner 0 --gid-owner 0 --socket-exists
r OUTPUT -m owner --uid-owner 0 --suppl-groups
r OUTPUT -m owner --gid-owner 0 --suppl-groups
r OUTPUT -m owner --uid-owner 0 --uid-owner 1
r OUTPUT -m owner --pid-owner 1
r INPUT -m owner --uid-owner 0
r FORWARD -m owner --uid-owner 0
ipset create a hash:ip
ipset create ap hash:ip,port
ipset create aa hash:ip,port,ip
for d in src dst src,dst dst,src src,src,dst src,src,src,src,src,src src,src,src,src,src,src,src SRC source '' src, ,src nosuch src,nosuch; do
  r INPUT -m set --match-set a "$d"
  r INPUT -m set ! --match-set ap "$d"
done
r INPUT -m set
r INPUT -m set --match-set
r INPUT -m set --match-set a
r INPUT -m set --match-set nosuch src
r INPUT -m set --match-set '' src
r INPUT -m set --match-set 12345678901234567890123456789012 src
r INPUT -m set --match-set 1234567890123456789012345678901 src
r INPUT -m set --match-set a src --match-set ap src
r INPUT -m set --match-set a src -m set --match-set ap src,dst
r INPUT -m set --match-set a src --return-nomatch
r INPUT -m set ! --match-set a src --return-nomatch
r INPUT -m set --match-set a src ! --return-nomatch
r INPUT -m set --match-set a src ! --update-counters
r INPUT -m set --match-set a src --update-counters
r INPUT -m set --match-set a src ! --update-subcounters
for o in packets-eq packets-lt packets-gt bytes-eq bytes-lt bytes-gt; do
  r INPUT -m set --match-set a src --$o 5
  r INPUT -m set --match-set a src ! --$o 5
  r INPUT -m set --match-set a src --$o x
done
r INPUT -m set --match-set a src --packets-eq 1 --packets-lt 2
r INPUT -m set --match-set a src --packets-eq 1 --bytes-gt 2
r INPUT -j SET
r INPUT -j SET --add-set a src
r INPUT -j SET --add-set a
r INPUT -j SET --add-set nosuch src
r INPUT -j SET --del-set a src,dst
r INPUT -j SET --add-set a src --del-set ap src,dst
r INPUT -j SET --add-set a src --exist
r INPUT -j SET --add-set a src --timeout 10
r INPUT -j SET --add-set a src --timeout 10 --exist
r INPUT -j SET --add-set a src --timeout x
r INPUT -j SET --timeout 10
r INPUT -j SET --exist
r INPUT -j SET --map-set a src --map-mark
r INPUT -j SET --map-set a src
r INPUT -j SET --add-set a src --add-set ap src
t=mangle
r FORWARD -j SET --map-set a src --map-mark
r FORWARD -j SET --map-set a src --map-mark --map-prio --map-queue
r FORWARD -j SET --map-set a src
t=filter
ipset destroy
for i in eth0 eth+ + '' 1234567890123456; do
  r FORWARD -m physdev --physdev-in "$i"
  r FORWARD -m physdev ! --physdev-out "$i" --physdev-is-bridged
done
r FORWARD -m physdev
r FORWARD -m physdev --physdev-is-in
r FORWARD -m physdev ! --physdev-is-in
r FORWARD -m physdev --physdev-is-out
r FORWARD -m physdev ! --physdev-is-out
r FORWARD -m physdev --physdev-is-bridged
r FORWARD -m physdev ! --physdev-is-bridged
r FORWARD -m physdev --physdev-in a --physdev-out b --physdev-is-bridged
r FORWARD -m physdev --physdev-out b
r INPUT -m physdev --physdev-out b
r OUTPUT -m physdev --physdev-out b
r FORWARD -m physdev --physdev-is-in --physdev-is-out --physdev-is-bridged
r FORWARD -m physdev --physdev-in a --physdev-in b
r FORWARD -m physdev --physdev-in a --physdev-is-in
t=mangle
r PREROUTING -m rpfilter
r PREROUTING -m rpfilter --loose
r PREROUTING -m rpfilter --validmark
r PREROUTING -m rpfilter --accept-local
r PREROUTING -m rpfilter --invert
r PREROUTING -m rpfilter --loose --validmark --accept-local --invert
r PREROUTING -m rpfilter --invert --loose
r PREROUTING -m rpfilter ! --loose
r PREROUTING -m rpfilter --loose --loose
r INPUT -m rpfilter
t=filter
r INPUT -m rpfilter
t=raw
r PREROUTING -m rpfilter
r OUTPUT -m rpfilter
