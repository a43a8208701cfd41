# Default values of the settings a simulator must know.
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
for k in ip_forward ip_default_ttl ip_no_pmtu_disc min_adv_mss icmp_echo_ignore_all icmp_echo_ignore_broadcasts icmp_errors_use_inbound_ifaddr icmp_ratelimit icmp_ratemask icmp_ignore_bogus_error_responses ip_local_port_range ip_nonlocal_bind ip_dynaddr ipfrag_time ipfrag_max_dist fwmark_reflect fib_multipath_hash_policy fib_multipath_use_neigh tcp_syn_retries tcp_synack_retries tcp_retries1 tcp_retries2 tcp_fin_timeout tcp_syncookies tcp_window_scaling tcp_timestamps tcp_sack tcp_mtu_probing tcp_base_mss tcp_keepalive_time tcp_tw_reuse tcp_syn_linear_timeouts tcp_ecn tcp_fwmark_accept ip_forward_use_pmtu ip_forward_update_priority ping_group_range igmp_max_memberships igmp_qrv; do
  ip netns exec h sysctl net.ipv4.$k
done
ip netns exec h sysctl net.ipv4.route.min_pmtu net.ipv4.route.mtu_expires net.ipv4.route.min_adv_mss
ip netns exec h sysctl -a --pattern 'ipv4.conf.eth0'
ip netns exec h sysctl -a --pattern 'ipv4.neigh.eth0'
ip netns exec h sysctl net.ipv4.conf.lo.rp_filter net.ipv4.conf.lo.accept_redirects net.ipv4.conf.lo.forwarding net.ipv4.conf.all.accept_redirects net.ipv4.conf.all.send_redirects
ip netns exec h sysctl -w net.ipv4.ip_forward=1
ip netns exec h sysctl net.ipv4.conf.all.accept_redirects net.ipv4.conf.eth0.accept_redirects net.ipv4.conf.eth0.forwarding net.ipv4.conf.default.forwarding
