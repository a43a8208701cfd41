//! The keys under /proc/sys/net with their defaults and what they accept, as a new namespace of
//! Linux 6.18 shows them.

use Accepts::{Flag, GroupRange, Int, PortRange, ReadOnly, Text, Triple, WriteOnly};

/// What may be written to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// One number within these bounds.
    Int(i64, i64),
    /// Any number; all but 0 read as 1.
    Flag,
    /// Two ports, the first not greater.
    PortRange,
    /// Two group ids.
    GroupRange,
    /// Three numbers.
    Triple,
    /// Any text.
    Text,
    /// Nothing.
    ReadOnly,
    /// A command; reading fails.
    WriteOnly,
}

const INT: Accepts = Int(i32::MIN as i64, i32::MAX as i64);
const NATURAL: Accepts = Int(0, i32::MAX as i64);
const U8: Accepts = Int(0, 255);
const BOOL: Accepts = Int(0, 1);
/// Seconds that still fit an `int` of jiffies (250 a second).
const SECONDS: Accepts = Int(-8_589_934, 8_589_934);

/// A key that a namespace has once: name, default, what it accepts. Sorted by name.
pub(crate) type Key = (&'static str, &'static str, Accepts);

/// Keys that a namespace has once.
///
/// Simplified: what exists in the initial namespace only (`net.core.netdev_*`,
/// `net.ipv4.neigh.default.*` …) is missing, and so are `net.mptcp` and most of `net.ipv6`.
pub(crate) const KEYS: &[Key] = &[
    ("net.bridge.bridge-nf-call-arptables", "1", Flag),
    ("net.bridge.bridge-nf-call-ip6tables", "1", Flag),
    ("net.bridge.bridge-nf-call-iptables", "1", Flag),
    ("net.bridge.bridge-nf-filter-pppoe-tagged", "0", Flag),
    ("net.bridge.bridge-nf-filter-vlan-tagged", "0", Flag),
    ("net.bridge.bridge-nf-pass-vlan-input-dev", "0", Flag),
    ("net.core.fb_tunnels_only_for_init_net", "1", Int(0, 2)),
    ("net.core.optmem_max", "131072", NATURAL),
    ("net.core.rmem_default", "212992", ReadOnly),
    ("net.core.rmem_max", "4194304", ReadOnly),
    ("net.core.rps_default_mask", "0", ReadOnly),
    ("net.core.somaxconn", "4096", NATURAL),
    ("net.core.tstamp_allow_data", "1", BOOL),
    ("net.core.txrehash", "1", BOOL),
    ("net.core.wmem_default", "212992", ReadOnly),
    ("net.core.wmem_max", "4194304", ReadOnly),
    ("net.core.xfrm_acq_expires", "30", INT),
    ("net.core.xfrm_aevent_etime", "10", Int(0, 4294967295)),
    ("net.core.xfrm_aevent_rseqth", "2", Int(0, 4294967295)),
    ("net.core.xfrm_larval_drop", "1", INT),
    ("net.ipv4.fib_multipath_hash_fields", "7", Int(1, 4095)),
    ("net.ipv4.fib_multipath_hash_policy", "0", Int(0, 3)),
    ("net.ipv4.fib_multipath_hash_seed", "0", Int(0, 4294967295)),
    ("net.ipv4.fib_multipath_use_neigh", "0", BOOL),
    ("net.ipv4.fib_notify_on_flag_change", "0", Int(0, 2)),
    ("net.ipv4.fwmark_reflect", "0", U8),
    ("net.ipv4.icmp_echo_enable_probe", "0", BOOL),
    ("net.ipv4.icmp_echo_ignore_all", "0", BOOL),
    ("net.ipv4.icmp_echo_ignore_broadcasts", "1", BOOL),
    ("net.ipv4.icmp_errors_use_inbound_ifaddr", "0", BOOL),
    ("net.ipv4.icmp_ignore_bogus_error_responses", "1", BOOL),
    ("net.ipv4.icmp_msgs_burst", "50", NATURAL),
    ("net.ipv4.icmp_msgs_per_sec", "1000", NATURAL),
    ("net.ipv4.icmp_ratelimit", "1000", NATURAL),
    ("net.ipv4.icmp_ratemask", "6168", INT),
    ("net.ipv4.igmp_link_local_mcast_reports", "1", U8),
    ("net.ipv4.igmp_max_memberships", "20", INT),
    ("net.ipv4.igmp_max_msf", "10", INT),
    ("net.ipv4.igmp_qrv", "2", Int(1, 2147483647)),
    ("net.ipv4.ip_autobind_reuse", "0", BOOL),
    ("net.ipv4.ip_default_ttl", "64", Int(1, 255)),
    ("net.ipv4.ip_dynaddr", "0", U8),
    ("net.ipv4.ip_early_demux", "1", U8),
    ("net.ipv4.ip_forward", "0", INT),
    ("net.ipv4.ip_forward_update_priority", "1", BOOL),
    ("net.ipv4.ip_forward_use_pmtu", "0", U8),
    ("net.ipv4.ip_local_port_range", "32768\t60999", PortRange),
    ("net.ipv4.ip_local_reserved_ports", "", Text),
    ("net.ipv4.ip_no_pmtu_disc", "0", U8),
    ("net.ipv4.ip_nonlocal_bind", "0", U8),
    ("net.ipv4.ip_unprivileged_port_start", "1024", Int(0, 65535)),
    ("net.ipv4.ipfrag_high_thresh", "4194304", Int(0, i64::MAX)),
    ("net.ipv4.ipfrag_low_thresh", "3145728", Int(0, i64::MAX)),
    ("net.ipv4.ipfrag_max_dist", "64", NATURAL),
    ("net.ipv4.ipfrag_time", "30", SECONDS),
    ("net.ipv4.nexthop_compat_mode", "1", BOOL),
    ("net.ipv4.ping_group_range", "1\t0", GroupRange),
    ("net.ipv4.raw_l3mdev_accept", "1", BOOL),
    ("net.ipv4.route.flush", "", WriteOnly),
    ("net.ipv4.route.min_adv_mss", "256", INT),
    ("net.ipv4.route.min_pmtu", "552", Int(68, 2147483647)),
    ("net.ipv4.route.mtu_expires", "600", SECONDS),
    ("net.ipv4.tcp_abort_on_overflow", "0", U8),
    ("net.ipv4.tcp_adv_win_scale", "1", Int(-31, 31)),
    ("net.ipv4.tcp_allowed_congestion_control", "reno bbr", ReadOnly),
    ("net.ipv4.tcp_app_win", "31", Int(0, 31)),
    ("net.ipv4.tcp_autocorking", "1", BOOL),
    ("net.ipv4.tcp_available_congestion_control", "reno bbr cubic", ReadOnly),
    ("net.ipv4.tcp_backlog_ack_defer", "1", BOOL),
    ("net.ipv4.tcp_base_mss", "1024", INT),
    ("net.ipv4.tcp_challenge_ack_limit", "2147483647", INT),
    ("net.ipv4.tcp_child_ehash_entries", "0", Int(0, 16777216)),
    ("net.ipv4.tcp_comp_sack_delay_ns", "1000000", Int(0, i64::MAX)),
    ("net.ipv4.tcp_comp_sack_nr", "44", U8),
    ("net.ipv4.tcp_comp_sack_slack_ns", "100000", Int(0, i64::MAX)),
    ("net.ipv4.tcp_congestion_control", "bbr", Text),
    ("net.ipv4.tcp_dsack", "1", U8),
    ("net.ipv4.tcp_early_demux", "1", U8),
    ("net.ipv4.tcp_early_retrans", "3", Int(0, 4)),
    ("net.ipv4.tcp_ecn", "2", Int(0, 2)),
    ("net.ipv4.tcp_ecn_fallback", "1", BOOL),
    ("net.ipv4.tcp_ecn_option", "2", Int(0, 2)),
    ("net.ipv4.tcp_ecn_option_beacon", "3", Int(0, 3)),
    ("net.ipv4.tcp_ehash_entries", "-262144", ReadOnly),
    ("net.ipv4.tcp_fack", "0", U8),
    ("net.ipv4.tcp_fastopen", "1", INT),
    ("net.ipv4.tcp_fastopen_blackhole_timeout_sec", "0", NATURAL),
    ("net.ipv4.tcp_fastopen_key", "00000000-00000000-00000000-00000000", Text),
    ("net.ipv4.tcp_fin_timeout", "60", SECONDS),
    ("net.ipv4.tcp_frto", "2", U8),
    ("net.ipv4.tcp_fwmark_accept", "0", U8),
    ("net.ipv4.tcp_invalid_ratelimit", "500", NATURAL),
    ("net.ipv4.tcp_keepalive_intvl", "75", SECONDS),
    ("net.ipv4.tcp_keepalive_probes", "9", U8),
    ("net.ipv4.tcp_keepalive_time", "7200", SECONDS),
    ("net.ipv4.tcp_l3mdev_accept", "0", BOOL),
    ("net.ipv4.tcp_limit_output_bytes", "4194304", INT),
    ("net.ipv4.tcp_max_reordering", "300", Int(1, 2147483647)),
    ("net.ipv4.tcp_max_syn_backlog", "2048", INT),
    ("net.ipv4.tcp_max_tw_buckets", "131072", INT),
    ("net.ipv4.tcp_migrate_req", "0", BOOL),
    ("net.ipv4.tcp_min_rtt_wlen", "300", Int(0, 86400)),
    ("net.ipv4.tcp_min_snd_mss", "48", Int(48, 65535)),
    ("net.ipv4.tcp_min_tso_segs", "2", Int(1, 255)),
    ("net.ipv4.tcp_moderate_rcvbuf", "1", U8),
    ("net.ipv4.tcp_mtu_probe_floor", "48", Int(48, 65535)),
    ("net.ipv4.tcp_mtu_probing", "0", U8),
    ("net.ipv4.tcp_no_metrics_save", "0", U8),
    ("net.ipv4.tcp_no_ssthresh_metrics_save", "1", BOOL),
    ("net.ipv4.tcp_notsent_lowat", "4294967295", Int(0, 4294967295)),
    ("net.ipv4.tcp_orphan_retries", "0", U8),
    ("net.ipv4.tcp_pacing_ca_ratio", "120", Int(0, 1000)),
    ("net.ipv4.tcp_pacing_ss_ratio", "200", Int(0, 1000)),
    ("net.ipv4.tcp_pingpong_thresh", "1", Int(1, 255)),
    ("net.ipv4.tcp_plb_cong_thresh", "128", Int(0, 256)),
    ("net.ipv4.tcp_plb_enabled", "0", BOOL),
    ("net.ipv4.tcp_plb_idle_rehash_rounds", "3", Int(0, 31)),
    ("net.ipv4.tcp_plb_rehash_rounds", "12", Int(0, 31)),
    ("net.ipv4.tcp_plb_suspend_rto_sec", "60", U8),
    ("net.ipv4.tcp_probe_interval", "600", Int(0, 17179869)),
    ("net.ipv4.tcp_probe_threshold", "8", INT),
    ("net.ipv4.tcp_recovery", "1", U8),
    ("net.ipv4.tcp_reflect_tos", "0", BOOL),
    ("net.ipv4.tcp_reordering", "3", Int(1, 300)),
    ("net.ipv4.tcp_retrans_collapse", "1", U8),
    ("net.ipv4.tcp_retries1", "3", U8),
    ("net.ipv4.tcp_retries2", "15", U8),
    ("net.ipv4.tcp_rfc1337", "0", U8),
    ("net.ipv4.tcp_rmem", "4096\t131072\t33554432", Triple),
    ("net.ipv4.tcp_rto_max_ms", "120000", Int(1000, 120000)),
    ("net.ipv4.tcp_rto_min_us", "200000", Int(1, 2147483647)),
    ("net.ipv4.tcp_sack", "1", U8),
    ("net.ipv4.tcp_shrink_window", "0", BOOL),
    ("net.ipv4.tcp_slow_start_after_idle", "1", U8),
    ("net.ipv4.tcp_stdurg", "0", U8),
    ("net.ipv4.tcp_syn_linear_timeouts", "4", Int(0, 127)),
    ("net.ipv4.tcp_syn_retries", "6", Int(1, 127)),
    ("net.ipv4.tcp_synack_retries", "5", U8),
    ("net.ipv4.tcp_syncookies", "1", U8),
    ("net.ipv4.tcp_thin_linear_timeouts", "0", U8),
    ("net.ipv4.tcp_timestamps", "1", U8),
    ("net.ipv4.tcp_tso_rtt_log", "9", U8),
    ("net.ipv4.tcp_tso_win_divisor", "3", U8),
    ("net.ipv4.tcp_tw_reuse", "2", Int(0, 2)),
    ("net.ipv4.tcp_tw_reuse_delay", "1000", Int(1, 60000)),
    ("net.ipv4.tcp_window_scaling", "1", U8),
    ("net.ipv4.tcp_wmem", "4096\t16384\t4194304", Triple),
    ("net.ipv4.tcp_workaround_signed_windows", "0", U8),
    ("net.ipv4.udp_child_hash_entries", "0", Int(0, 65536)),
    ("net.ipv4.udp_early_demux", "1", U8),
    ("net.ipv4.udp_hash_entries", "-16384", ReadOnly),
    ("net.ipv4.udp_l3mdev_accept", "0", BOOL),
    ("net.ipv4.udp_rmem_min", "4096", Int(1, 2147483647)),
    ("net.ipv4.udp_wmem_min", "4096", Int(1, 2147483647)),
    ("net.ipv4.xfrm4_gc_thresh", "32768", INT),
    ("net.netfilter.nf_conntrack_acct", "0", BOOL),
    ("net.netfilter.nf_conntrack_buckets", "262144", NATURAL),
    ("net.netfilter.nf_conntrack_checksum", "1", BOOL),
    ("net.netfilter.nf_conntrack_count", "0", ReadOnly),
    ("net.netfilter.nf_conntrack_events", "2", Int(0, 2)),
    ("net.netfilter.nf_conntrack_expect_max", "4096", NATURAL),
    ("net.netfilter.nf_conntrack_frag6_high_thresh", "4194304", Int(0, i64::MAX)),
    ("net.netfilter.nf_conntrack_frag6_low_thresh", "3145728", Int(0, i64::MAX)),
    ("net.netfilter.nf_conntrack_frag6_timeout", "60", SECONDS),
    ("net.netfilter.nf_conntrack_generic_timeout", "600", SECONDS),
    ("net.netfilter.nf_conntrack_gre_timeout", "30", SECONDS),
    ("net.netfilter.nf_conntrack_gre_timeout_stream", "180", SECONDS),
    ("net.netfilter.nf_conntrack_icmp_timeout", "30", SECONDS),
    ("net.netfilter.nf_conntrack_icmpv6_timeout", "30", SECONDS),
    ("net.netfilter.nf_conntrack_log_invalid", "0", U8),
    ("net.netfilter.nf_conntrack_max", "262144", NATURAL),
    ("net.netfilter.nf_conntrack_sctp_timeout_closed", "10", SECONDS),
    ("net.netfilter.nf_conntrack_sctp_timeout_cookie_echoed", "3", SECONDS),
    ("net.netfilter.nf_conntrack_sctp_timeout_cookie_wait", "3", SECONDS),
    ("net.netfilter.nf_conntrack_sctp_timeout_established", "210", SECONDS),
    ("net.netfilter.nf_conntrack_sctp_timeout_heartbeat_sent", "30", SECONDS),
    ("net.netfilter.nf_conntrack_sctp_timeout_shutdown_ack_sent", "3", SECONDS),
    ("net.netfilter.nf_conntrack_sctp_timeout_shutdown_recd", "3", SECONDS),
    ("net.netfilter.nf_conntrack_sctp_timeout_shutdown_sent", "3", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_be_liberal", "0", BOOL),
    ("net.netfilter.nf_conntrack_tcp_ignore_invalid_rst", "0", BOOL),
    ("net.netfilter.nf_conntrack_tcp_loose", "1", BOOL),
    ("net.netfilter.nf_conntrack_tcp_max_retrans", "3", U8),
    ("net.netfilter.nf_conntrack_tcp_timeout_close", "10", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_close_wait", "60", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_established", "432000", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_fin_wait", "120", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_last_ack", "30", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_max_retrans", "300", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_syn_recv", "60", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_syn_sent", "120", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "120", SECONDS),
    ("net.netfilter.nf_conntrack_tcp_timeout_unacknowledged", "300", SECONDS),
    ("net.netfilter.nf_conntrack_timestamp", "0", BOOL),
    ("net.netfilter.nf_conntrack_udp_timeout", "30", SECONDS),
    ("net.netfilter.nf_conntrack_udp_timeout_stream", "120", SECONDS),
    ("net.netfilter.nf_hooks_lwtunnel", "0", BOOL),
    ("net.netfilter.nf_log.0", "NONE", Text),
    ("net.netfilter.nf_log.1", "NONE", Text),
    ("net.netfilter.nf_log.10", "nf_log_ipv6", Text),
    ("net.netfilter.nf_log.2", "nf_log_ipv4", Text),
    ("net.netfilter.nf_log.3", "nf_log_arp", Text),
    ("net.netfilter.nf_log.4", "NONE", Text),
    ("net.netfilter.nf_log.5", "nf_log_netdev", Text),
    ("net.netfilter.nf_log.6", "NONE", Text),
    ("net.netfilter.nf_log.7", "nf_log_bridge", Text),
    ("net.netfilter.nf_log.8", "NONE", Text),
    ("net.netfilter.nf_log.9", "NONE", Text),
    ("net.unix.max_dgram_qlen", "10", INT),
];

/// The place of `name` in [`KEYS`]; for a constant, so that a misspelled name doesn't compile.
pub(crate) const fn key(name: &str) -> usize {
    let mut at = 0;
    while at < KEYS.len() {
        if same(KEYS[at].0.as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    panic!("no such sysctl")
}

/// The defaults of [`KEYS`] as numbers; 0 where the text is none.
pub(crate) static DEFAULT_NUMBERS: [i64; KEYS.len()] = {
    let mut numbers = [0; KEYS.len()];
    let mut at = 0;
    while at < KEYS.len() {
        if let Ok(number) = i64::from_str_radix(KEYS[at].1, 10) {
            numbers[at] = number;
        }
        at += 1;
    }
    numbers
};

/// The place of `prefix` followed by `name`.
pub(crate) const fn key_under(prefix: &str, name: &str) -> usize {
    let mut at = 0;
    while at < KEYS.len() {
        let key = KEYS[at].0.as_bytes();
        if key.len() > prefix.len() {
            let (head, tail) = key.split_at(prefix.len());
            if same(head, prefix.as_bytes()) && same(tail, name.as_bytes()) {
                return at;
            }
        }
        at += 1;
    }
    panic!("no such sysctl")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

macro_rules! per_device {
    ($(#[$doc:meta])* $name:ident[$count:literal] { $($variant:ident = $text:literal, $default:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name { $($variant,)* }

        impl $name {
            /// All, sorted by name.
            pub(crate) const ALL: [Self; $count] = [$(Self::$variant,)*];
            /// Defaults in the same order.
            pub(crate) const DEFAULTS: [i32; $count] = [$($default,)*];

            /// The last part of the key.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            pub(crate) fn of(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|key| key.name() == name)
            }
        }
    };
}

per_device! {
    /// `net.ipv4.conf.DEV.*`. Kernel: `IPV4_DEVCONF_*`.
    ConfKey[33] {
        AcceptLocal = "accept_local", 0;
        AcceptRedirects = "accept_redirects", 1;
        AcceptSourceRoute = "accept_source_route", 1;
        ArpAccept = "arp_accept", 0;
        ArpAnnounce = "arp_announce", 0;
        ArpEvictNocarrier = "arp_evict_nocarrier", 1;
        ArpFilter = "arp_filter", 0;
        ArpIgnore = "arp_ignore", 0;
        ArpNotify = "arp_notify", 0;
        BcForwarding = "bc_forwarding", 0;
        BootpRelay = "bootp_relay", 0;
        DisablePolicy = "disable_policy", 0;
        DisableXfrm = "disable_xfrm", 0;
        DropGratuitousArp = "drop_gratuitous_arp", 0;
        DropUnicastInL2Multicast = "drop_unicast_in_l2_multicast", 0;
        ForceIgmpVersion = "force_igmp_version", 0;
        Forwarding = "forwarding", 0;
        Igmpv2UnsolicitedReportInterval = "igmpv2_unsolicited_report_interval", 10000;
        Igmpv3UnsolicitedReportInterval = "igmpv3_unsolicited_report_interval", 1000;
        IgnoreRoutesWithLinkdown = "ignore_routes_with_linkdown", 0;
        LogMartians = "log_martians", 0;
        McForwarding = "mc_forwarding", 0;
        MediumId = "medium_id", 0;
        PromoteSecondaries = "promote_secondaries", 0;
        ProxyArp = "proxy_arp", 0;
        ProxyArpPvlan = "proxy_arp_pvlan", 0;
        RouteLocalnet = "route_localnet", 0;
        RpFilter = "rp_filter", 0;
        SecureRedirects = "secure_redirects", 1;
        SendRedirects = "send_redirects", 1;
        SharedMedia = "shared_media", 1;
        SrcValidMark = "src_valid_mark", 0;
        Tag = "tag", 0;
    }
}

per_device! {
    /// `net.ipv4.neigh.DEV.*`. Kernel: `NEIGH_VAR_*`.
    ///
    /// Simplified: the deprecated `base_reachable_time` and `retrans_time` are missing.
    NeighKey[15] {
        AnycastDelay = "anycast_delay", 100;
        AppSolicit = "app_solicit", 0;
        BaseReachableTimeMs = "base_reachable_time_ms", 30000;
        DelayFirstProbeTime = "delay_first_probe_time", 5;
        GcStaleTime = "gc_stale_time", 60;
        IntervalProbeTimeMs = "interval_probe_time_ms", 5000;
        Locktime = "locktime", 100;
        McastResolicit = "mcast_resolicit", 0;
        McastSolicit = "mcast_solicit", 3;
        ProxyDelay = "proxy_delay", 80;
        ProxyQlen = "proxy_qlen", 64;
        RetransTimeMs = "retrans_time_ms", 1000;
        UcastSolicit = "ucast_solicit", 3;
        UnresQlen = "unres_qlen", 101;
        UnresQlenBytes = "unres_qlen_bytes", 212992;
    }
}
