# At most 15 jumps from a built-in chain; chains that no packet reaches may lead in a circle; what a restore says of each line.
ip link set lo up
n() { iptables -F; iptables -X; for i in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do iptables -N c$i; done; }
n
next() { printf "c%02d" $(($1 + 1)); }
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do iptables -A $(next $((i - 1))) -j $(next $i) || echo "fails at $i"; done
echo "from the end"
for i in 8 7 6 5 4 3 2 1; do iptables -A INPUT -j $(next $((i - 1))) || echo "INPUT fails at $i"; done
n
echo "from the beginning"
iptables -A INPUT -j c01
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do iptables -A $(next $((i - 1))) -j $(next $i) || echo "fails at $i"; done
iptables -A c15 -j ACCEPT
iptables -A c01 -j c01
iptables -A c15 -j c02
iptables -A c16 -j c16
iptables -A c17 -j c18
iptables -A c18 -j c17
iptables -A OUTPUT -j c16
iptables -A OUTPUT -j c18
iptables -D INPUT 1
iptables -A OUTPUT -j c15
iptables-save | grep -v "^#"
ping -c 1 -W 0.3 127.0.0.1
iptables -L INPUT -v -n -x
iptables -L c15 -v -n -x
iptables -F
iptables -X
iptables-restore <<X
*filter
:a - [0:0]
:b - [0:0]
-A a -j b
-A b -j a
-A INPUT -j ACCEPT
-A INPUT -j a
-A INPUT -j DROP
-A FORWARD -p tcp -j REJECT
-D INPUT -j ACCEPT
:c - [0:0]
-A c -j ACCEPT
COMMIT
X
echo "rc=$?"
iptables-restore <<X
*nat
:web - [0:0]
-A web -j SNAT --to-source 1.1.1.1
-A PREROUTING -j web
-A OUTPUT -j ACCEPT
COMMIT
*filter
-A INPUT -j ACCEPT
COMMIT
X
echo "rc=$?"
iptables-restore <<X
*nat
:web - [0:0]
-A PREROUTING -j web
-A web -j SNAT --to-source 1.1.1.1
-A OUTPUT -j ACCEPT
COMMIT
X
echo "rc=$?"
iptables-save | grep -v "^#"
iptables -N INPUT
iptables -t nat -N FORWARD
iptables -t nat -A FORWARD -j ACCEPT
iptables -t nat -A PREROUTING -j FORWARD
iptables -t nat -S
