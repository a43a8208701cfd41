# Commands of iptables-legacy, with their messages.
r() { echo "+ $*"; "$@"; echo "rc=$?"; }
ip link set lo up
r iptables-legacy -S
r iptables-legacy -t nat -S
r iptables-legacy -t foo -S
r iptables-legacy -N web
r iptables-legacy -N web
r iptables-legacy -N alpha
r iptables-legacy -N INPUT
r iptables-legacy -A web -j alpha
r iptables-legacy -A alpha -j web
r iptables-legacy -A web -j web
r iptables-legacy -X alpha
r iptables-legacy -X nope
r iptables-legacy -X INPUT
r iptables-legacy -F nope
r iptables-legacy -A nope -j ACCEPT
r iptables-legacy -A INPUT -j INPUT
r iptables-legacy -A INPUT -j OUTPUT
r iptables-legacy -D INPUT -j ACCEPT
r iptables-legacy -D INPUT 1
r iptables-legacy -I INPUT 3 -j ACCEPT
r iptables-legacy -R INPUT 1 -j ACCEPT
r iptables-legacy -C INPUT -j ACCEPT
r iptables-legacy -A INPUT -j SNAT --to-source 1.2.3.4
r iptables-legacy -t nat -A PREROUTING -j SNAT --to-source 1.2.3.4
r iptables-legacy -t nat -A PREROUTING -j MASQUERADE
r iptables-legacy -A INPUT -j TPROXY
r iptables-legacy -A OUTPUT -i eth0
r iptables-legacy -A INPUT -o eth0
r iptables-legacy -P web ACCEPT
r iptables-legacy -P INPUT REJECT
r iptables-legacy -P nope ACCEPT
r iptables-legacy -E web web2
r iptables-legacy -E nope x
r iptables-legacy -E web2 alpha
r iptables-legacy -E INPUT alpha2
r iptables-legacy -L nope
r iptables-legacy -S nope
r iptables-legacy -Z nope
r iptables-legacy -Z INPUT
r iptables-legacy -L INPUT 1
r iptables-legacy -A INPUT -p tcp --dport 80 -j ACCEPT
r iptables-legacy -A INPUT -m comment --comment "a b" -c 5 6
r iptables-legacy -L INPUT 1 -n -v
r iptables-legacy -S INPUT 1 -v
r iptables-legacy -L -v -n --line-numbers
r iptables-legacy -vS
r iptables-legacy -A INPUT -s 10.0.0.1,10.0.0.2 -d 1.1.1.1 -j DROP
r iptables-legacy -t mangle -A INPUT -j MARK --set-mark 1
r iptables-legacy -t mangle -A PREROUTING -j REJECT
r iptables-legacy -t raw -A PREROUTING -j CT --notrack
r iptables-legacy -t security -S
iptables-legacy-save | grep -v "^#"
r iptables-legacy -X
r iptables-legacy -F
r iptables-legacy -X
r iptables-legacy -V
r iptables -L -n
r iptables-save
