# prelude: plain
ip netns exec s sysctl -qw net.ipv4.icmp_ratelimit=0
t() { echo "\$ $*"; "$@"; echo "[$?]"; }
t host
t host -z a
t host -t foo a
t host -c foo a
t host -t a
t host -V
t host -h
t host a b c
t nslookup -foo a
t nslookup a b c
t nslookup -type=foo a
t nslookup -class=foo a
t nslookup -version
t host a nosuch.server
t nslookup a nosuch.server
t dig @nosuch.server a
t dig +foo a
t dig -z a
t dig -t
t dig +bufsize=x a
t dig +bufsize=99999 a
t dig -p x a
t dig a..b
t host a..b
t nslookup a..b
t dig -x foo +noall
t dig -b 1.2 a
t dig +tries a
t dig -t foo +time=1 +tries=1 a @10.0.0.53
t dig -v
t dig a AA -c XX +time=1
t dig -f nofile
