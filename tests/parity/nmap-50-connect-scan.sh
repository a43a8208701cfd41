# nmap -sT -Pn -n: open, closed, filtered ports; several hosts; -sU of a closed and an open port.
for n in h r; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n h link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns r
ip -n h addr add 10.0.0.1/24 dev eth0
ip -n h link set eth0 up
ip -n r addr add 10.0.0.2/24 dev eth0
ip -n r link set eth0 up
sleep 2.5
ip netns exec r http-echo -listen :80 -text hi &
ip netns exec r http-echo -listen :8080 -text hi &
ip netns exec r iptables -A INPUT -p tcp --dport 443 -j DROP
ip netns exec r iptables -A INPUT -p tcp --dport 444 -j REJECT
ip netns exec r iptables -A INPUT -p tcp --dport 445 -j REJECT --reject-with tcp-reset
sleep 0.5
ip netns exec h nmap -sT -Pn -n -p 22,80,443,444,445,8080 10.0.0.2 | sed 's/^Starting Nmap.*/Starting Nmap/;s/([0-9.]*s latency)/(T latency)/;s/in [0-9.]* seconds/in T seconds/'
ip netns exec h nmap -sT -Pn -n -p 80 --reason 10.0.0.2 | grep 'PORT\|tcp'
ip netns exec h nmap -sT -Pn -n -p 80 --open -oG - 10.0.0.2 | grep Ports
ip netns exec h nmap -sT -Pn -n -p 79-81 10.0.0.2 | grep tcp
ip netns exec h nmap -sS -Pn -n -p 80-81 10.0.0.2 | grep tcp
ip netns exec h nmap -sn -n 10.0.0.2 | grep -v '^Starting\|seconds' | sed 's/([0-9.]*s latency)/(T latency)/'
ip netns exec h nmap -sn -n 10.0.0.1-4 | grep report
