use packet::{MacAddr, SimTime, Skb};

/// A neighbour entry. Kernel: `struct neighbour` in `include/net/neighbour.h`.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Link-layer address, once known.
    pub lladdr: Option<MacAddr>,
    /// State.
    pub nud: Nud,
    /// When the address was last confirmed.
    pub confirmed: SimTime,
    /// When the entry was last used to send.
    pub used: SimTime,
    /// When the address or state last changed.
    pub updated: SimTime,
    /// Requests sent without an answer. Kernel: `neigh->probes`.
    pub probes: u32,
    /// Packets that wait for the address, oldest first. Kernel: `neigh->arp_queue`.
    pub queue: Vec<Skb>,
    /// Distinguishes timers of this entry from those of an earlier one.
    pub generation: u64,
}

/// Neighbour unreachability detection state. Kernel: `NUD_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nud {
    /// No state.
    None,
    /// Being resolved.
    Incomplete,
    /// Confirmed recently.
    Reachable,
    /// Known, not confirmed recently.
    Stale,
    /// Used while stale; waits for a confirmation from above.
    Delay,
    /// Asked by unicast.
    Probe,
    /// Resolution failed.
    Failed,
    /// Needs no resolution.
    Noarp,
    /// Set by hand.
    Permanent,
}

/// Neighbours of all devices of a namespace.
#[derive(Clone, Debug, Default)]
pub struct NeighTable {}
