use std::net::IpAddr;
use std::time::Duration;

use packet::{DevId, MacAddr, NetnsId, Skb};
use trace::{DropReason, Observer, StepKind};

use super::{Neighbour, Nud};
use crate::sysctl_keys::NeighKey;
use crate::timer_wheel::wheel_expiry;
use crate::{Cx, Errno, Fate, Host, PathResult, Timer};

/// Shortest time between two looks at an entry. Kernel: `HZ/100`.
const SHORTEST: Duration = Duration::from_millis(10);

/// How an update treats what an entry holds. Kernel: `NEIGH_UPDATE_F_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// Another address doesn't replace a valid one.
    Keep,
    /// Kernel: `NEIGH_UPDATE_F_OVERRIDE`.
    Override,
    /// By hand, on top of a valid address or not. Kernel: `NEIGH_UPDATE_F_ADMIN`.
    Admin {
        /// Kernel: `NEIGH_UPDATE_F_OVERRIDE`.
        overrides: bool,
    },
}

impl Host {
    /// `delay_first_probe_time`, in seconds.
    fn delay_probe_time(&self, dev: DevId) -> Duration {
        Duration::from_secs(self.neigh_var(dev, NeighKey::DelayFirstProbeTime).max(0) as u64)
    }

    /// How long a confirmation lasts.
    ///
    /// Simplified: exactly the base time; the kernel takes a random one from half to one and a
    /// half of it (`neigh_rand_reach_time`).
    fn reachable_time(&self, dev: DevId) -> Duration {
        self.neigh_var_ms(dev, NeighKey::BaseReachableTimeMs)
    }

    fn retrans_time(&self, dev: DevId) -> Duration {
        self.neigh_var_ms(dev, NeighKey::RetransTimeMs).max(SHORTEST)
    }

    /// The link-layer address of a confirmed neighbour to which a packet was sent before.
    /// Kernel: `neigh->nud_state & NUD_CONNECTED && neigh->hh.hh_len`.
    pub(crate) fn neigh_hh(&self, ns: NetnsId, dev: DevId, addr: IpAddr) -> Option<MacAddr> {
        let neigh = self.ns(ns).neigh.get(dev, self.neigh_key(dev, addr))?;
        neigh.lladdr.filter(|_| neigh.nud.is_connected() && neigh.header_cached)
    }

    /// Requests to send before giving up. Kernel: `net/core/neighbour.c, neigh_max_probes`.
    fn neigh_max_probes(&self, dev: DevId, nud: Nud) -> u32 {
        let multicast = if nud == Nud::Probe { NeighKey::McastResolicit } else { NeighKey::McastSolicit };
        let sum = [NeighKey::UcastSolicit, NeighKey::AppSolicit, multicast]
            .map(|name| self.neigh_var(dev, name))
            .iter()
            .sum::<i64>();
        sum.max(0) as u32
    }
}

/// Memory that a packet of `len` bytes takes while it waits. Kernel: `skb->truesize`.
///
/// Simplified: as allocated by a local sender: head of the small-object cache or the next
/// `kmalloc` size, plus `struct sk_buff`.
fn truesize(len: usize) -> u64 {
    const SK_BUFF: u64 = 256;
    const SHARED_INFO: usize = 320;
    const SMALL_HEAD: usize = 576;
    let need = len + 31 + SHARED_INFO;
    SK_BUFF + if need <= SMALL_HEAD { SMALL_HEAD } else { need.next_power_of_two() } as u64
}

