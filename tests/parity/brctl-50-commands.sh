# brctl: addbr, delbr, addif, delif, show, errors and exit codes.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
brctl addbr br0
brctl addbr br0
echo "rc=$?"
ip link set br0 address 02:00:00:00:00:b0
ip link add v0 address 02:00:00:00:01:01 type veth peer name v1 address 02:00:00:00:01:02
brctl show
brctl addif br0 v0
brctl addif br0 v0
echo "rc=$?"
brctl addif br0 v1
brctl show
brctl show br0
brctl addbr br1
ip link set br1 address 02:00:00:00:00:b1
brctl stp br1 on
brctl show
brctl addif br1 v1
echo "rc=$?"
brctl addif br0 nosuch
echo "rc=$?"
brctl addif nosuch v0
echo "rc=$?"
brctl addif br0 lo
echo "rc=$?"
brctl delif br0 nosuch
echo "rc=$?"
brctl delif br1 v0
echo "rc=$?"
ip link set br0 up
brctl delbr br0
echo "rc=$?"
brctl delbr nosuch
echo "rc=$?"
brctl delbr lo
echo "rc=$?"
brctl show nosuch
echo "rc=$?"
brctl show lo
echo "rc=$?"
ip link set br0 down
brctl delif br0 v0
brctl delbr br0
ip -br link
brctl foo 2>&1 | head -n 1
brctl addbr
echo "rc=$?"
