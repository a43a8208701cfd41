# Rules as people write them, what iptables says to them and how it prints them again: limit, hashlimit, quota, recent.
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
for l in 1/s 1/sec 1/second 1/m 1/min 1/minute 1/h 1/hour 1/d 1/day 1 10 10000/s 10001/s 0/s -1/s x/s 1/x 1/ /s '' 5/seconds 1.5/s 1000/min 3/hour 100/day 9999/s 7/s 3/s 6/min 60/min 3600/hour 86400/day 12345678/day 1/SEC 1/Sec 0x5/s 010/s 4294967296/s ' 1/s' 1//s 1/s/s; do
  r INPUT -m limit --limit "$l"
  r INPUT -m hashlimit --hashlimit-upto "$l" --hashlimit-name n
  r INPUT -m hashlimit --hashlimit-above "$l" --hashlimit-name n
done
for b in 0 1 5 10 10000 10001 -1 x '' 0x5 4294967295; do
  r INPUT -m limit --limit-burst "$b"
  r INPUT -m limit --limit 10/s --limit-burst "$b"
  r INPUT -m hashlimit --hashlimit-upto 10/s --hashlimit-burst "$b" --hashlimit-name n
done
r INPUT -m limit
r INPUT -m limit ! --limit 1/s
r INPUT -m limit --limit 1/s --limit 2/s
r INPUT -m limit --limit-burst 7 --limit 3/min
r INPUT -m hashlimit
r INPUT -m hashlimit --hashlimit 5/s --hashlimit-name n
r INPUT -m hashlimit ! --hashlimit-upto 5/s --hashlimit-name n
r INPUT -m hashlimit ! --hashlimit-above 5/s --hashlimit-name n
r INPUT -m hashlimit --hashlimit-upto 5/s
r INPUT -m hashlimit --hashlimit-name n
r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-above 5/s --hashlimit-name n
r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name ''
r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name 'a b'
r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name a/b
r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name 12345678901234
r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name 123456789012345
r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name 1234567890123456
for m in srcip srcport dstip dstport srcip,dstip dstip,srcip srcip,srcport,dstip,dstport srcip,srcip nosuch srcip,nosuch '' SRCIP srcip,; do
  r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-mode "$m" --hashlimit-name n
done
for k in 0 1 24 32 33 x ''; do
  r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-mode srcip,dstip --hashlimit-srcmask "$k" --hashlimit-name n
  r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-mode srcip,dstip --hashlimit-dstmask "$k" --hashlimit-name n
done
for k in 0 1 1000 4294967295 4294967296 -1 x ''; do
  r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name n --hashlimit-htable-size "$k"
  r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name n --hashlimit-htable-max "$k"
  r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name n --hashlimit-htable-expire "$k"
  r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name n --hashlimit-htable-gcinterval "$k"
done
for l in 1kb/s 10kb/s 1mb/s 512b/s 16b/s 1024b/s 1500b/s 100mb/s 1kb/min 1b 1kb; do
  r INPUT -m hashlimit --hashlimit-upto "$l" --hashlimit-name n
  r INPUT -m hashlimit --hashlimit-above "$l" --hashlimit-burst 10kb --hashlimit-name n
done
r INPUT -m hashlimit --hashlimit-upto 1kb/s --hashlimit-burst 5 --hashlimit-name n
r INPUT -m hashlimit --hashlimit-upto 1kb/s --hashlimit-burst 1mb --hashlimit-name n
r INPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-burst 1kb --hashlimit-name n
r INPUT -m hashlimit --hashlimit-above 5/s --hashlimit-name n --hashlimit-rate-match
r INPUT -m hashlimit --hashlimit-above 5/s --hashlimit-name n --hashlimit-rate-match --hashlimit-rate-interval 5
r INPUT -m hashlimit --hashlimit-above 5/s --hashlimit-name n --hashlimit-rate-interval 5
r INPUT -m hashlimit --hashlimit-upto 5/min --hashlimit-burst 3 --hashlimit-mode srcip,dstport --hashlimit-name ssh --hashlimit-srcmask 24 --hashlimit-htable-size 64 --hashlimit-htable-max 128 --hashlimit-htable-gcinterval 500 --hashlimit-htable-expire 30000
for q in 0 1 1000 18446744073709551615 18446744073709551616 -1 x '' 0x10 1k; do
  r INPUT -m quota --quota "$q"
  r INPUT -m quota ! --quota "$q"
done
r INPUT -m quota
r INPUT -m quota --quota 1 --quota 2
r INPUT -m recent
r INPUT -m recent --set
r INPUT -m recent ! --set
r INPUT -m recent --rcheck
r INPUT -m recent ! --rcheck
r INPUT -m recent --update
r INPUT -m recent ! --update
r INPUT -m recent --remove
r INPUT -m recent ! --remove
r INPUT -m recent --set --rcheck
r INPUT -m recent --set --set
r INPUT -m recent --name a
for s in 0 1 60 4294967295 4294967296 -1 x ''; do
  r INPUT -m recent --rcheck --seconds "$s"
  r INPUT -m recent --update --hitcount "$s"
done
r INPUT -m recent --rcheck --hitcount 20
r INPUT -m recent --rcheck --hitcount 21
r INPUT -m recent --rcheck --hitcount 255 --name h255
r INPUT -m recent --rcheck --hitcount 256 --name h256
r INPUT -m recent --rcheck --hitcount 65535 --name h65535
r INPUT -m recent --set --seconds 5
r INPUT -m recent --set --hitcount 5
r INPUT -m recent --remove --seconds 5
r INPUT -m recent --rcheck --reap
r INPUT -m recent --rcheck --seconds 5 --reap
r INPUT -m recent --update --seconds 5 --hitcount 3 --rttl --name ssh --rsource
r INPUT -m recent --update --rttl
r INPUT -m recent --set --rttl
r INPUT -m recent --set --rdest
r INPUT -m recent --set --rsource --rdest
r INPUT -m recent --set --name ''
r INPUT -m recent --set --name 'a b'
r INPUT -m recent --set --name a/b
r INPUT -m recent --set --name a
r INPUT -m recent --set --name a --name b
for k in 255.255.255.0 255.255.255.255 0.0.0.0 24 255.255 x '' 255.0.255.0; do
  r INPUT -m recent --set --mask "$k"
done
r INPUT -m recent --set --name 1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
r INPUT -m recent --set --name 12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890
