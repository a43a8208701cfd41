use std::hash::{Hash, Hasher};

use packet::{Body, DevId, Icmp, NetnsId, OutputRoute, Packet, SimTime, SkOwner, Skb, wire};
use trace::{DropReason, HookName, Observer, Relation};

use crate::path::forward::ip_exceeds_mtu;
use crate::path::{Dst, Flow};
use crate::{Cx, Errno, Fate, Host, PathResult, RouteKind};

/// Identification counters, by a hash of source, destination and protocol.
/// Kernel: `net/ipv4/route.c, ip_idents`.
#[derive(Clone, Debug, Default)]
pub struct IpIdents(std::collections::BTreeMap<u8, u16>);

fn ports(packet: &Packet) -> (u16, u16) {
    match &packet.body {
        Body::Tcp(tcp) => (tcp.sport, tcp.dport),
        Body::Udp(udp) => (udp.sport, udp.dport),
        Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => (0, 0),
    }
}

/// The size to cut to: what the packet was put together from, if that fits.
/// Kernel: `net/ipv4/ip_output.c, ip_do_fragment`, whose fast path sends the fragments as they came.
pub(super) fn fragment_size(skb: &Skb, mtu: u32) -> u32 {
    let most = match u32::from(skb.frag_max_size) {
        0 => mtu,
        came => came.min(mtu),
    };
    match u32::from(skb.frag_list) {
        0 => most,
        came => came.min(most),
    }
}

