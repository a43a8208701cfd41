//! Neighbours: link-layer addresses of next hops and the state machine that keeps them fresh.

mod request;
mod state;
mod text;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

pub(crate) use state::Update;

use packet::{DevId, MacAddr, NetnsId, SimTime, Skb};
use trace::Observer;

use crate::random::Random;
use crate::sysctl_keys::ConfKey;
use crate::{Cx, Host, RouteKind};

/// A neighbour entry. Kernel: `struct neighbour` in `include/net/neighbour.h`.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Link-layer address, once known.
    pub lladdr: Option<MacAddr>,
    /// State.
    pub nud: Nud,
    /// When the address was last confirmed; `None` if never, or too long ago to count.
    pub confirmed: Option<SimTime>,
    /// When the entry was last used to send.
    pub used: SimTime,
    /// When the address or state last changed.
    pub updated: SimTime,
    /// Requests sent without an answer. Kernel: `neigh->probes`.
    pub probes: u32,
    /// Packets that wait for the address, oldest first. Kernel: `neigh->arp_queue`.
    pub queue: Vec<Skb>,
    /// A packet was sent with it, so that its frame header is kept ready. Kernel: `neigh->hh`.
    pub header_cached: bool,
    /// Distinguishes the armed timer of this entry from earlier ones.
    pub generation: u64,
    /// `router`. Kernel: `NTF_ROUTER`.
    pub router: bool,
    /// `extern_learn`. Kernel: `NTF_EXT_LEARNED`.
    pub extern_learn: bool,
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

impl Nud {
    /// A timer runs. Kernel: `NUD_IN_TIMER`.
    pub const fn in_timer(self) -> bool {
        matches!(self, Self::Incomplete | Self::Reachable | Self::Delay | Self::Probe)
    }

    /// The link-layer address may be used. Kernel: `NUD_VALID`.
    pub const fn is_valid(self) -> bool {
        matches!(
            self,
            Self::Permanent | Self::Noarp | Self::Reachable | Self::Probe | Self::Stale | Self::Delay
        )
    }

    /// It may be used without a check. Kernel: `NUD_CONNECTED`.
    pub const fn is_connected(self) -> bool {
        matches!(self, Self::Permanent | Self::Noarp | Self::Reachable)
    }
}

/// Neighbours of all devices of a namespace. Kernel: `arp_tbl`.
///
/// Simplified: nothing is forgotten (no `gc_thresh*`).
#[derive(Clone, Debug, Default)]
pub struct NeighTable {
    entries: BTreeMap<(DevId, IpAddr), Neighbour>,
    /// Proxy entries; the value is `router`.
    proxies: BTreeMap<(IpAddr, Option<DevId>), bool>,
    last_generation: u64,
    proxy_delay: Option<Random>,
}

impl NeighTable {
    pub(crate) fn get(&self, dev: DevId, addr: IpAddr) -> Option<&Neighbour> {
        self.entries.get(&(dev, addr))
    }

    fn get_mut(&mut self, dev: DevId, addr: IpAddr) -> Option<&mut Neighbour> {
        self.entries.get_mut(&(dev, addr))
    }

    /// Whether ARP requests for `addr` on `dev` are answered by hand. Kernel: `pneigh_lookup`.
    pub(crate) fn pneigh_lookup(&self, dev: DevId, addr: IpAddr) -> bool {
        self.proxies.contains_key(&(addr, Some(dev))) || self.proxies.contains_key(&(addr, None))
    }

    fn next_generation(&mut self) -> u64 {
        self.last_generation += 1;
        self.last_generation
    }
}

