# ip_forward, conf.all.forwarding, conf.DEV.forwarding and accept_redirects change each other.
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
ip netns exec h sysctl net.ipv4.conf.all.accept_redirects net.ipv4.conf.eth0.forwarding
ip netns exec h sysctl -qw net.ipv4.conf.eth0.forwarding=1
ip netns exec h sysctl net.ipv4.ip_forward net.ipv4.conf.all.forwarding net.ipv4.conf.all.accept_redirects
ip netns exec h sysctl -qw net.ipv4.conf.default.forwarding=1
ip netns exec h sysctl net.ipv4.ip_forward net.ipv4.conf.lo.forwarding
ip netns exec h sysctl -qw net.ipv4.conf.all.forwarding=1
ip netns exec h sysctl net.ipv4.ip_forward net.ipv4.conf.lo.forwarding net.ipv4.conf.all.accept_redirects
ip netns exec h sysctl -qw net.ipv4.conf.all.accept_redirects=1
ip netns exec h sysctl -qw net.ipv4.ip_forward=1
ip netns exec h sysctl net.ipv4.conf.all.accept_redirects
ip netns exec h sysctl -qw net.ipv4.ip_forward=0
ip netns exec h sysctl net.ipv4.conf.all.accept_redirects net.ipv4.conf.eth0.forwarding net.ipv4.conf.default.forwarding
ip netns exec h sysctl -qw net.ipv4.ip_forward=2
ip netns exec h sysctl net.ipv4.ip_forward net.ipv4.conf.eth0.forwarding