impl Host {
    /// Routes a packet of this host again after a hook changed it.
    /// Kernel: `net/ipv4/netfilter.c, ip_route_me_harder`.
    ///
    /// Simplified: a socket's `SO_BINDTODEVICE` doesn't bind the new route.
    pub(super) fn ip_route_me_harder(&self, ns: NetnsId, skb: &Skb, now: SimTime) -> Result<Dst, Errno> {
        let packet = skb.ip();
        let (sport, dport) = ports(packet);
        let own = matches!(self.inet_addr_type(ns, packet.src()), RouteKind::Local | RouteKind::Unicast);
        let flow = Flow {
            src: own.then(|| packet.src()),
            mark: skb.mark,
            tos: packet.tos,
            proto: packet.proto(),
            sport,
            dport,
            any_src: own,
            ..Flow::to(packet.dst())
        };
        self.ip_route_output(ns, &flow, now)
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Sends a packet of this host by `dst`: OUTPUT, whose tables mangle and nat may have it routed
    /// again, then [`Cx::ip_output`]. Kernel: `net/ipv4/ip_output.c, ip_local_out`.
    pub fn ip_local_out(&mut self, ns: NetnsId, skb: Skb, dst: Dst) -> PathResult {
        let Some(skb) = self.nf_defrag(ns, skb)? else { return Ok(Fate::Held("fragments")) };
        self.emit_route(ns, &skb, &dst);
        let (mut skb, rerouted) = self.nf_hook_output(ns, dst.dev, skb)?;
        if let Some(dst) = &rerouted {
            skb.dev = dst.dev;
            self.emit_route(ns, &skb, dst);
        }
        let dst = rerouted.unwrap_or(dst);
        skb.route = self.kept_route(&dst);
        self.ip_output(ns, skb, dst, None)
    }

    /// What is left of `dst` when a packet of this host comes back.
    /// Kernel: `net/ipv4/route.c, __mkroute_output` (`RTCF_LOCAL`).
    fn kept_route(&self, dst: &Dst) -> Option<Box<OutputRoute>> {
        self.host.dev(dst.dev).is_loopback().then(|| Box::new(OutputRoute::Local(dst.iif.unwrap_or(dst.dev))))
    }

    /// POSTROUTING, fragmentation, neighbour. Multicast and broadcast of this host also come back
    /// to it. A forwarded packet still has the device it came in by, which POSTROUTING sees.
    /// Kernel: `net/ipv4/ip_output.c, ip_output, ip_mc_output`.
    pub fn ip_output(&mut self, ns: NetnsId, mut skb: Skb, dst: Dst, indev: Option<DevId>) -> PathResult {
        skb.dev = dst.dev;
        let to_many = matches!(dst.kind, RouteKind::Broadcast | RouteKind::Multicast);
        if to_many && !self.host.dev(dst.dev).is_loopback() {
            self.ip_mc_loop(ns, &skb, &dst);
            if skb.ip().ttl == 0 {
                return Err(self.dropped(ns, &skb, DropReason::TtlExceeded));
            }
        }
        let skb = self.nf_hook(ns, HookName::Postrouting, indev, Some(dst.dev), skb)?;
        self.ip_finish_output(ns, skb, dst)
    }

    /// Hands a copy of a multicast or broadcast packet back to this host.
    /// Kernel: `net/ipv4/ip_output.c, ip_mc_output, ip_mc_finish_output`.
    ///
    /// Simplified: nobody joins multicast groups, so only broadcasts come back.
    fn ip_mc_loop(&mut self, ns: NetnsId, skb: &Skb, dst: &Dst) {
        if dst.kind != RouteKind::Broadcast {
            return;
        }
        // A clone belongs to no socket.
        let copy = Skb { id: self.ids.next_id(), sk: SkOwner::None, ..skb.clone() };
        self.emit_created(&copy, ns, &[(Relation::Copy, skb.id)]);
        let looped = self
            .nf_hook(ns, HookName::Postrouting, None, Some(dst.dev), copy)
            .and_then(|copy| self.dev_loopback_xmit(ns, copy, dst));
        let _ = self.finish(looped);
    }

    /// Kernel: `net/ipv4/ip_output.c, __ip_finish_output`.
    fn ip_finish_output(&mut self, ns: NetnsId, skb: Skb, dst: Dst) -> PathResult {
        let mtu = dst.mtu;
        if skb.ip().len() <= mtu as usize && skb.frag_max_size == 0 {
            return self.ip_finish_output2(ns, skb, &dst);
        }
        if ip_exceeds_mtu(&skb, mtu) {
            self.icmp_send(ns, &skb, Icmp::UNREACHABLE, 4, mtu);
            let mut dropped = self.dropped(ns, &skb, DropReason::PktTooBig);
            dropped.errno = Some(Errno::MsgSize);
            return Err(dropped);
        }
        self.ip_do_fragment(ns, skb, &dst)
    }

    /// Cuts a packet, to the sizes it came in if it was put together here.
    /// Kernel: `net/ipv4/ip_output.c, ip_do_fragment`.
    fn ip_do_fragment(&mut self, ns: NetnsId, skb: Skb, dst: &Dst) -> PathResult {
        let mtu = fragment_size(&skb, dst.mtu);
        if skb.ip().len() <= mtu as usize {
            return self.ip_finish_output2(ns, skb, dst);
        }
        let mut result = Ok(Fate::Consumed);
        for mut fragment in wire::fragment(skb.ip(), mtu as usize) {
            // Only what came in fragments with DF leaves so. Kernel: `IPSKB_FRAG_PMTU`.
            fragment.frag.df &= skb.frag_max_size > 0;
            let mut part = Skb::from_ip(self.ids.next_id(), dst.dev, fragment);
            (part.mark, part.ct, part.route) = (skb.mark, skb.ct, skb.route.clone());
            self.emit_created(&part, ns, &[(Relation::FragmentOf, skb.id)]);
            let sent = self.ip_finish_output2(ns, part, dst);
            if let failed @ Err(_) = self.finish(sent) {
                result = failed;
            }
        }
        match result {
            // The fragment's own drop is recorded already; the sender still gets its error.
            Err(dropped) => Err(crate::Dropped { packet: skb.id, ..dropped }),
            sent => sent,
        }
    }

    /// Finds the next hop's link-layer address. Kernel: `net/ipv4/ip_output.c, ip_finish_output2`.
    fn ip_finish_output2(&mut self, ns: NetnsId, mut skb: Skb, dst: &Dst) -> PathResult {
        skb.dev = dst.dev;
        let next_hop = dst.next_hop(skb.ip().dst());
        self.neigh_output(ns, dst.dev, next_hop, skb)
    }

    /// Chooses the identification of a packet that no connected socket sends: 0 if it is never cut,
    /// else from a counter. Kernel: `include/net/ip.h, ip_select_ident_segs`.
    pub fn ip_select_ident(&mut self, ns: NetnsId, skb: &mut Skb) {
        if skb.ip().frag.df && !skb.ignore_df {
            skb.ip_mut().id = 0;
        } else {
            self.ip_next_ident(ns, skb.ip_mut());
        }
    }

    /// Takes the identification from the counter of source, destination and protocol.
    /// Kernel: `net/ipv4/route.c, __ip_select_ident`.
    pub fn ip_next_ident(&mut self, ns: NetnsId, packet: &mut Packet) {
        let mut hasher = rustc_hash::FxHasher::default();
        (self.host.seed, &packet.addrs, packet.proto()).hash(&mut hasher);
        let hash = hasher.finish();
        let counter =
            self.host.ns_mut(ns).ip_idents.0.entry((hash >> 56) as u8).or_insert((hash >> 40) as u16);
        packet.id = *counter;
        *counter = counter.wrapping_add(1);
    }
}
