# Sets that rules use: references, destroy, rename, swap; what iptables says of sets and of their options.
ipset create h hash:ip
ipset create n hash:net
ipset create p hash:ip,port
ipset create g hash:ip
ipset add g 10.0.0.1
iptables -A INPUT -m set --match-set h src
iptables -A INPUT -m set ! --match-set h src,dst -j ACCEPT
iptables -A INPUT -j SET --add-set h src --exist --timeout 20 --del-set n dst
iptables -t nat -A PREROUTING -m set --match-set p dst,dst -j ACCEPT
iptables -A INPUT -m set ! --match-set h src --return-nomatch ! --update-counters --packets-gt 5 ! --bytes-eq 7
iptables -A INPUT -m set --match-set h src --update-counters ! --update-subcounters --bytes-lt 010
iptables -S
iptables -L -n
iptables -L INPUT
iptables-save >rules
cat rules | grep set
ipset list -t
ipset destroy h
ipset rename h z
ipset rename p z
ipset rename g n
ipset rename g z
ipset swap h z
ipset list h
ipset list z
ipset swap h n
ipset destroy
iptables -F
iptables -t nat -F
iptables-restore <rules
ipset list -t h
iptables -D INPUT -m set --match-set h src
iptables -C INPUT -m set --match-set h src
iptables -A INPUT -m set --match-set
iptables -A INPUT -m set --match-set h
iptables -A INPUT -m set --match-set h -j ACCEPT
iptables -A INPUT -m set --match-set h foo
iptables -A INPUT -m set --match-set foo src
iptables -D INPUT -m set --match-set foo src
iptables -A INPUT -m set
iptables -A INPUT -m set --match-set h src,dst,src,dst,src,dst,src
iptables -A INPUT -m set --match-set h source,destination,src,dst,src,dst
iptables -A INPUT -m set --match-set h src --match-set h dst
iptables -A INPUT -m set --match-set abcdefghijklmnopqrstuvwxyzabcdefgh src
iptables -A INPUT -m set --match-set h src ! --return-nomatch
iptables -A INPUT -m set --match-set h src --packets-gt x
iptables -A INPUT -m set --match-set h src --packets-gt 5 --packets-lt 7
iptables -A INPUT -m set --match-set h src --bytes-gt 5 --bytes-lt 7
iptables -A INPUT -m set --match-set h src ! --packets-gt 5
iptables -A INPUT -m set --match-set h src,foo
iptables -A INPUT -m set --return-nomatch
iptables -A INPUT -j SET
iptables -A INPUT -j SET --del-set h src --exist
iptables -A INPUT -j SET --del-set h src --timeout 5
iptables -A INPUT -j SET --add-set foo src
iptables -A INPUT -j SET --add-set h
iptables -A INPUT -j SET --add-set h foo
iptables -A INPUT -j SET --add-set h src --add-set h dst
iptables -A INPUT -j SET --add-set h src --timeout x
iptables -A INPUT -j SET --add-set h src --timeout 4294967295
iptables -A INPUT -j SET --map-set h src
iptables -A INPUT -j SET --map-mark --add-set h src
iptables -A INPUT -j SET --map-set z src --map-mark
iptables -t mangle -A FORWARD -j SET --map-set z src --map-prio --map-queue --map-mark --add-set p src,dst
iptables -t mangle -S FORWARD
iptables -t mangle -L FORWARD -n
iptables-restore <<EOF
*filter
-A INPUT -m set --match-set h src -j ACCEPT
-A INPUT -m set --match-set foo src -j ACCEPT
COMMIT
EOF
iptables -S INPUT
