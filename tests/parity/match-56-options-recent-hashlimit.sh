# recent and hashlimit: options as they are read, listed, saved and refused.
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
echo "== recent filter INPUT"
try filter INPUT -m recent --set --rcheck
try filter INPUT -m recent ! --set
try filter INPUT -m recent --set ! --name x
try filter INPUT -m recent ! --update --seconds 10 --hitcount 3 --rttl --name foo --rdest --mask 255.255.255.0
try filter INPUT -m recent --rcheck --reap
try filter INPUT -m recent --rcheck --reap --seconds 0
try filter INPUT -m recent --set --seconds 3
try filter INPUT -m recent --set --rttl
try filter INPUT -m recent --remove --hitcount 3
try filter INPUT -m recent --rcheck --hitcount 65535
try filter INPUT -m recent --rcheck --hitcount 65536
try filter INPUT -m recent --rcheck --hitcount -1
try filter INPUT -m recent --rcheck --seconds x
try filter INPUT -m recent --rcheck --seconds 0x10 --hitcount 010
try filter INPUT -m recent --rcheck --seconds
try filter INPUT -m recent --set --set
try filter INPUT -m recent --set --name a/b
try filter INPUT -m recent --set --name ..
try filter INPUT -m recent --set --mask 255.255.0.255
try filter INPUT -m recent --set --mask 24
try filter INPUT -m recent --set --mask x
try filter INPUT -m recent --set --rsource --rdest
try filter INPUT -m recent --set --rdest --rsource
try filter INPUT -m recent --rcheck --seconds 4294967296
try filter INPUT -m recent --rch --sec 5 --hit 2
try filter INPUT -m recent --rcheck --name ""
try filter INPUT -m recent --set --foo
echo "== hashlimit filter INPUT"
try filter INPUT -m hashlimit --hashlimit 5/min --hashlimit-name x --hashlimit-mode srcip
try filter INPUT -m hashlimit --hashlimit-upto 5/min
try filter INPUT -m hashlimit --hashlimit-name x
try filter INPUT -m hashlimit ! --hashlimit-upto 5/min --hashlimit-name x
try filter INPUT -m hashlimit ! --hashlimit-above 5/min --hashlimit-name x
try filter INPUT -m hashlimit ! --hashlimit 5/min --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 5/min --hashlimit-above 6/min --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit 5/min --hashlimit-upto 6/min --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 5/foo --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 0/s --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 5/ --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 5 --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 10000000/s --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 7/hour --hashlimit-burst 10 --hashlimit-name x --hashlimit-mode srcip,dstport,dstip,srcport
try filter INPUT -m hashlimit --hashlimit-upto 7/day --hashlimit-name x --hashlimit-mode foo
try filter INPUT -m hashlimit --hashlimit-upto 7/day --hashlimit-name x --hashlimit-mode srcip,foo
try filter INPUT -m hashlimit --hashlimit-upto 7/day --hashlimit-name x --hashlimit-srcmask 24 --hashlimit-dstmask 16 --hashlimit-mode srcip,dstip
try filter INPUT -m hashlimit --hashlimit-upto 7/day --hashlimit-name x --hashlimit-srcmask 33
try filter INPUT -m hashlimit --hashlimit-upto 7/day --hashlimit-name x --hashlimit-burst 0
try filter INPUT -m hashlimit --hashlimit-upto 7/day --hashlimit-name x --hashlimit-burst 1000001
try filter INPUT -m hashlimit --hashlimit-upto 7/day --hashlimit-name x --hashlimit-burst 1000000
try filter INPUT -m hashlimit --hashlimit-upto 7/s --hashlimit-name x --hashlimit-burst foo
try filter INPUT -m hashlimit --hashlimit-upto 512kb/s --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 512kb/s --hashlimit-name x --hashlimit-burst 1mb
try filter INPUT -m hashlimit --hashlimit-upto 512kb/s --hashlimit-name x --hashlimit-burst 1
try filter INPUT -m hashlimit --hashlimit-above 1000b/s --hashlimit-name x --hashlimit-mode srcip
try filter INPUT -m hashlimit --hashlimit-above 1mb/s --hashlimit-name x --hashlimit-mode srcip --hashlimit-burst 10mb
try filter INPUT -m hashlimit --hashlimit-above 3mb/s --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-above 100mb/s --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-above 100gb/s --hashlimit-name x
try filter INPUT -m hashlimit --hashlimit-upto 7/s --hashlimit-name x --hashlimit-htable-size 100 --hashlimit-htable-max 300 --hashlimit-htable-gcinterval 500 --hashlimit-htable-expire 2000
try filter INPUT -m hashlimit --hashlimit-upto 7/s --hashlimit-name x --hashlimit-htable-expire 0
try filter INPUT -m hashlimit --hashlimit-upto 7/s --hashlimit-name x --hashlimit-htable-gcinterval 0
try filter INPUT -m hashlimit --hashlimit-upto 7/s --hashlimit-name x --hashlimit-htable-size -1
try filter INPUT -m hashlimit --hashlimit-upto 7/min --hashlimit-name x --hashlimit-rate-match
try filter INPUT -m hashlimit --hashlimit-upto 7/sec --hashlimit-name x --hashlimit-rate-match --hashlimit-rate-interval 5
try filter INPUT -m hashlimit --hashlimit-upto 7/sec --hashlimit-name x --hashlimit-rate-match --hashlimit-rate-interval 0
try filter INPUT -m hashlimit --hashlimit-upto 7kb/s --hashlimit-name x --hashlimit-rate-match
try filter INPUT -m hashlimit --hashlimit-upto 7/sec --hashlimit-name a/b
try filter INPUT -m hashlimit --hashlimit-upto 7/sec --hashlimit-name ""
try filter INPUT -m hashlimit --hashlimit-upto 7/sec --hashlimit-name x ! --hashlimit-mode srcip
try filter INPUT -m hashlimit --hashlimit-upto 7/sec --hashlimit-name x --hashlimit-name y
