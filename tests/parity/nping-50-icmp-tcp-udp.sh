# nping: icmp, tcp and udp probes (times and ids cut off).
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
sleep 0.5
ip netns exec h nping --icmp -c 2 --delay 0.2 10.0.0.2 | grep '^SENT\|^RCVD' | sed 's/([0-9.]*s)/(T)/;s/id=[0-9]*/id=ID/g'
ip netns exec h nping --icmp -c 1 10.0.0.2 | tail -n 4 | sed 's/[0-9.]*ms/Tms/g;s/in [0-9.]* seconds/in T seconds/'
ip netns exec h nping --tcp-connect -c 1 -p 80 10.0.0.2 | grep '^SENT\|^RCVD' | sed 's/([0-9.]*s)/(T)/'
ip netns exec h nping --tcp-connect -c 1 -p 81 10.0.0.2 | grep '^SENT\|^RCVD' | sed 's/([0-9.]*s)/(T)/'
ip netns exec h nping --tcp -c 1 -g 1234 -p 81 10.0.0.2 | grep '^SENT\|^RCVD' | sed 's/([0-9.]*s)/(T)/;s/id=[0-9]*/id=ID/g;s/seq=[0-9]*/seq=SEQ/'
ip netns exec h nping --udp -c 1 -g 1234 -p 9 10.0.0.2 | grep '^SENT\|^RCVD' | sed 's/([0-9.]*s)/(T)/;s/id=[0-9]*/id=ID/g'
ip netns exec h nping --icmp -c 1 --ttl 7 --data-length 20 10.0.0.2 | grep '^SENT\|^RCVD' | sed 's/([0-9.]*s)/(T)/;s/id=[0-9]*/id=ID/g'
ip netns exec h nping --arp -c 1 10.0.0.2 | grep '^SENT\|^RCVD' | sed 's/([0-9.]*s)/(T)/'
