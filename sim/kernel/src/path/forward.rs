use std::net::IpAddr;

use packet::{Icmp, NetnsId, OutputRoute, PktType, Skb};
use trace::{DropReason, FieldChange, HookName, Observer, RewriteBy, StepKind};

use crate::path::{Dst, options};
use crate::sysctl_keys::ConfKey;
use crate::{Cx, PathResult, Scope};

/// Code of unreachable: fragmentation needed and DF set.
const FRAG_NEEDED: u8 = 4;
/// Code of redirect: for the host.
const REDIRECT_HOST: u8 = 1;

impl Dst {
    /// Who gets the packet next. Kernel: `rt_nexthop`.
    pub(super) fn next_hop(&self, daddr: IpAddr) -> IpAddr {
        self.gateway.unwrap_or(daddr)
    }
}

/// Whether the packet may not be cut and is too long. Kernel: `net/ipv4/ip_forward.c, ip_exceeds_mtu`.
pub(super) fn ip_exceeds_mtu(skb: &Skb, mtu: u32) -> bool {
    let packet = skb.ip();
    if packet.len() <= mtu as usize || !packet.frag.df {
        return false;
    }
    // What was put together here may be cut again, but not smaller than it came; what was made here
    // may be cut if its socket doesn't insist on DF.
    u32::from(skb.frag_max_size) > mtu || !skb.ignore_df
}

impl<O: Observer> Cx<'_, O> {
    /// A packet for another host. Kernel: `net/ipv4/ip_forward.c, ip_forward`.
    pub fn ip_forward(
        &mut self,
        ns: NetnsId,
        mut skb: Skb,
        dst: Dst,
        written: options::Written,
    ) -> PathResult {
        if skb.pkt_type != PktType::Host {
            return Err(self.dropped(ns, &skb, DropReason::UnicastInL2Multicast));
        }
        let ttl = skb.ip().ttl;
        if ttl <= 1 {
            self.icmp_send(ns, &skb, Icmp::TIME_EXCEEDED, 0, 0);
            return Err(self.dropped(ns, &skb, DropReason::TtlExceeded));
        }
        if ip_exceeds_mtu(&skb, dst.mtu) {
            self.icmp_send(ns, &skb, Icmp::UNREACHABLE, FRAG_NEEDED, dst.mtu);
            return Err(self.dropped(ns, &skb, DropReason::PktTooBig));
        }
        skb.ip_mut().ttl = ttl - 1;
        self.emit(skb.id, ns, Some(skb.dev), || StepKind::Rewrite {
            by: RewriteBy::Forward,
            changes: vec![FieldChange {
                field: "ttl",
                before: ttl.to_string(),
                after: (ttl - 1).to_string(),
            }],
        });
        if dst.do_redirect {
            self.ip_rt_send_redirect(ns, &skb, &dst);
        }
        let came = OutputRoute::Forward { from: skb.dev, mark: skb.mark };
        let (indev, outdev) = (Some(skb.dev), Some(dst.dev));
        let mut skb = self.nf_hook(ns, HookName::Forward, indev, outdev, skb)?;
        if skb.ip().options.is_some() {
            let next_hop = dst.next_hop(skb.ip().dst());
            if let Some(addr) = self.host.inet_select_addr(dst.dev, next_hop, Scope::GLOBAL) {
                options::ip_forward_options(skb.ip_mut(), written, addr);
            }
        }
        if self.host.dev(dst.dev).is_loopback() {
            skb.route.get_or_insert(Box::new(came));
        }
        self.ip_output(ns, skb, dst, indev)
    }

    /// Tells the sender of a better gateway, if that hasn't been done too often.
    /// Kernel: `net/ipv4/route.c, ip_rt_send_redirect`.
    fn ip_rt_send_redirect(&mut self, ns: NetnsId, skb: &Skb, dst: &Dst) {
        if !self.host.in_dev_orconf(dst.dev, ConfKey::SendRedirects) {
            return;
        }
        let (src, daddr) = (skb.ip().src(), skb.ip().dst());
        let IpAddr::V4(gateway) = dst.next_hop(daddr) else { return };
        if self.host.redirect_allow(ns, src, self.now) {
            self.icmp_send(ns, skb, Icmp::REDIRECT, REDIRECT_HOST, u32::from(gateway));
        }
    }
}
