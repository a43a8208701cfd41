# What iptables-restore reads: blanks, quotes, counters, zeros, long words; and what it wrote itself, read again.
# r [OPTION]: restores standard input, prints what INPUT and the own chains hold then, and empties the table.
r() {
  iptables-restore "$@"
  echo "rc=$?"
  iptables-save -c -t filter | grep -v '^[#*]' | grep -v 'ACCEPT \[0:0\]'
  iptables -F
  iptables -X
  iptables -P INPUT ACCEPT
}
p() {
  printf '== %s %s\n' "$1" "$2"
  printf "$1" | r $2
}
p '*filter\n  -A INPUT -p tcp\nCOMMIT\n'
p '*filter\n\t-A\tINPUT\t-p\ttcp\t\nCOMMIT\n'
p '*filter\n-A INPUT -p tcp\n  COMMIT\n'
p '*filter\n-A INPUT -p tcp\n  # x\nCOMMIT\n'
p ' *filter\n-A INPUT -p tcp\nCOMMIT\n'
p '*filter\n   \nCOMMIT\n'
p '*filter\n\n\n#x\nCOMMIT\n'
p '*filter\nCOMMIT \n'
p '*filter \n-A INPUT\nCOMMIT'
p '*filter x\n-A INPUT\nCOMMIT\n'
p '*nope\nCOMMIT\n'
p '*\nCOMMIT\n'
p '*filter\n*nat\nCOMMIT\n'
p '*filter\n-A INPUT\n'
p 'COMMIT\n'
p ''
p '*filter\n-A INPUT -m comment --comment "a"b\nCOMMIT\n'
p '*filter\n-A INPUT -m comment --comment a"b c"\nCOMMIT\n'
p '*filter\n-A INPUT -m comment --comment "a \\"b\\" \\\\ c"\nCOMMIT\n'
p '*filter\n-A INPUT -m comment --comment a\\b\nCOMMIT\n'
p "*filter\n-A INPUT -m comment --comment 'a b'\nCOMMIT\n"
p "*filter\n-A INPUT -m comment --comment \"it's\"\nCOMMIT\n"
p '*filter\n-A INPUT -m comment --comment ""\nCOMMIT\n'
p '*filter\n-A INPUT -m comment --comment "a\n-p tcp"\nCOMMIT\n'
p '*filter\n-A INPUT -s 10.0.0.1\000.5 -j ACCEPT\nCOMMIT\n'
p '*filter\n\000-A INPUT -j ACCEPT\nCOMMIT\n'
p '*filter\n:\nCOMMIT\n'
p '*filter\n:x\nCOMMIT\n'
p '*filter\n:x y z\nCOMMIT\n' -c
p '*filter\n:x - [5:6]\nCOMMIT\n' -c
p '*filter\n:INPUT NOPE\nCOMMIT\n'
p '*filter\n:INPUT DROP [5:6]\nCOMMIT\n'
p '*filter\n:INPUT DROP [5:6]\nCOMMIT\n' -c
p '*filter\n:INPUT DROP [5:6] junk\nCOMMIT\n' -c
p '*filter\n:INPUT ACCEPT\nCOMMIT\n' -c
p '*filter\n:INPUT ACCEPT [x:y]\nCOMMIT\n' -c
p '*filter\n:INPUT ACCEPT [x:y]\nCOMMIT\n'
p '*filter\n:ACCEPT -\nCOMMIT\n'
p '*filter\n:!a -\nCOMMIT\n'
p '*filter\n:a2345678901234567890123456789 - [0:0]\nCOMMIT\n'
p '*filter\n[1:2] -A INPUT\nCOMMIT\n' -c
p '*filter\n[1:2]-A INPUT\nCOMMIT\n' -c
p '*filter\n[1:2] -A INPUT\nCOMMIT\n'
p '*filter\n[x:y] -A INPUT\nCOMMIT\n' -c
p '*filter\n[x:y] -A INPUT\nCOMMIT\n'
p '*filter\n[1:2 -A INPUT\nCOMMIT\n'
p '*filter\n[1:2] \nCOMMIT\n' -c
p '*filter\n-A INPUT -t nat\nCOMMIT\n'
p '*filter\n-A INPUT -p tcp --dport 99999\nCOMMIT\n'
p '*filter\n-A INPUT --nosuch\nCOMMIT\n'
p '*filter\n-A INPUT stray\nCOMMIT\n'
p '*filter\n-A INPUT -m iprange --src-range 10.0.0.9-10.0.0.1\nCOMMIT\n'
p '*filter\n-N a\n-N a\nCOMMIT\n'
p '*filter\n-N a\n-A a -j a\nCOMMIT\n'
p '*filter\n:a - [0:0]\n-A a -g a\n-A INPUT -j a\nCOMMIT\n'
p '*filter\n:a - [0:0]\n:b - [0:0]\n-A a -j b\n-A b -j a\n-A INPUT -j a\nCOMMIT\n'
x=xxxxxxxxxxxxxxxx
for i in 1 2 3 4 5 6; do x=$x$x; done
echo "== a long word"
printf "*filter\n-A INPUT -m comment --comment $x\nCOMMIT\n" | r
w='-m tcp'
for i in 1 2 3 4 5 6 7; do w="$w $w"; done
echo "== many words"
printf "*filter\n-A INPUT $w -p tcp\nCOMMIT\n" | r
echo '== verbose'
iptables -N a
iptables -v -A INPUT -s 10.0.0.1 ! -d 10.1.0.0/16 -i eth0 -p tcp --dport 80 -j ACCEPT
iptables -v -A INPUT -p udp -f -j REJECT
iptables -v -A OUTPUT ! -o eth+ ! -p icmp -m mark --mark 1 -j LOG
iptables -A INPUT -v -g a
iptables -v -I INPUT 1 -s 1.1.1.1,2.2.2.2 -j a
iptables -v -D INPUT -s 1.1.1.1 -j a
iptables -v -C INPUT -s 2.2.2.2 -j a
iptables -v -R INPUT 1 -j a
iptables -v -D INPUT 1
iptables -v -A INPUT
iptables -F
iptables -X
echo '== round trip'
iptables-restore <<'END'
*filter
:web - [0:0]
:sub - [0:0]
-A INPUT -p tcp --syn -m multiport --dports ssh,http,https -m conntrack --ctstate NEW -m limit --limit 3/min --limit-burst 7 -j web
-A INPUT -m comment --comment "say \"hi\", it's \\ me" -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT ! -s 10.0.0.0/8 ! -i lo -p icmp --icmp-type echo-request -m recent --set --name seen
-A INPUT -p udp ! --sport :1023 -m statistic --mode random --probability 0.3 -j LOG --log-prefix "[udp] " --log-level debug
-A INPUT -m hashlimit --hashlimit-above 10/sec --hashlimit-mode srcip --hashlimit-name h -j DROP
-A web -m string --algo bm --hex-string "a|00 ff|b" -j REJECT --reject-with tcp-reset -p tcp
-A web -m u32 --u32 "6&0xFF=1 && 0>>22&0x3C@0>>24=8" -j RETURN
-A web -g sub -m mark ! --mark 0x10/0xff -m iprange --src-range 10.0.0.1-10.0.0.9
COMMIT
END
echo "rc=$?"
iptables -D INPUT 5
iptables -D web 3
iptables-save | grep -v '^#' >one
iptables-restore <one
echo "rc=$?"
iptables-save | grep -v '^#' >two
cat two
cat one two | sort | uniq -c | sort | head -n 3
