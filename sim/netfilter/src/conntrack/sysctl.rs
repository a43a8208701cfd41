/// Settings of connection tracking: `net.netfilter.nf_conntrack_*`.
///
/// The kernel around keeps them; [`crate::Env::ct_sysctl`] reads one when a packet needs it.
macro_rules! settings {
    ($($variant:ident = $name:literal, $default:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "named after its key")]
        /// A setting of connection tracking, by the end of its key.
        pub enum CtSysctl { $($variant,)* }

        impl CtSysctl {
            /// All, in the order of their discriminants.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The key after `net.netfilter.`.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => concat!("nf_conntrack_", $name),)* }
            }

            /// What a namespace starts with.
            pub const fn default_value(self) -> u32 {
                match self { $(Self::$variant => $default,)* }
            }
        }
    };
}

settings! {
    Acct = "acct", 0;
    Buckets = "buckets", 262144;
    Checksum = "checksum", 1;
    Events = "events", 2;
    GenericTimeout = "generic_timeout", 600;
    GreTimeout = "gre_timeout", 30;
    GreTimeoutStream = "gre_timeout_stream", 180;
    IcmpTimeout = "icmp_timeout", 30;
    LogInvalid = "log_invalid", 0;
    Max = "max", 262144;
    SctpTimeoutClosed = "sctp_timeout_closed", 10;
    SctpTimeoutCookieEchoed = "sctp_timeout_cookie_echoed", 3;
    SctpTimeoutCookieWait = "sctp_timeout_cookie_wait", 3;
    SctpTimeoutEstablished = "sctp_timeout_established", 210;
    SctpTimeoutHeartbeatSent = "sctp_timeout_heartbeat_sent", 30;
    SctpTimeoutShutdownAckSent = "sctp_timeout_shutdown_ack_sent", 3;
    SctpTimeoutShutdownRecd = "sctp_timeout_shutdown_recd", 3;
    SctpTimeoutShutdownSent = "sctp_timeout_shutdown_sent", 3;
    TcpBeLiberal = "tcp_be_liberal", 0;
    TcpIgnoreInvalidRst = "tcp_ignore_invalid_rst", 0;
    TcpLoose = "tcp_loose", 1;
    TcpMaxRetrans = "tcp_max_retrans", 3;
    TcpTimeoutClose = "tcp_timeout_close", 10;
    TcpTimeoutCloseWait = "tcp_timeout_close_wait", 60;
    TcpTimeoutEstablished = "tcp_timeout_established", 432000;
    TcpTimeoutFinWait = "tcp_timeout_fin_wait", 120;
    TcpTimeoutLastAck = "tcp_timeout_last_ack", 30;
    TcpTimeoutMaxRetrans = "tcp_timeout_max_retrans", 300;
    TcpTimeoutSynRecv = "tcp_timeout_syn_recv", 60;
    TcpTimeoutSynSent = "tcp_timeout_syn_sent", 120;
    TcpTimeoutTimeWait = "tcp_timeout_time_wait", 120;
    TcpTimeoutUnacknowledged = "tcp_timeout_unacknowledged", 300;
    Timestamp = "timestamp", 0;
    UdpTimeout = "udp_timeout", 30;
    UdpTimeoutStream = "udp_timeout_stream", 120;
}
