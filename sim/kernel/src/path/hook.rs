//! The hooks of IPv4: where packets meet tables, connection tracking and address translation.
//!
//! ```text
//! ip_rcv              PREROUTING   then ip_local_deliver or ip_forward by the route
//! ip_local_deliver    INPUT        then a socket
//! ip_forward          FORWARD      then ip_output
//! ip_local_out        OUTPUT       then ip_output
//! ip_output           POSTROUTING
//! br_nf_pre_routing   PREROUTING   of bridged packets: see `br_netfilter.rs`
//! br_nf_forward       FORWARD
//! br_nf_post_routing  POSTROUTING
//! ```

use std::cell::Cell;
use std::net::IpAddr;

use netfilter::conntrack::{ConntrackChange, CtSysctl};
use netfilter::set::{SetChange, SetError};
use netfilter::{
    AddrType, Change, Env, HookState, HookVerdict, RecentWrite, Refused, Restore, ReversePath, Watch,
};
use packet::{DevId, NetnsId, Proto, SimTime, Skb};
use trace::{DropReason, HookName, Observer};

use crate::fib_lookup::{FlowKey, Linkstate};
use crate::path::{Dst, Flow};
use crate::request::Reply;
use crate::socket::{NetlinkGroup, NetlinkMessage};
use crate::sysctl_keys;
use crate::{Cx, Dropped, Errno, Host, RouteKind, Scope};

impl Host {
    /// Whether packets must be put together before the first hook, because connection tracking is
    /// in use in the namespace. Kernel: `nf_defrag_ipv4_enable`.
    pub fn needs_defrag(&self, ns: NetnsId) -> bool {
        self.ns(ns).netfilter.tracks()
    }
}

/// Places of the settings of connection tracking.
static CONNTRACK_KEYS: [usize; CtSysctl::ALL.len()] = {
    let mut keys = [0; CtSysctl::ALL.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = sysctl_keys::key_under("net.netfilter.", CtSysctl::ALL[at].key());
        at += 1;
    }
    keys
};

/// What netfilter may ask of this kernel.
struct KernelEnv<'a> {
    host: &'a Host,
    ns: NetnsId,
    now: SimTime,
    /// The bridge, if the packet is bridged and wasn't routed: its next hop is its destination, its
    /// MTU the bridge's. Kernel: `bridge_parent_rtable`.
    fake_rtable: Option<DevId>,
    /// The route of a packet that was routed again.
    rerouted: Cell<Option<Result<Dst, Errno>>>,
}

impl<'a> KernelEnv<'a> {
    fn new(host: &'a Host, ns: NetnsId, now: SimTime) -> Self {
        Self { host, ns, now, fake_rtable: None, rerouted: Cell::default() }
    }
}

