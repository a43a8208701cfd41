# Rules as people write them, what iptables says to them and how it prints them again: mark, connmark, MARK, CONNMARK, statistic, conntrack, state, connlimit, CT, NOTRACK.
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
t=mangle
for m in 0 1 0x1 10 0x10 010 0xffffffff 4294967295 4294967296 -1 x '' 1/1 0x1/0xff 1/ /1 1/0 0xff/0xf 1/0xffffffff 1/2/3 0xFF/0xFF ' 1' '1 '; do
  r INPUT -m mark --mark "$m"
  r INPUT -m mark ! --mark "$m"
  r INPUT -m connmark --mark "$m"
  r INPUT -m connmark ! --mark "$m"
  r INPUT -j MARK --set-mark "$m"
  r INPUT -j MARK --set-xmark "$m"
  r INPUT -j MARK --and-mark "$m"
  r INPUT -j MARK --or-mark "$m"
  r INPUT -j MARK --xor-mark "$m"
  r INPUT -j CONNMARK --set-mark "$m"
  r INPUT -j CONNMARK --set-xmark "$m"
  r INPUT -j CONNMARK --and-mark "$m"
  r INPUT -j CONNMARK --or-mark "$m"
  r INPUT -j CONNMARK --xor-mark "$m"
  r INPUT -j CONNMARK --save-mark --mask "$m"
  r INPUT -j CONNMARK --restore-mark --mask "$m"
  r INPUT -j CONNMARK --save-mark --nfmask "$m" --ctmask 0xff
  r INPUT -j CONNMARK --restore-mark --nfmask 0xff --ctmask "$m"
done
r INPUT -m mark
r INPUT -m connmark
r INPUT -m mark --mark 1 --mark 2
r INPUT -j MARK
r INPUT -j MARK --set-mark
r INPUT -j MARK --set-mark 1 --set-mark 2
r INPUT -j MARK --set-mark 1 --or-mark 2
r INPUT -j MARK --set-xmark 1 --set-mark 2
r INPUT -j MARK ! --set-mark 1
r INPUT -j CONNMARK
r INPUT -j CONNMARK --save-mark
r INPUT -j CONNMARK --restore-mark
r INPUT -j CONNMARK --save-mark --restore-mark
r INPUT -j CONNMARK --save-mark --nfmask 1 --mask 1
r INPUT -j CONNMARK --save-mark --nfmask 1
r INPUT -j CONNMARK --save-mark --ctmask 1
r INPUT -j CONNMARK --mask 1
r INPUT -j CONNMARK --nfmask 1
r INPUT -j CONNMARK --set-mark 1 --mask 1
r INPUT -j CONNMARK --set-mark 1 --save-mark
r INPUT -j CONNMARK --left-shift-mark 3
r INPUT -j CONNMARK --save-mark --left-shift-mark 3
r INPUT -j CONNMARK --set-mark 1 --left-shift-mark 3
r INPUT -j CONNMARK --set-mark 1 --right-shift-mark 3
r INPUT -j CONNMARK --restore-mark --right-shift-mark 32
for p in 0 1 0.5 0.50000 .5 0.1 0.2 0.25 0.33 0.333 0.33333333349 0.9999999999 0.0000000001 1.0 1.1 2 -0.1 1e-3 50% x '' 0,5; do
  r INPUT -m statistic --mode random --probability "$p"
  r INPUT -m statistic --mode random ! --probability "$p"
done
for p in 0 1 2 10 0x10 010 65535 65536 4294967295 4294967296 -1 x ''; do
  r INPUT -m statistic --mode nth --every "$p"
  r INPUT -m statistic --mode nth ! --every 10 --packet "$p"
done
r INPUT -m statistic
r INPUT -m statistic --mode
r INPUT -m statistic --mode nosuch
r INPUT -m statistic --mode random
r INPUT -m statistic --mode nth
r INPUT -m statistic --mode nth --packet 1
r INPUT -m statistic --probability 0.5
r INPUT -m statistic --every 2
r INPUT -m statistic --mode random --every 2
r INPUT -m statistic --mode nth --probability 0.5
r INPUT -m statistic --mode nth --every 2 --packet 2
r INPUT -m statistic --mode nth --every 2 --packet 1
r INPUT -m statistic --mode nth --every 2 --every 3
r INPUT -m statistic ! --mode nth --every 2
r INPUT -m statistic --every 3 --mode nth
