# string, u32, length, tcpmss, tcp options and flags: what a packet holds.
for n in c s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns s
ip -n c addr add 10.0.0.1/24 dev eth0
ip -n c addr add 10.0.0.3/24 dev eth0
ip -n c link set eth0 up
ip -n s addr add 10.0.0.2/24 dev eth0
ip -n s link set eth0 up
ip netns exec s udp-echo -listen :7000 -text pong &
ip netns exec s http-echo -listen :80 -text "hello there" &
sleep 2.5
ip netns exec s iptables -A INPUT -p udp -m string --string probe --algo bm
ip netns exec s iptables -A INPUT -p udp -m string --string PROBE --algo bm
ip netns exec s iptables -A INPUT -p udp -m string --string PROBE --algo kmp --icase
ip netns exec s iptables -A INPUT -p udp -m string ! --string probe --algo kmp
ip netns exec s iptables -A INPUT -p udp -m string --hex-string "|70 72|obe" --algo bm
ip netns exec s iptables -A INPUT -p udp -m string --string probe --algo bm --from 28
ip netns exec s iptables -A INPUT -p udp -m string --string probe --algo bm --from 29
ip netns exec s iptables -A INPUT -p udp -m string --string probe --algo bm --to 28
ip netns exec s iptables -A INPUT -p udp -m string --string probe --algo bm --to 27
ip netns exec s iptables -A INPUT -p udp -m string --string probe --algo kmp --from 20 --to 33
ip netns exec s iptables -A INPUT -p udp -m u32 --u32 "6&0xff=17"
ip netns exec s iptables -A INPUT -p udp -m u32 --u32 "0>>22&0x3c@0&0xffff=7000"
ip netns exec s iptables -A INPUT -p udp -m u32 --u32 "0>>22&0x3c@8=0x70726f62"
ip netns exec s iptables -A INPUT -p udp -m u32 --u32 "0&0xffff=33,60:70"
ip netns exec s iptables -A INPUT -p udp -m u32 --u32 "8>>24=64&&12=0x0a000001"
ip netns exec s iptables -A INPUT -p udp -m u32 ! --u32 "8>>24=64"
ip netns exec s iptables -A INPUT -p udp -m u32 --u32 "100=0:0xffffffff"
ip netns exec s iptables -A INPUT -p udp -m u32 ! --u32 "100=0:0xffffffff"
ip netns exec s iptables -A INPUT -p udp -m length --length 33
ip netns exec s iptables -A INPUT -p udp -m length --length 34:
ip netns exec s iptables -A INPUT -p udp -m length ! --length 0:100
ip netns exec s iptables -A INPUT -p tcp --syn -m tcpmss --mss 1460
ip netns exec s iptables -A INPUT -p tcp --syn -m tcpmss --mss 500:1400
ip netns exec s iptables -A INPUT -p tcp --syn -m tcpmss ! --mss 500:1400
ip netns exec s iptables -A INPUT -p tcp --syn --tcp-option 2
ip netns exec s iptables -A INPUT -p tcp --syn --tcp-option 3
ip netns exec s iptables -A INPUT -p tcp --syn --tcp-option 4
ip netns exec s iptables -A INPUT -p tcp --syn --tcp-option 8
ip netns exec s iptables -A INPUT -p tcp --syn --tcp-option 5
ip netns exec s iptables -A INPUT -p tcp --syn ! --tcp-option 30
ip netns exec s iptables -A INPUT -p tcp --tcp-flags SYN,ACK,FIN,RST SYN
ip netns exec s iptables -A INPUT -p tcp --tcp-flags ALL SYN
ip netns exec s iptables -A INPUT -p tcp --tcp-flags ALL SYN,ACK
ip netns exec s iptables -A INPUT -p tcp --tcp-flags SYN NONE -m string --string "GET /" --algo bm
ip netns exec s iptables -A INPUT -p tcp -m string --string "GET /secret" --algo bm -j REJECT --reject-with tcp-reset
ip netns exec c udp-probe -timeout 0.3 10.0.0.2:7000
ip netns exec c udp-probe -timeout 0.3 -size 100 10.0.0.2:7000
ip netns exec c curl -s -m 2 http://10.0.0.2/
ip netns exec c curl -s -m 2 http://10.0.0.2/secret
echo "rc=$?"
ip netns exec c ip route change 10.0.0.0/24 dev eth0 advmss 1000
ip netns exec c nc -z -w 1 10.0.0.2 80
ip netns exec s iptables -S INPUT -v | grep udp
ip netns exec s iptables -S INPUT -v | grep syn
ip netns exec s iptables -S INPUT -v | grep -E "tcp-flags|GET"
ip netns exec s iptables -L INPUT -n
