# What iptables-legacy-restore says of good and bad input.
r() { echo "+ $1"; printf "$1" | iptables-legacy-restore $2; echo "rc=$?"; }
r '*filter\n-A INPUT -j nosuch\nCOMMIT\n'
r '*filter\n:a - [0:0]\n:b - [0:0]\n-A a -j b\n-A b -j a\n-A INPUT -j a\nCOMMIT\n'
r '*nat\n-A PREROUTING -j SNAT --to-source 1.1.1.1\n-A OUTPUT -j ACCEPT\nCOMMIT\n'
r '*nosuch\nCOMMIT\n'
r '*filter\n-A nope -j ACCEPT\nCOMMIT\n'
r '*filter\n-D INPUT -j ACCEPT\nCOMMIT\n'
r '*filter\n:web - [0:0]\n-A INPUT -j ACCEPT\n'
r '*filter\n:web - [0:0]\n-A INPUT -g web\n-A web -p tcp --dport 80 -j RETURN\nCOMMIT\n'
r '*filter\n:INPUT FOO [0:0]\nCOMMIT\n'
r '*filter\n:web ACCEPT [0:0]\nCOMMIT\n'
r '*filter\n[5:6] -A INPUT -p icmp\n:INPUT DROP [0:0]\nCOMMIT\n' -c
iptables-legacy-save -c | grep -v '^#'
r '*filter\n:web - [0:0]\n-A web -j ACCEPT\nCOMMIT\n' --noflush
r '*filter\n-I INPUT 9 -j ACCEPT\nCOMMIT\n' --noflush
r '*filter\n-X INPUT\nCOMMIT\n' --noflush
r '*filter\n-N web\nCOMMIT\n' --noflush
r '*filter\n-P INPUT FOO\nCOMMIT\n' --noflush
r 'foo\n'
r '*filter\n-A INPUT --bogus\nCOMMIT\n'
r '*filter\n-A INPUT -p tcp --dport 99999\nCOMMIT\n'
r '*filter\n-A INPUT -j INPUT\nCOMMIT\n' --noflush
iptables-legacy-save -c | grep -v '^#'
iptables-legacy-save -t nat| grep -v '^#'
iptables-legacy-save -t foo
iptables-legacy-save -V
iptables-legacy-restore -V
iptables-legacy-restore --bogus
iptables-legacy-save --bogus
cat /proc/net/ip_tables_names