impl<O: Observer> Cx<'_, O> {
    /// Finds or makes the entry of `addr`. Kernel: `net/core/neighbour.c, ___neigh_create`.
    pub(crate) fn neigh_create(&mut self, ns: NetnsId, dev: DevId, addr: IpAddr) -> IpAddr {
        let key = self.host.neigh_key(dev, addr);
        if self.host.ns(ns).neigh.get(dev, key).is_none() {
            let (nud, lladdr) = self.host.arp_constructor(ns, dev, addr);
            let now = self.now;
            let neigh = Neighbour {
                lladdr,
                nud,
                confirmed: None,
                used: now,
                updated: now,
                probes: 0,
                queue: Vec::new(),
                header_cached: false,
                generation: 0,
                router: false,
                extern_learn: false,
            };
            self.host.ns_mut(ns).neigh.entries.insert((dev, key), neigh);
        }
        key
    }

    /// Sends `skb` by `dev` to the link-layer address of `next_hop`, asking for it first if it
    /// isn't known. Kernel: `include/net/neighbour.h, neigh_output`.
    pub fn neigh_output(&mut self, ns: NetnsId, dev: DevId, next_hop: IpAddr, skb: Skb) -> PathResult {
        let key = self.host.neigh_key(dev, next_hop);
        let now = self.now;
        if let Some(neigh) = self.host.ns(ns).neigh.get(dev, key).filter(|neigh| neigh.nud.is_connected()) {
            let mac = neigh.lladdr;
            return self.neigh_xmit(ns, dev, next_hop, mac, skb);
        }
        let key = self.neigh_create(ns, dev, next_hop);
        let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, key) else {
            return Err(self.dropped(ns, &skb, DropReason::NeighCreatefail));
        };
        match neigh.nud {
            Nud::Permanent | Nud::Noarp | Nud::Reachable => {
                let mac = neigh.lladdr;
                self.neigh_xmit(ns, dev, next_hop, mac, skb)
            }
            Nud::Delay | Nud::Probe => {
                neigh.used = now;
                let mac = neigh.lladdr;
                self.neigh_xmit(ns, dev, next_hop, mac, skb)
            }
            Nud::Stale => {
                neigh.used = now;
                neigh.nud = Nud::Delay;
                neigh.updated = now;
                let mac = neigh.lladdr;
                let delay = self.host.delay_probe_time(dev);
                self.neigh_add_timer(ns, dev, key, delay);
                self.neigh_xmit(ns, dev, next_hop, mac, skb)
            }
            Nud::None | Nud::Failed | Nud::Incomplete => {
                neigh.used = now;
                self.neigh_resolve(ns, dev, key, skb)
            }
        }
    }

    /// Kernel: `net/core/neighbour.c, neigh_connected_output`.
    fn neigh_xmit(
        &mut self,
        ns: NetnsId,
        dev: DevId,
        next_hop: IpAddr,
        mac: Option<MacAddr>,
        mut skb: Skb,
    ) -> PathResult {
        if let Some(mac) = mac {
            let device = self.host.dev(dev);
            skb.frame.dst = mac;
            skb.frame.src = device.mac;
            let cached = self.host.neigh_key(dev, next_hop);
            if let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, cached) {
                neigh.header_cached = true;
            }
            let device = self.host.dev(dev);
            if !device.is_loopback() {
                self.emit(skb.id, ns, Some(dev), || StepKind::Neighbour { addr: next_hop, mac: Some(mac) });
            }
        } else {
            skb.frame.dst = MacAddr::ZERO;
            skb.frame.src = MacAddr::ZERO;
        }
        self.dev_queue_xmit(dev, skb)
    }

    /// Queues `skb` and asks for the address. Kernel: `net/core/neighbour.c, __neigh_event_send`.
    fn neigh_resolve(&mut self, ns: NetnsId, dev: DevId, key: IpAddr, skb: Skb) -> PathResult {
        let starts = self.host.ns(ns).neigh.get(dev, key).is_some_and(|n| n.nud != Nud::Incomplete);
        if starts && !self.neigh_start(ns, dev, key) {
            return Err(self.dropped(ns, &skb, DropReason::NeighFailed));
        }
        let packet = skb.id;
        self.emit(packet, ns, Some(dev), || StepKind::Neighbour { addr: key, mac: None });
        self.emit(packet, ns, Some(dev), || StepKind::Held("neighbour"));
        self.neigh_enqueue(ns, dev, key, skb);
        if starts {
            self.neigh_probe(ns, dev, key);
        }
        Ok(Fate::Held("neighbour"))
    }

    /// Makes the entry one that is being asked for; false if the device asks nobody.
    fn neigh_start(&mut self, ns: NetnsId, dev: DevId, key: IpAddr) -> bool {
        let now = self.now;
        let multicast =
            self.host.neigh_var(dev, NeighKey::McastSolicit) + self.host.neigh_var(dev, NeighKey::AppSolicit);
        let first = self.host.neigh_var(dev, NeighKey::UcastSolicit).max(0) as u32;
        if let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, key) {
            neigh.updated = now;
            neigh.probes = first;
            neigh.nud = if multicast > 0 { Nud::Incomplete } else { Nud::Failed };
        }
        if multicast > 0 {
            let retrans = self.host.retrans_time(dev);
            self.neigh_add_timer(ns, dev, key, retrans);
        }
        multicast > 0
    }

    /// Asks for the address of `addr`, though no packet waits for it yet; true if it is known.
    /// Kernel: `include/net/neighbour.h, neigh_event_send` without a packet.
    pub(crate) fn neigh_event_send(&mut self, ns: NetnsId, dev: DevId, addr: IpAddr) -> bool {
        let key = self.neigh_create(ns, dev, addr);
        let Some(nud) = self.host.ns(ns).neigh.get(dev, key).map(|neigh| neigh.nud) else { return false };
        if matches!(nud, Nud::None | Nud::Failed) && self.neigh_start(ns, dev, key) {
            self.neigh_probe(ns, dev, key);
        }
        nud.is_valid()
    }

    /// Appends to the queue of an entry; the oldest go when it is full (`unres_qlen_bytes`).
    fn neigh_enqueue(&mut self, ns: NetnsId, dev: DevId, key: IpAddr, skb: Skb) {
        let limit = self.host.neigh_var(dev, NeighKey::UnresQlenBytes).max(0) as u64;
        let mut lost = Vec::new();
        if let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, key) {
            let mut bytes: u64 = neigh.queue.iter().map(|skb| truesize(skb.frame.len())).sum();
            while bytes + truesize(skb.frame.len()) > limit && !neigh.queue.is_empty() {
                let oldest = neigh.queue.remove(0);
                bytes -= truesize(oldest.frame.len());
                lost.push(oldest);
            }
            neigh.queue.push(skb);
        }
        for skb in lost {
            let dropped = self.dropped(ns, &skb, DropReason::NeighQueuefull);
            let _ = self.finish(Err(dropped));
        }
    }

    /// Sends one request. Kernel: `net/core/neighbour.c, neigh_probe`.
    fn neigh_probe(&mut self, ns: NetnsId, dev: DevId, key: IpAddr) {
        let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, key) else { return };
        let probes = neigh.probes;
        let lladdr = neigh.lladdr;
        // The newest packet speaks for all that wait.
        let src = neigh.queue.last().and_then(|skb| skb.frame.ip()).map(packet::Packet::src);
        neigh.probes += 1;
        self.arp_solicit(ns, dev, key, probes, lladdr, src);
    }

    fn neigh_add_timer(&mut self, ns: NetnsId, dev: DevId, addr: IpAddr, after: Duration) {
        let table = &mut self.host.ns_mut(ns).neigh;
        let generation = table.next_generation();
        if let Some(neigh) = table.get_mut(dev, addr) {
            neigh.generation = generation;
            let after = wheel_expiry(self.now, after).since(self.now);
            self.arm(after, Timer::Neigh { netns: ns, dev, addr, generation });
        }
    }

    /// A neighbour's timer fired. Kernel: `net/core/neighbour.c, neigh_timer_handler`.
    pub(crate) fn neigh_timer_handler(&mut self, ns: NetnsId, dev: DevId, addr: IpAddr, generation: u64) {
        let now = self.now;
        if self.host.get_dev(dev).is_none_or(|d| d.netns != ns) || self.host.get_ns(ns).is_none() {
            return;
        }
        let (reachable, delay) = (self.host.reachable_time(dev), self.host.delay_probe_time(dev));
        let retrans = self.host.retrans_time(dev);
        let Some(neigh) =
            self.host.ns_mut(ns).neigh.get_mut(dev, addr).filter(|n| n.generation == generation)
        else {
            return;
        };
        let confirmed_within =
            |time: Duration| neigh.confirmed.filter(|&at| now <= at + time).map(|at| at + time);
        let next = match neigh.nud {
            Nud::Reachable => match confirmed_within(reachable) {
                Some(until) => until.since(now),
                None if now <= neigh.used + delay => {
                    neigh.nud = Nud::Delay;
                    neigh.updated = now;
                    delay
                }
                None => {
                    neigh.nud = Nud::Stale;
                    neigh.updated = now;
                    return;
                }
            },
            Nud::Delay => match confirmed_within(delay) {
                Some(_) => {
                    neigh.nud = Nud::Reachable;
                    neigh.updated = now;
                    confirmed_within(reachable).map_or(Duration::ZERO, |until| until.since(now))
                }
                None => {
                    neigh.nud = Nud::Probe;
                    neigh.updated = now;
                    neigh.probes = 0;
                    retrans
                }
            },
            Nud::Probe | Nud::Incomplete => retrans,
            Nud::None | Nud::Stale | Nud::Failed | Nud::Noarp | Nud::Permanent => return,
        };
        let (nud, probes) = (neigh.nud, neigh.probes);
        let asks = matches!(nud, Nud::Incomplete | Nud::Probe);
        if asks && probes >= self.host.neigh_max_probes(dev, nud) {
            self.neigh_invalidate(ns, dev, addr);
            return;
        }
        self.neigh_add_timer(ns, dev, addr, next.max(SHORTEST));
        if asks {
            self.neigh_probe(ns, dev, addr);
        }
    }

    /// Gives up: senders of what waits are told. Kernel: `net/core/neighbour.c, neigh_invalidate`,
    /// `net/ipv4/arp.c, arp_error_report`, `net/ipv4/route.c, ipv4_link_failure`.
    fn neigh_invalidate(&mut self, ns: NetnsId, dev: DevId, addr: IpAddr) {
        let now = self.now;
        let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, addr) else { return };
        neigh.nud = Nud::Failed;
        neigh.updated = now;
        for skb in std::mem::take(&mut neigh.queue) {
            self.icmp_send(ns, &skb, packet::Icmp::UNREACHABLE, 1, 0);
            let dropped = self.dropped(ns, &skb, DropReason::NeighFailed);
            let _ = self.finish(Err(dropped));
        }
    }

    /// Gives an entry another address or state. Kernel: `net/core/neighbour.c, __neigh_update`.
    ///
    /// # Errors
    /// `EPERM` if the entry is fixed, `EINVAL` if no address is known.
    pub(crate) fn neigh_update(
        &mut self,
        ns: NetnsId,
        dev: DevId,
        addr: IpAddr,
        lladdr: Option<MacAddr>,
        mut new: Nud,
        update: Update,
    ) -> Result<(), Errno> {
        let now = self.now;
        let (overrides, admin) = match update {
            Update::Keep => (false, false),
            Update::Override => (true, false),
            Update::Admin { overrides } => (overrides, true),
        };
        let reachable = self.host.reachable_time(dev);
        let generation = self.host.ns_mut(ns).neigh.next_generation();
        let has_address = self.host.dev(dev).has_link_header();
        let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, addr) else { return Err(Errno::NoEnt) };
        let old = neigh.nud;
        if !admin && matches!(old, Nud::Noarp | Nud::Permanent) {
            return Err(Errno::Perm);
        }
        if !new.is_valid() {
            neigh.generation = generation;
            neigh.nud = new;
            if matches!(old, Nud::Incomplete | Nud::Probe) && new == Nud::Failed {
                self.neigh_invalidate(ns, dev, addr);
            }
            return Ok(());
        }
        let lladdr = match lladdr {
            _ if !has_address => None,
            Some(lladdr) => Some(lladdr),
            None if !old.is_valid() => return Err(Errno::Inval),
            None => neigh.lladdr,
        };
        if new.is_connected() {
            neigh.confirmed = Some(now);
        }
        if old.is_valid() {
            if lladdr != neigh.lladdr && !overrides {
                return Ok(());
            }
            if lladdr == neigh.lladdr && new == Nud::Stale && !admin {
                new = old;
            }
        }
        if new != old || lladdr != neigh.lladdr {
            neigh.updated = now;
        }
        if lladdr != neigh.lladdr {
            neigh.lladdr = lladdr;
            if !new.is_connected() {
                neigh.confirmed = None;
            }
        }
        if new == old {
            return Ok(());
        }
        neigh.generation = generation;
        neigh.nud = new;
        if new == Nud::Probe {
            neigh.probes = 0;
        }
        let waiting = if old.is_valid() { Vec::new() } else { std::mem::take(&mut neigh.queue) };
        if new.in_timer() {
            let after = if new == Nud::Reachable { reachable } else { Duration::ZERO };
            self.neigh_add_timer(ns, dev, addr, after);
        }
        for skb in waiting {
            let next_hop = addr;
            let sent = self.neigh_xmit(ns, dev, next_hop, lladdr, skb);
            let _ = self.finish(sent);
        }
        Ok(())
    }
}
