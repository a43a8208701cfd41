# ip tunnel add, change, show, del; recorded with the default net.core.fb_tunnels_only_for_init_net=0 and the ipip module loaded: every namespace has tunl0.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip -o link show tunl0 | sed 's/^[0-9]*: //'
ip tunnel show
ip tunnel add t1 mode ipip local 192.168.0.1 remote 192.168.0.3 ttl 64
ip tunnel add t2 mode ipip remote 192.168.0.4
ip -d link show t1 | sed 's/^[0-9]*: //;s/gso_max_size.*//'
ip tunnel show t1
ip tunnel show
ip tunnel add t3 mode ipip remote 192.168.0.3 local 192.168.0.1
echo "rc=$?"
ip tunnel add t1 mode ipip remote 192.168.0.5
echo "rc=$?"
ip tunnel add t4 mode ipip remote 192.168.0.6 nopmtudisc ttl 5
echo "rc=$?"
ip tunnel add t4 mode ipip remote 192.168.0.6 nopmtudisc
ip tunnel show t4
ip tunnel change t1 remote 192.168.0.9
ip tunnel show t1
ip addr add 172.17.0.1 peer 172.17.0.2 dev t1
ip link set t1 up
ip -o addr show t1 | sed 's/^[0-9]*: //'
ip route
ip tunnel del t1
ip link del t2
ip tunnel del tunl0
echo "rc=$?"
ip tunnel add mode ipip remote 192.168.0.7
echo "rc=$?"
ip tunnel show | sort
