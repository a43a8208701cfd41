# kube-proxy's rules on a bridge: a service's client and endpoint on one bridge, hairpin, and a client on the host.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add cni0 type bridge mcast_snooping 0
ip link set cni0 address 02:00:00:00:00:b0
ip addr add 10.244.1.254/24 dev cni0
ip link set cni0 up
for n in a b; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip link add pa address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns a
ip link set pa up
ip -n a addr add 10.244.1.1/24 dev eth0
ip -n a link set eth0 up
ip link set pa master cni0
ip -n a route add default via 10.244.1.254
ip link add pb address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns b
ip link set pb up
ip -n b addr add 10.244.1.2/24 dev eth0
ip -n b link set eth0 up
ip link set pb master cni0
ip -n b route add default via 10.244.1.254
sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.cni0.send_redirects=0
ip route add 10.96.0.0/12 dev cni0
bridge link set dev pa hairpin on
bridge link set dev pb hairpin on
ip netns exec a http-echo -listen :8080 -text a -show-peer &
ip netns exec b http-echo -listen :8080 -text b -show-peer &
sleep 2.5
iptables-restore <<EOF
*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-X - [0:0]
:KUBE-SEP-A - [0:0]
:KUBE-SEP-B - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -j MASQUERADE
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp --dport 80 -j KUBE-SVC-X
-A KUBE-SVC-X -m statistic --mode nth --every 2 --packet 0 -j KUBE-SEP-A
-A KUBE-SVC-X -j KUBE-SEP-B
-A KUBE-SEP-A -s 10.244.1.1/32 -j KUBE-MARK-MASQ
-A KUBE-SEP-A -p tcp -j DNAT --to-destination 10.244.1.1:8080
-A KUBE-SEP-B -s 10.244.1.2/32 -j KUBE-MARK-MASQ
-A KUBE-SEP-B -p tcp -j DNAT --to-destination 10.244.1.2:8080
COMMIT
*filter
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate NEW
COMMIT
EOF
for nf in 1 0; do
  sysctl -qw net.bridge.bridge-nf-call-iptables=$nf
  for i in 1 2 3 4; do
    ip netns exec a curl -s --max-time 0.5 http://10.96.0.1/ || echo "rc=$?"
  done
  curl -s --max-time 0.5 http://10.96.0.1/ || echo "rc=$?"
  curl -s --max-time 0.5 http://10.96.0.1/ || echo "rc=$?"
  conntrack -F
done
iptables-save -c -t nat | grep "^.[0-9]"
