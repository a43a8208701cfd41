# ss: -tln, -uln, -tan, -uan, -H, state and address filters, summary-free parts; TIME-WAIT after an active close.
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
ip netns exec r http-echo -listen 10.0.0.2:8080 -text hi &
ip netns exec r udp-echo -listen :53 -text hi &
ip netns exec r udp-echo -listen 10.0.0.2:67 -text hi &
sleep 0.7
ip netns exec r ss -tln | sort
ip netns exec r ss -uln | sort
ip netns exec r ss -H -tuln | sort
ip netns exec r ss -tan | sort
ip netns exec r ss -uan | sort
ip netns exec r ss -tln sport = :80
ip netns exec r ss -H -tln src 10.0.0.2
ip netns exec r ss -t
ip netns exec h ss -tln | sort
ip netns exec h curl -s http://10.0.0.2/
sleep 0.3
ip netns exec h ss -H -tan | sed 's/:[0-9]* *10.0.0.2/:EPH 10.0.0.2/'
ip netns exec h ss -H -tan state time-wait | wc -l
ip netns exec r ss -H -tan | wc -l
ip netns exec h ss -tan state established
ip netns exec h sleep 3 | ip netns exec h nc 10.0.0.2 80 &
sleep 0.5
ip netns exec r ss -H -tan state established | sed 's/10.0.0.1:[0-9]*/10.0.0.1:EPH/'
ip netns exec r ss -H -ta state established dst 10.0.0.1 | wc -l
ip netns exec r ss foo
echo "rc=$?"
ip netns exec r netstat -tln | sort
ip netns exec r netstat -uln | sort
