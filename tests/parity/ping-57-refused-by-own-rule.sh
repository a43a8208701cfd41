# A ping that an own rule rejects: the ICMP error and the error of sendmsg.
ip link set lo up
iptables -A OUTPUT -p icmp --icmp-type echo-request -j REJECT
echo "== plain"; ping -n -c 2 -i 0.01 -W 0.15 127.0.0.1
echo "== ttl"; ping -n -c 2 -i 0.01 -W 0.15 -t 62 127.0.0.1
echo "== do"; ping -n -c 2 -i 0.01 -W 0.15 -M do 127.0.0.1
ip addr add 10.0.0.1/32 dev lo
echo "== own"; ping -n -c 2 -i 0.01 -W 0.15 10.0.0.1
echo "== own ttl"; ping -n -c 2 -i 0.01 -W 0.15 -t 62 10.0.0.1
iptables -F; iptables -A INPUT -p icmp --icmp-type echo-request -j REJECT
echo "== in"; ping -n -c 2 -i 0.01 -W 0.15 10.0.0.1
echo "== in ttl"; ping -n -c 2 -i 0.01 -W 0.15 -t 62 10.0.0.1
