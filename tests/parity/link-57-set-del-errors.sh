# ip link set/del/show: errors and exit codes.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add v0 type veth peer name v1
ip link set nosuch up
echo "rc=$?"
ip link set dev nosuch up
echo "rc=$?"
ip link del nosuch
echo "rc=$?"
ip link show nosuch
echo "rc=$?"
ip link del lo
echo "rc=$?"
ip link del
echo "rc=$?"
ip link set
echo "rc=$?"
ip link set v0 foo
echo "rc=$?"
ip link set v0 master nosuch
echo "rc=$?"
ip link set v0 master v1
echo "rc=$?"
ip link set v0 netns nosuch
echo "rc=$?"
ip link set v0 name v1
echo "rc=$?"
ip link set v0 name lo
echo "rc=$?"
ip link set v0 nomaster
echo "rc=$?"
ip link foo
echo "rc=$?"
ip foo
echo "rc=$?"
ip link show type nosuch
echo "rc=$?"
ip link show dev
echo "rc=$?"
ip -n nosuch link
echo "rc=$?"
ip link del v0 type bridge
echo "rc=$?"
ip link del v1
ip -br link