impl Env for KernelEnv<'_> {
    fn now(&self) -> SimTime {
        self.now
    }

    fn dev_name(&self, dev: DevId) -> &str {
        self.host.get_dev(dev).map_or("", |dev| dev.name.as_str())
    }

    fn addr_type(&self, addr: IpAddr, dev: Option<DevId>) -> AddrType {
        match self.host.inet_addr_type_dev(self.ns, dev, addr) {
            RouteKind::Unicast => AddrType::Unicast,
            RouteKind::Local => AddrType::Local,
            RouteKind::Broadcast => AddrType::Broadcast,
            RouteKind::Multicast => AddrType::Multicast,
            RouteKind::Blackhole => AddrType::Blackhole,
            RouteKind::Unreachable => AddrType::Unreachable,
            RouteKind::Prohibit => AddrType::Prohibit,
            RouteKind::Throw => AddrType::Throw,
        }
    }

    fn primary_addr(&self, dev: DevId) -> Option<IpAddr> {
        self.host.get_dev(dev)?.addrs.first().map(|addr| addr.local.addr())
    }

    fn masquerade_addr(&self, out: DevId, dst: IpAddr) -> Option<IpAddr> {
        let flow = Flow { oif: Some(out), ..Flow::to(dst) };
        let route = match self.fake_rtable {
            Some(_) => None,
            None => self.host.ip_route_output(self.ns, &flow, self.now).ok(),
        };
        let next_hop = route.and_then(|route| route.gateway).unwrap_or(dst);
        self.host.inet_select_addr(out, next_hop, Scope::GLOBAL)
    }

    fn path_mtu(&self, dst: IpAddr, _: Option<DevId>) -> u32 {
        if let Some(br) = self.fake_rtable.and_then(|br| self.host.get_dev(br)) {
            return br.mtu;
        }
        self.host.ip_route_output(self.ns, &Flow::to(dst), self.now).map_or(u32::MAX, |route| route.mtu)
    }

    fn reverse_path(&self, src: IpAddr, dst: IpAddr, tos: u8, mark: u32, indev: DevId) -> ReversePath {
        let (IpAddr::V4(src), IpAddr::V4(dst)) = (src, dst) else { return ReversePath::None };
        let key = FlowKey {
            daddr: src.to_bits(),
            // A destination that can't be a source is left out. Kernel: `rpfilter_get_saddr`.
            saddr: if dst.is_multicast() || dst.is_broadcast() { 0 } else { dst.to_bits() },
            oif: None,
            iif: self.host.ns(self.ns).loopback,
            mark,
            tos,
            proto: Proto(0),
            sport: 0,
            dport: 0,
            scope: Scope::GLOBAL,
        };
        let Ok(found) = self.host.fib_lookup(self.ns, &key, Linkstate::Ignore) else {
            return ReversePath::None;
        };
        // Kernel: `fib_info_nh_uses_dev`.
        let same = found.route.nexthops.iter().any(|nh| nh.dev == indev);
        match found.route.kind {
            RouteKind::Local => ReversePath::Local { same },
            RouteKind::Unicast => ReversePath::By { same },
            _ => ReversePath::None,
        }
    }

    fn ct_sysctl(&self, key: CtSysctl) -> u32 {
        // Two are of the whole kernel.
        let ns = match key {
            CtSysctl::Max | CtSysctl::Buckets => NetnsId::INIT,
            _ => self.ns,
        };
        u32::try_from(self.host.ns(ns).sysctl.at(CONNTRACK_KEYS[key as usize])).unwrap_or(0)
    }

    fn reroute(&self, skb: &Skb) -> bool {
        let route = self.host.ip_route_me_harder(self.ns, skb, self.now);
        let found = route.is_ok();
        self.rerouted.set(Some(route));
        found
    }

    fn seed(&self) -> u64 {
        seed_of(self.host, self.ns)
    }
}

/// Whether a packet goes from port to port of a bridge by its frame's address alone.
fn is_bridged(skb: &Skb) -> bool {
    skb.nf_bridge.as_ref().is_some_and(|info| info.physoutdev.is_some() && info.daddr == skb.ip().dst())
}

