# prelude: plain
ip netns exec s sysctl -qw net.ipv4.icmp_ratelimit=0
t() { echo "\$ $*"; "$@"; echo "[$?]"; }
t dig www.example.com
t dig +tcp www.example.com
t dig @10.0.0.99 +time=1 www.example.com
t dig @10.0.0.99 +time=5 +tries=1 +tcp www.example.com
t dig @192.0.2.1 +time=1 www.example.com
t dig @192.0.2.1 +tcp +time=1 www.example.com
t dig +short www.example.com
t host www.example.com
t host www.example.com 192.0.2.1
t host -T www.example.com 
t host -W 1 www.example.com 10.0.0.99
t nslookup www.example.com
t nslookup www.example.com 192.0.2.1
t nslookup -timeout=1 www.example.com 10.0.0.99
ip netns exec s iptables -A INPUT -p udp --dport 53 -j DROP
t dig +time=1 +tries=2 www.example.com
t dig +time=1 +retry=0 +short www.example.com
t host -W 1 www.example.com
t nslookup -timeout=1 www.example.com
printf 'nameserver 10.0.0.53\nnameserver 10.0.0.54\n' > /etc/resolv.conf
t dig +time=1 www.example.com
t host -W 1 www.example.com
t nslookup -timeout=1 www.example.com
t nslookup -timeout=1 -retry=1 www.example.com
printf 'nameserver 10.0.0.53\noptions timeout:1 attempts:2\n' > /etc/resolv.conf
t dig www.example.com
t nslookup  www.example.com
t host www.example.com
iptables -A OUTPUT -p udp --dport 53 -j DROP
t dig +time=1 www.example.com
iptables -F OUTPUT
iptables -A OUTPUT -p udp --dport 53 -j REJECT --reject-with icmp-host-unreachable
t dig +time=1 www.example.com
