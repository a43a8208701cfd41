# ip: unknown objects and options, missing arguments, help's first lines, exit codes.
ip 2>&1 | head -n 2
ip -x link
echo "rc=$?"
ip -n
echo "rc=$?"
ip -f foo link
echo "rc=$?"
ip lnk
echo "rc=$?"
ip addr ad
echo "rc=$?"
ip link st lo up
echo "rc=$?"
ip route 10.0.0.0/8
echo "rc=$?"
ip addr lo
echo "rc=$?"
ip addr show dev
echo "rc=$?"
ip link show lo lo
echo "rc=$?"
ip addr show lo eth0
echo "rc=$?"
ip -4 neigh add
echo "rc=$?"
ip neigh show foo
echo "rc=$?"
ip link set lo up down
echo "rc=$?"
ip link set dev lo up mtu 1500 mtu 1400
echo "rc=$?"
ip -br -o -s link show lo
ip -o -j link show lo | head -c 40; echo
ip -force link show lo | head -n 1
ip -batch 2>&1 | head -n 1
bridge -n nosuch link
echo "rc=$?"
bridge 2>&1 | head -n 1
ip tunnel show
echo "rc=$?"
ip maddr show dev lo
ip monitor foo
echo "rc=$?"
