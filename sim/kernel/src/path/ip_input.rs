use std::net::IpAddr;

use packet::{Body, Frag, NetnsId, OutputRoute, Packet, PktType, Proto, Skb};
use trace::{DropReason, HookName, Observer};

use crate::path::fragment::DefragUser;
use crate::path::{Dst, InputRoute, options};
use crate::sysctl_keys::ConfKey;
use crate::{Cx, Dropped, Fate, PathResult, RouteKind};

impl<O: Observer> Cx<'_, O> {
    /// An IPv4 packet received on `skb.dev`. Kernel: `net/ipv4/ip_input.c, ip_rcv`.
    pub fn ip_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        let mut skb = self.ip_rcv_core(ns, skb)?;
        if self.ip_sabotage_in(ns, &mut skb) {
            return self.ip_rcv_finish(ns, skb);
        }
        let Some(skb) = self.nf_defrag(ns, skb)? else { return Ok(Fate::Held("fragments")) };
        let (indev, dst) = (Some(skb.dev), skb.ip().dst());
        let mut skb = self.nf_hook(ns, HookName::Prerouting, indev, None, skb)?;
        // Kernel: `nf_nat_ipv4_pre_routing`.
        if skb.ip().dst() != dst {
            skb.route = None;
        }
        self.ip_rcv_finish(ns, skb)
    }

    /// Kernel: `net/ipv4/ip_input.c, ip_rcv_core`. Lengths and checksums are right by type.
    fn ip_rcv_core(&mut self, ns: NetnsId, mut skb: Skb) -> Result<Skb, Dropped> {
        if skb.pkt_type == PktType::OtherHost {
            return Err(self.dropped(ns, &skb, DropReason::OtherHost));
        }
        if skb.frame.ip().is_none_or(|packet| packet.is_v6()) {
            return Err(self.dropped(ns, &skb, DropReason::UnhandledProto));
        }
        skb.frag_max_size = 0;
        Ok(skb)
    }

    /// Puts fragments together before the first hook if connection tracking is in use.
    /// Kernel: `net/ipv4/netfilter/nf_defrag_ipv4.c, ipv4_conntrack_defrag`.
    pub(super) fn nf_defrag(&mut self, ns: NetnsId, skb: Skb) -> Result<Option<Skb>, Dropped> {
        if skb.ip().frag.is_fragment() && self.host.needs_defrag(ns) {
            return self.ip_defrag(ns, skb);
        }
        Ok(Some(skb))
    }

    /// Routes a packet that passed PREROUTING, unless `lo` brought it back by the route it left by.
    /// Kernel: `net/ipv4/ip_input.c, ip_rcv_finish`.
    pub fn ip_rcv_finish(&mut self, ns: NetnsId, mut skb: Skb) -> PathResult {
        let route = match skb.route.as_deref().copied() {
            Some(OutputRoute::Local(_)) => None,
            Some(OutputRoute::Forward { from, mark }) => {
                let now = (skb.dev, skb.mark);
                (skb.dev, skb.mark) = (from, mark);
                let route = self.ip_route_input(ns, &skb)?;
                (skb.dev, skb.mark) = now;
                Some(route)
            }
            None => Some(self.ip_route_input(ns, &skb)?),
        };
        let mut written = options::Written::default();
        if skb.ip().options.is_some() {
            written = self.ip_rcv_options(ns, &mut skb)?;
        }
        let unicast = match &route {
            Some(InputRoute::Local(dst)) => dst.kind == RouteKind::Local,
            Some(InputRoute::Forward(_) | InputRoute::Unreachable { .. }) => true,
            None => false,
        };
        let to_all = matches!(skb.pkt_type, PktType::Broadcast | PktType::Multicast);
        if unicast && to_all && self.host.in_dev_orconf(skb.dev, ConfKey::DropUnicastInL2Multicast) {
            return Err(self.dropped(ns, &skb, DropReason::UnicastInL2Multicast));
        }
        match route {
            Some(InputRoute::Local(_)) | None => self.ip_local_deliver(ns, skb),
            Some(InputRoute::Forward(dst)) => self.ip_forward(ns, skb, dst, written),
            Some(InputRoute::Unreachable { code }) => self.ip_error(ns, skb, code),
        }
    }

    /// Kernel: `net/ipv4/ip_input.c, ip_rcv_options`.
    ///
    /// Simplified: source routes are refused even with `accept_source_route`.
    fn ip_rcv_options(&mut self, ns: NetnsId, skb: &mut Skb) -> Result<options::Written, Dropped> {
        if options::is_source_routed(skb.ip()) {
            return Err(self.dropped(ns, skb, DropReason::IpInHdr));
        }
        let addr = self.host.fib_compute_spec_dst(ns, skb);
        options::count_overflow(skb.ip_mut());
        Ok(self.stamp_options(ns, skb.ip_mut(), addr))
    }

    /// Writes `addr` and the time into the options of a packet.
    pub(crate) fn stamp_options(&self, ns: NetnsId, packet: &mut Packet, addr: IpAddr) -> options::Written {
        const DAY: u64 = 86_400_000;
        let IpAddr::V4(addr) = addr else { return options::Written::default() };
        let asked = options::prespecified(packet);
        let own = asked.is_some_and(|asked| self.host.inet_addr_type(ns, asked) != RouteKind::Unicast);
        let millis = (self.now.as_nanos() / 1_000_000 % DAY) as u32;
        options::stamp(packet, options::Stamp { addr, millis, own })
    }

    /// Answers a packet that can't be routed. Kernel: `net/ipv4/route.c, ip_error`.
    fn ip_error(&mut self, ns: NetnsId, skb: Skb, code: u8) -> PathResult {
        if !self.host.in_dev_forward(skb.dev) {
            return Err(self.dropped(ns, &skb, DropReason::ForwardingDisabled));
        }
        if self.host.ip_error_allow(ns, skb.ip().src(), self.now) {
            self.icmp_send(ns, &skb, packet::Icmp::UNREACHABLE, code, 0);
        }
        let reason = match code {
            0 => DropReason::IpInnoroutes,
            13 => DropReason::Prohibit,
            _ => DropReason::HostUnreachable,
        };
        Err(self.dropped(ns, &skb, reason))
    }

    /// A packet for this host. Kernel: `net/ipv4/ip_input.c, ip_local_deliver`.
    pub fn ip_local_deliver(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        let skb = match self.ip_defrag_for(ns, DefragUser::LocalDeliver, skb)? {
            Some(skb) => skb,
            None => return Ok(Fate::Held("fragments")),
        };
        let indev = Some(skb.dev);
        let skb = self.nf_hook(ns, HookName::Input, indev, None, skb)?;
        self.ip_protocol_deliver_rcu(ns, skb)
    }

    /// Hands a packet to raw sockets and to its protocol. Kernel: `net/ipv4/ip_input.c, ip_protocol_deliver_rcu`.
    pub(super) fn ip_protocol_deliver_rcu(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        let raw = self.raw_local_deliver(ns, &skb);
        match &skb.ip().body {
            Body::Udp(udp) if self.host.is_vxlan_port(ns, udp.dport) => self.vxlan_rcv(ns, skb),
            Body::Udp(_) => self.udp_rcv(ns, skb),
            Body::Tcp(_) => self.tcp_v4_rcv(ns, skb),
            Body::Icmp(_) => self.icmp_rcv(ns, skb),
            Body::Ip(_) | Body::Bytes(Proto::IPIP, _) => self.ipip_rcv(ns, skb),
            // IGMP reports and queries: the kernel listens, we have no groups to report.
            Body::Bytes(Proto::IGMP, _) => Ok(Fate::Consumed),
            Body::Bytes(..) | Body::Fragment(..) if raw => Ok(Fate::Delivered),
            Body::Bytes(..) | Body::Fragment(..) => {
                self.icmp_send(ns, &skb, packet::Icmp::UNREACHABLE, 2, 0);
                Err(self.dropped(ns, &skb, DropReason::IpNoProto))
            }
        }
    }

    /// A copy of an own multicast or broadcast packet comes back to this host's sockets.
    /// Kernel: `net/core/dev.c, dev_loopback_xmit`, then `ip_rcv` with the route kept.
    pub(super) fn dev_loopback_xmit(&mut self, ns: NetnsId, mut skb: Skb, dst: &Dst) -> PathResult {
        skb.pkt_type = PktType::Loopback;
        skb.dev = dst.dev;
        if skb.ip().frag != (Frag { df: skb.ip().frag.df, ..Frag::default() }) {
            return Ok(Fate::Consumed); // Simplified: no looped back fragments.
        }
        let indev = Some(skb.dev);
        let skb = self.nf_hook(ns, HookName::Prerouting, indev, None, skb)?;
        self.ip_local_deliver(ns, skb)
    }
}