impl Host {
    /// The address under which `addr` is kept: one entry serves all of a device without neighbours.
    /// Kernel: `net/ipv4/arp.c, arp_constructor`, the `INADDR_ANY` key.
    fn neigh_key(&self, dev: DevId, addr: IpAddr) -> IpAddr {
        let one_for_all = self.dev(dev).is_loopback() || self.dev(dev).is_point_to_point();
        if one_for_all { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { addr }
    }

    /// The state, and address, that a new entry starts with. Kernel: `net/ipv4/arp.c, arp_constructor`.
    fn arp_constructor(&self, ns: NetnsId, dev: DevId, addr: IpAddr) -> (Nud, Option<MacAddr>) {
        let device = self.dev(dev);
        if !device.has_link_header() {
            return (Nud::Noarp, None);
        }
        match self.inet_addr_type(ns, addr) {
            RouteKind::Multicast => (Nud::Noarp, Some(arp_mc_map(addr))),
            _ if device.noarp || device.is_loopback() => (Nud::Noarp, Some(device.mac)),
            RouteKind::Broadcast => (Nud::Noarp, Some(device.broadcast)),
            _ if device.is_point_to_point() => (Nud::Noarp, Some(device.broadcast)),
            _ => (Nud::None, None),
        }
    }
}

/// The Ethernet group of a multicast address: 01:00:5e and its low 23 bits.
/// Kernel: `include/net/ip.h, ip_eth_mc_map`.
fn arp_mc_map(addr: IpAddr) -> MacAddr {
    match addr {
        IpAddr::V4(v4) => {
            let [_, b, c, d] = v4.octets();
            MacAddr([0x01, 0x00, 0x5e, b & 0x7f, c, d])
        }
        IpAddr::V6(v6) => {
            let o = v6.octets();
            MacAddr([0x33, 0x33, o[12], o[13], o[14], o[15]])
        }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// A higher layer made progress with `addr`: its entry is as good as confirmed.
    /// Kernel: `include/net/sock.h, sock_confirm_neigh`.
    pub fn neigh_confirm(&mut self, ns: NetnsId, dev: DevId, addr: IpAddr) {
        let key = self.host.neigh_key(dev, addr);
        let now = self.now;
        if let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, key) {
            neigh.confirmed = Some(now);
        }
    }

    /// A device went down: its entries and proxy entries go. Kernel: `net/core/neighbour.c, neigh_ifdown`.
    pub fn neigh_dev_down(&mut self, dev: DevId) {
        self.neigh_flush_dev(dev, |_| true);
        let table = &mut self.host.ns_mut(self.host.dev(dev).netns).neigh;
        table.proxies.retain(|&(_, on), _| on != Some(dev));
    }

    /// A device lost its carrier: its entries go, except permanent ones.
    /// Kernel: `net/core/neighbour.c, neigh_carrier_down`.
    pub fn neigh_carrier_down(&mut self, dev: DevId) {
        if self.host.in_dev_conf(dev, ConfKey::ArpEvictNocarrier) != 0 {
            self.neigh_flush_dev(dev, |n| n.nud != Nud::Permanent && !n.extern_learn);
        }
    }

    /// A device's address changed, or whether it does ARP: its entries go.
    /// Kernel: `net/core/neighbour.c, neigh_changeaddr`.
    pub fn neigh_changeaddr(&mut self, dev: DevId) {
        self.neigh_flush_dev(dev, |_| true);
    }

    /// A device is deleted or leaves the namespace: its entries and proxy entries go. Called while
    /// `dev.netns` still is the old one.
    pub fn neigh_dev_gone(&mut self, dev: DevId) {
        self.neigh_dev_down(dev);
    }

    /// Kernel: `net/core/neighbour.c, neigh_flush_dev`.
    fn neigh_flush_dev(&mut self, dev: DevId, goes: impl Fn(&Neighbour) -> bool) {
        let ns = self.host.dev(dev).netns;
        let table = &mut self.host.ns_mut(ns).neigh;
        let first = (dev, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let keys: Vec<IpAddr> = table
            .entries
            .range(first..)
            .take_while(|((on, _), _)| *on == dev)
            .filter(|(_, neigh)| goes(neigh))
            .map(|((_, addr), _)| *addr)
            .collect();
        for addr in keys {
            self.neigh_remove_one(ns, dev, addr);
        }
    }

    /// Removes an entry; what waits in it is lost. Kernel: `net/core/neighbour.c, neigh_remove_one`.
    fn neigh_remove_one(&mut self, ns: NetnsId, dev: DevId, addr: IpAddr) {
        let gone = self.host.ns_mut(ns).neigh.entries.remove(&(dev, addr));
        for skb in gone.into_iter().flat_map(|neigh| neigh.queue) {
            let dropped = self.dropped(ns, &skb, trace::DropReason::NeighDead);
            let _ = self.finish(Err(dropped));
        }
    }

    /// A delay below `max`, for a proxy's answer. Kernel: `get_random_u32_below` in `pneigh_enqueue`.
    pub(crate) fn proxy_delay(&mut self, ns: NetnsId, max: Duration) -> Duration {
        let mut random = match self.host.ns_mut(ns).neigh.proxy_delay.take() {
            Some(random) => random,
            None => Random::new(self.host, &format!("proxy_delay {ns}")),
        };
        let delay = Duration::from_micros(u64::from(random.below(max.as_micros() as u32)));
        self.host.ns_mut(ns).neigh.proxy_delay = Some(random);
        delay
    }
}
