# After `-j CT` a rule of table raw sees a connection: the template, whose addresses and ports are zero and whose state is NEW.
for n in c s; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n $n link set lo up
done
ip -n c link add eth0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:02:01 netns s
ip -n c addr add 10.0.0.1/24 dev eth0
ip -n s addr add 10.0.0.2/24 dev eth0
ip -n c link set eth0 up
ip -n s link set eth0 up
sleep 2.5
rules() {
  for rule in "-m state --state NEW" "-m state --state INVALID" "-m conntrack --ctstate UNTRACKED" "-m conntrack --ctorigsrc 0.0.0.0/0" \
    "-m conntrack --ctorigsrc 10.0.0.0/8" "-m conntrack ! --ctreplsrc 10.0.0.0/8" "-m conntrack --ctproto 0" "-m conntrack --ctproto icmp" \
    "-m conntrack --ctorigdstport 0" "-m conntrack --ctdir ORIGINAL" "-m conntrack --ctdir REPLY" "-m conntrack --ctstatus NONE" \
    "-m conntrack --ctstatus CONFIRMED" "-m conntrack --ctstatus SEEN_REPLY" "-m conntrack --ctstatus ASSURED" \
    "-m connmark --mark 0" "-m connmark --mark 1" "-m connmark ! --mark 1" "-m connbytes --connbytes 0: --connbytes-dir both --connbytes-mode packets" \
    "-m connlimit --connlimit-upto 5 --connlimit-mask 0" "-j CONNMARK --restore-mark" "-m mark --mark 0"; do
    ip netns exec s iptables -t raw -A PREROUTING $rule
  done
}
rules
ip netns exec c ping -q -c 2 -i 0.2 10.0.0.2 | grep received
ip netns exec s iptables -t raw -S PREROUTING -v
ip netns exec s iptables -t raw -F
ip netns exec s iptables -t raw -A PREROUTING -j CT --zone 7
rules
ip netns exec c ping -q -c 2 -i 0.2 10.0.0.2 | grep received
ip netns exec s iptables -t raw -S PREROUTING -v
