/// Counters of connection tracking, since the namespace was made.
/// Kernel: `struct ip_conntrack_stat`.
///
/// Simplified: one processor does all the work; `conntrack -S` lists a second one that is idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CtStats {
    /// Mappings that NAT found taken.
    pub found: u32,
    /// Packets that belong to no connection and can't begin one.
    pub invalid: u32,
    /// Connections entered by request.
    pub insert: u32,
    /// Connections that weren't entered because their tuple was taken.
    pub insert_failed: u32,
    /// Packets dropped because of it, or because the table was full.
    pub drop: u32,
    /// Connections forgotten to make room.
    pub early_drop: u32,
    /// ICMP errors that belong to no connection, and malformed ICMP.
    pub error: u32,
    /// Connections that gave way to an equal one.
    pub clash_resolve: u32,
}
