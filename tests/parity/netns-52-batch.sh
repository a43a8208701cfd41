# ip -batch: comments, blank lines, errors stop it unless -force; bridge -batch; -n with a batch.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
for n in a; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
cat >good.txt <<EOF
# a comment
link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02

addr add 10.0.0.1/24 dev v0 # trailing
link set v0 up
EOF
ip -batch good.txt
echo "rc=$?"
ip -br addr
cat >bad.txt <<EOF
addr add 10.0.1.1/24 dev v0
addr add 10.0.2.0/33 dev v0
addr add 10.0.3.1/24 dev nosuch
addr add 10.0.1.1/24 dev v0
addr add 10.0.4.1/24 dev v0
foo bar
EOF
ip -batch bad.txt
echo "rc=$?"
ip -br addr show v0
ip addr del 10.0.1.1/24 dev v0
ip -force -batch bad.txt
echo "rc=$?"
ip -br addr show v0
ip -batch nosuch.txt
echo "rc=$?"
printf 'link show v0\nlink show v1\n' | ip -o -batch - | cut -c 1-20
printf 'link set lo mtu 1234\n' | ip -n a -b -
ip -n a -o link show lo | cut -c 1-50
