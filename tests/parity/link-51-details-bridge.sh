# ip -d link of a bridge and of its port.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip -d link show br0 | sed 's/.*bridge forward_delay/bridge forward_delay/' | grep -o 'bridge forward_delay .*stp_state 0'
ip -d link show br0 | grep -o 'priority .* designated_root'
ip -d link show br0 | grep -o 'vlan_filtering .* group_address [^ ]*'
ip -d link show br0 | grep -o 'mcast_snooping [01]'
ip link add p1 address 02:00:00:00:01:01 type veth peer name q1 address 02:00:00:00:01:02
ip link set p1 master br0
ip -d link show p1 | grep -o 'bridge_slave .* port_id'
ip -d link show p1 | grep -o 'learning .* addrgenmode'
ip link show master br0
ip link set p1 type bridge_slave learning off flood off isolated on cost 50 priority 10
ip -d link show p1 | grep -o 'bridge_slave .* hairpin'
ip -d link show p1 | grep -o 'learning .* flood [a-z]*'
ip -d link show p1 | grep -o 'isolated [a-z]*'
ip link set br0 type bridge ageing_time 1000 forward_delay 400
ip -d link show br0 | grep -o 'forward_delay 400 .* ageing_time 1000'
ip link add p2 type bridge_slave
echo "rc=$?"
ip link set q1 type bridge_slave hairpin on
echo "rc=$?"
ip link set p1 nomaster
ip -o link show p1 | grep -c master
