# brctl setageing, setfd, sethello, hairpin, showmacs, setpathcost, setportprio as seen by ip and bridge.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link set br0 up
for n in 1 2; do
  ip netns add h$n
  ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n h$n link set lo up
  ip link add p$n address 02:00:00:00:0$n:01 type veth peer name eth0 address 02:00:00:00:0$n:02 netns h$n
  ip link set p$n up
  ip link set p$n master br0
  ip -n h$n addr add 10.0.0.$n/24 dev eth0
  ip -n h$n link set eth0 up
done
sleep 2.5
brctl setageing br0 20
brctl setfd br0 4
brctl sethello br0 3
brctl setmaxage br0 10
brctl setbridgeprio br0 100
ip -d link show br0 | grep -o 'forward_delay .* bridge_id [^ ]*'
brctl hairpin br0 p1 on
brctl setpathcost br0 p1 33
brctl setportprio br0 p1 3
bridge -d link show dev p1 | head -n 2 | grep -o 'priority.*\|hairpin [a-z]*'
brctl showmacs br0 | tr -s ' \t' ' ' | cut -d ' ' -f 1-4 | sort
ip netns exec h1 ping -q -c 1 10.0.0.2 | grep received
brctl showmacs br0 | tr -s ' \t' ' ' | cut -d ' ' -f 2-4 | sort
brctl setageing nosuch 5
echo "rc=$?"
brctl setageing br0 abc
echo "rc=$?"
brctl hairpin br0 nosuch on
echo "rc=$?"
brctl stp br0 maybe
echo "rc=$?"
brctl stp br0 yes
brctl show
brctl stp br0 off
brctl showmacs nosuch
echo "rc=$?"
