use std::net::IpAddr;

use packet::{DevId, MacAddr, NetnsId, SimTime, Skb};
use trace::{DropReason, Observer};

use crate::dump::NeighInfo;
use crate::request::{Mode, NeighSpec, Reply};
use crate::{Cx, Errno, Host, PathResult, Refusal};

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

impl Host {
    /// The neighbours of a namespace, and its proxy entries.
    pub fn neighbours(&self, _ns: NetnsId, _now: SimTime) -> Vec<NeighInfo> {
        Vec::new()
    }
}

impl<O: Observer> Cx<'_, O> {
    /// `ip neigh add`. Kernel: `net/core/neighbour.c, neigh_add`.
    pub fn neigh_add(&mut self, _ns: NetnsId, _spec: &NeighSpec, _mode: Mode) -> Result<Reply, Refusal> {
        Err(Errno::OpNotSupp.into())
    }

    /// `ip neigh del`. Kernel: `net/core/neighbour.c, neigh_delete`.
    pub fn neigh_del(&mut self, _ns: NetnsId, _spec: &NeighSpec) -> Result<Reply, Refusal> {
        Err(Errno::OpNotSupp.into())
    }

    /// Sends `skb` by `dev` to the link-layer address of `next_hop`, asking for it first if it
    /// isn't known. Kernel: `include/net/neighbour.h, neigh_output`.
    pub fn neigh_output(&mut self, ns: NetnsId, _dev: DevId, _next_hop: IpAddr, skb: Skb) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::UnhandledProto))
    }

    /// A higher layer made progress with `addr`: its entry is as good as confirmed.
    /// Kernel: `include/net/neighbour.h, neigh_confirm`.
    pub fn neigh_confirm(&mut self, _ns: NetnsId, _dev: DevId, _addr: IpAddr) {}

    /// A device went down: its entries go. Kernel: `net/core/neighbour.c, neigh_ifdown`.
    pub fn neigh_dev_down(&mut self, _dev: DevId) {}

    /// A device lost its carrier: its entries go, except permanent ones.
    /// Kernel: `net/core/neighbour.c, neigh_carrier_down`.
    pub fn neigh_carrier_down(&mut self, _dev: DevId) {}

    /// A device's address changed: its entries go, except permanent ones.
    /// Kernel: `net/core/neighbour.c, neigh_changeaddr`.
    pub fn neigh_changeaddr(&mut self, _dev: DevId) {}

    /// A device is deleted or leaves the namespace: its entries and proxy entries go.
    pub fn neigh_dev_gone(&mut self, _dev: DevId) {}
}
