# A large TCP transfer and UDP through flannel's udp backend: MTU 1472 of the tun, frag needed towards pods with MTU 1500.
for n in n1 n2; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n n1 link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns n2
for i in 1 2; do
  ip netns exec n$i sysctl -qw net.ipv4.ip_forward=1
  ip -n n$i addr add 192.168.0.$i/24 dev eth0
  ip -n n$i link set eth0 up
  ip netns add p$i
  ip netns exec p$i sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n n$i link add v$i address 02:00:00:00:0d:0$i type veth peer name eth0 address 02:00:00:00:0e:0$i netns p$i
  ip -n n$i addr add 10.244.$i.1/24 dev v$i
  ip -n n$i link set v$i up
  ip -n p$i addr add 10.244.$i.2/24 dev eth0
  ip -n p$i link set eth0 up
  ip -n p$i route add default via 10.244.$i.1
  j=$((3 - i))
  ip netns exec n$i flannel-udp -tun flannel0 -addr 10.244.$i.0/16 -listen 192.168.0.$i:8285 -route 10.244.$j.0/24=192.168.0.$j &
done
sleep 2.5
head -c 100000 /dev/zero >big
ip netns exec p1 ping -c 1 10.244.2.2 | head -n 2
ip netns exec p1 ping -c 1 -M do -s 1445 10.244.2.2 | grep From
ip -n p1 route get 10.244.2.2
ip -n p1 route flush cache
ip netns exec p2 sh -c 'nc -l 5000 >got' &
sleep 0.3
ip netns exec p1 nc -N -w 5 10.244.2.2 5000 <big
sleep 0.3
wc -c <got
ip netns exec p1 udp-probe 10.244.2.2:99
ip netns exec p1 udp-probe -timeout 0.5 10.244.3.2:99
ip netns exec p1 ping -c 1 -W 1 10.244.3.2
