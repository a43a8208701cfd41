# Two nodes with flannel's vxlan backend and two pods each, up to the first ping across.
for n in n1 n2; do
  ip netns add $n
done
ip -n n1 link add eth0 type veth peer name eth0 netns n2
for n in 1 2; do
  o=$((3 - n))
  ip netns exec n$n sysctl -qw net.ipv4.ip_forward=1
  ip -n n$n link set lo up
  ip -n n$n addr add 192.168.50.1$n/24 dev eth0
  ip -n n$n link set eth0 up
  ip -n n$n link add cni0 mtu 1450 type bridge
  ip -n n$n addr add 10.244.$n.1/24 dev cni0
  ip -n n$n link set cni0 up
  ip -n n$n link add flannel.1 address 02:00:00:00:0$n:01 mtu 1450 type vxlan id 1 dev eth0 local 192.168.50.1$n dstport 8472 nolearning
  ip -n n$n addr add 10.244.$n.0/32 dev flannel.1
  ip -n n$n link set flannel.1 up
  ip -n n$n neigh add 10.244.$o.0 lladdr 02:00:00:00:0$o:01 dev flannel.1 nud permanent
  bridge -n n$n fdb add 02:00:00:00:0$o:01 dev flannel.1 dst 192.168.50.1$o self permanent
  ip -n n$n route add 10.244.$o.0/24 via 10.244.$o.0 dev flannel.1 onlink
  for p in 1 2; do
    i=$((p + 1))
    pod=n${n}p$p
    ip netns add $pod
    ip -n n$n link add v$p mtu 1450 type veth peer name eth0 mtu 1450 netns $pod
    ip -n n$n link set v$p master cni0 up
    ip -n $pod link set lo up
    ip -n $pod addr add 10.244.$n.$i/24 dev eth0
    ip -n $pod link set eth0 up
    ip -n $pod route add default via 10.244.$n.1
  done
done
ip netns exec n1p1 ping -c 1 -W 1 10.244.2.2