/// The same number for the same world, host and namespace: FNV-1a.
fn seed_of(host: &Host, ns: NetnsId) -> u64 {
    let bytes = host.name.bytes().chain([0]).chain(ns.0.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325 ^ host.seed, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl<O: Observer> Cx<'_, O> {
    /// Runs what is registered at `hook`: the packet goes on as it is returned, with another mark
    /// or address perhaps, or ends. A REJECT has sent its answer when this returns.
    /// Kernel: `nf_hook` in `include/linux/netfilter.h`.
    ///
    /// # Errors
    /// The drop; for a local sender with the error of its system call (EPERM).
    #[inline]
    pub fn nf_hook(
        &mut self,
        ns: NetnsId,
        hook: HookName,
        indev: Option<DevId>,
        outdev: Option<DevId>,
        skb: Skb,
    ) -> Result<Skb, Dropped> {
        if self.host.ns(ns).netfilter.is_idle(hook) {
            return Ok(skb);
        }
        self.nf_hook_slow(ns, HookState { hook, indev, outdev }, skb).map(|(skb, _)| skb)
    }

    /// Runs what is registered at OUTPUT. Answers the new route if a hook had the packet routed
    /// again.
    ///
    /// # Errors
    /// The drop, with the error of the sender's system call.
    #[inline]
    pub fn nf_hook_output(
        &mut self,
        ns: NetnsId,
        outdev: DevId,
        skb: Skb,
    ) -> Result<(Skb, Option<Dst>), Dropped> {
        let hook = HookName::Output;
        if self.host.ns(ns).netfilter.is_idle(hook) {
            return Ok((skb, None));
        }
        self.nf_hook_slow(ns, HookState { hook, indev: None, outdev: Some(outdev) }, skb)
    }

    /// Kernel: `nf_hook_slow` in `net/netfilter/core.c`.
    fn nf_hook_slow(
        &mut self,
        ns: NetnsId,
        state: HookState,
        mut skb: Skb,
    ) -> Result<(Skb, Option<Dst>), Dropped> {
        // Rules look at the host while they change netfilter's state, so that is taken out.
        let mut netfilter = std::mem::take(&mut self.host.ns_mut(ns).netfilter);
        let mut log = Vec::new();
        let place = self.place(ns, state.outdev.or(state.indev));
        let mut watch = Watch { obs: &mut *self.obs, place, at: self.now, packet: skb.id };
        let fake_rtable = state.outdev.filter(|_| is_bridged(&skb));
        let env = KernelEnv { fake_rtable, ..KernelEnv::new(self.host, ns, self.now) };
        let listening = self.host.netlink_has_listeners(ns, NetlinkGroup::NfTrace);
        netfilter.set_listening(self.host.netlink_has_listeners(ns, NetlinkGroup::Conntrack));
        netfilter.set_tracing(listening);
        let verdict = netfilter.run(&env, state, &mut log, self.choices.as_deref_mut(), &mut watch, &mut skb);
        let rerouted = env.rerouted.into_inner().transpose();
        let mut traced: Vec<_> = std::iter::from_fn(|| netfilter.next_trace()).collect();
        // A REJECT sends its answer before its own rule is told of.
        let rejected = matches!(&verdict, HookVerdict::Drop { reject: Some(_), .. });
        let last = if rejected { traced.pop() } else { None };
        self.host.ns_mut(ns).netfilter = netfilter;
        for event in traced {
            self.netlink_broadcast(ns, NetlinkGroup::NfTrace, &NetlinkMessage::NfTrace(event));
        }
        self.netfilter_news(ns);
        // Only the initial namespace logs. Kernel: `net.netfilter.nf_log_all_netns=0`.
        if ns == NetnsId::INIT {
            for line in log {
                self.host.log.log(self.now, line);
            }
        }
        let (reject, decided_by) = match verdict {
            HookVerdict::Accept => return Ok((skb, rerouted.ok().flatten())),
            HookVerdict::Unroutable => {
                let mut dropped = self.dropped(ns, &skb, DropReason::NetfilterDrop);
                dropped.errno = rerouted.err();
                return Err(dropped);
            }
            HookVerdict::Queued { decided_by } => {
                let mut dropped = self.dropped(ns, &skb, DropReason::NetfilterDrop);
                dropped.dev = state.outdev.or(state.indev);
                dropped.decided_by = decided_by.map(Box::new);
                return Err(dropped);
            }
            HookVerdict::Drop { reject, decided_by } => (reject, decided_by),
        };
        if let Some(with) = reject {
            self.nf_reject(ns, with, &skb);
        }
        if let Some(event) = last {
            self.netlink_broadcast(ns, NetlinkGroup::NfTrace, &NetlinkMessage::NfTrace(event));
        }
        let mut dropped = self.dropped(ns, &skb, DropReason::NetfilterDrop);
        dropped.dev = state.outdev.or(state.indev);
        dropped.decided_by = decided_by.map(Box::new);
        if state.indev.is_none() {
            dropped.errno = Some(Errno::Perm);
        }
        Err(dropped)
    }

    /// Forgets connections that were masqueraded as a device that goes down, or as an address of it
    /// that goes. Kernel: `masq_device_event`, `masq_inet_event` in
    /// `net/netfilter/nf_nat_masquerade.c`.
    pub(crate) fn masquerade_gone(&mut self, dev: DevId, addr: Option<IpAddr>) {
        let Some(ns) = self.host.get_dev(dev).map(|dev| dev.netns) else { return };
        let now = self.now;
        if self.host.get_ns(ns).is_some() {
            self.host.ns_mut(ns).netfilter.masquerade_gone(dev, addr, now);
            self.netfilter_news(ns);
        }
    }

    /// Hands on what connection tracking and NAT have to say: events to sockets that listen, lines
    /// to the kernel log. Kernel: `nfnetlink_send`, `net_warn_ratelimited`.
    pub(crate) fn netfilter_news(&mut self, ns: NetnsId) {
        let netfilter = &mut self.host.ns_mut(ns).netfilter;
        if !netfilter.has_news() {
            return;
        }
        let (events, notices) = (netfilter.take_conntrack_events(), netfilter.take_notices());
        for line in notices {
            self.host.log.log(self.now, line);
        }
        for event in events {
            let message = NetlinkMessage::Conntrack(Box::new(event));
            self.netlink_broadcast(ns, NetlinkGroup::Conntrack, &message);
        }
    }

    /// Changes one rule or chain.
    pub(crate) fn ruleset_change(&mut self, ns: NetnsId, change: &Change) -> Result<(), Errno> {
        self.host.ns_mut(ns).netfilter.change(change).map_err(errno)?;
        self.nf_ct_set_acct(ns);
        Ok(())
    }

    /// A new rule may turn the counters of connections on. Kernel: `nf_ct_set_acct`.
    fn nf_ct_set_acct(&mut self, ns: NetnsId) {
        if self.host.ns_mut(ns).netfilter.take_wants_accounting() {
            // The setting exists in every namespace.
            let _ = self.sysctl_set(ns, "net.netfilter.nf_conntrack_acct", "1");
        }
    }

    /// Makes the changes of one table, all or none; answers the refused ones by index.
    pub(crate) fn ruleset_restore(&mut self, ns: NetnsId, restore: &Restore) -> Reply {
        let refused = self.host.ns_mut(ns).netfilter.restore(restore).err().unwrap_or_default();
        let refused = refused.into_iter().map(|(at, refused)| (at, errno(refused))).collect();
        self.nf_ct_set_acct(ns);
        Reply { refused, ..Reply::default() }
    }

    /// Changes the sets of `ipset`.
    pub(crate) fn set_change(&mut self, ns: NetnsId, change: &SetChange) -> Result<(), Errno> {
        let (seed, now) = (seed_of(self.host, ns), self.now);
        let mut log = Vec::new();
        let done = self.host.ns_mut(ns).netfilter.change_sets(change, seed, now, &mut log);
        for line in log {
            self.host.log.log(now, line);
        }
        done.map_err(set_errno)
    }

    /// Writes to a table of `-m recent`. Kernel: `recent_mt_proc_write`.
    pub(crate) fn recent_write(&mut self, ns: NetnsId, name: &str, write: RecentWrite) -> Result<(), Errno> {
        let now = self.now;
        let shared = self.host.ns_mut(ns).netfilter.shared_mut();
        let table = shared.and_then(|shared| shared.recent.get_mut(name)).ok_or(Errno::NoEnt)?;
        table.write(write, now);
        Ok(())
    }

    /// Changes the table of connections. Kernel: `net/netfilter/nf_conntrack_netlink.c`.
    pub(crate) fn conntrack_change(&mut self, ns: NetnsId, change: &ConntrackChange) -> Result<(), Errno> {
        let mut netfilter = std::mem::take(&mut self.host.ns_mut(ns).netfilter);
        netfilter.set_listening(self.host.netlink_has_listeners(ns, NetlinkGroup::Conntrack));
        let env = KernelEnv::new(self.host, ns, self.now);
        let portid = self.current.map_or(0, |pid| pid.0);
        let changed = netfilter.change_conntrack(change, &env, portid);
        self.host.ns_mut(ns).netfilter = netfilter;
        self.netfilter_news(ns);
        changed.map_err(errno)
    }

    /// The connection of a rejected segment is closing. Kernel: `nf_ct_set_closing`.
    pub(super) fn nf_ct_set_closing(&mut self, ns: NetnsId, rejected: &Skb) {
        let mut netfilter = std::mem::take(&mut self.host.ns_mut(ns).netfilter);
        let env = KernelEnv::new(self.host, ns, self.now);
        netfilter.set_closing(rejected, &env);
        self.host.ns_mut(ns).netfilter = netfilter;
    }
}

/// The sets' own error numbers, and the kernel's.
fn set_errno(error: SetError) -> Errno {
    Errno::from_number(error.number()).unwrap_or(Errno::Inval)
}

fn errno(refused: Refused) -> Errno {
    match refused {
        Refused::Invalid => Errno::Inval,
        Refused::Unsupported => Errno::OpNotSupp,
        Refused::NotFound => Errno::NoEnt,
        Refused::Exists => Errno::Exist,
        Refused::Busy => Errno::Busy,
        Refused::OutOfRange => Errno::Range,
        Refused::TooDeep => Errno::MLink,
        Refused::Loop => Errno::Loop,
    }
}
