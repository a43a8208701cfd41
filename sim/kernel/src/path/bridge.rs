//! The data path of bridges. Kernel: `net/bridge/br_input.c`, `br_forward.c`, `br_device.c`.
//!
//! ```text
//! br_handle_frame → nf_hook_bridge_pre → br_handle_frame_finish ─┬─ br_forward, br_flood
//! br_dev_xmit (the bridge's own host) ─ br_forward, br_flood     └─ br_pass_frame_up
//! br_forward, br_flood → br_forward_to (__br_forward) → br_dev_queue_push_xmit
//! ```
//!
//! What is registered at the hooks on the way is in `br_netfilter.rs`.

use packet::{DevId, Frame, MacAddr, NetnsId, PktType, Skb, VlanTag};
use smallvec::SmallVec;
use trace::{DropReason, Observer, Relation, StepKind};

use crate::device::BridgePort;
use crate::path::br_netfilter::{BridgeHook, BridgeState};
use crate::request::FdbState;
use crate::{Cx, Dropped, Fate, PathResult};

/// Kernel: `BR_STATE_LEARNING`.
const LEARNING: u8 = 2;
/// Kernel: `BR_STATE_FORWARDING`.
const FORWARDING: u8 = 3;

/// Kernel: `enum br_pkt_type`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cast {
    Unicast,
    Multicast,
    Broadcast,
}

impl Cast {
    fn of(dst: MacAddr) -> Self {
        if !dst.is_multicast() {
            Self::Unicast
        } else if dst.is_broadcast() {
            Self::Broadcast
        } else {
            Self::Multicast
        }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Takes a frame that came in by a port; gives it back if it is for the port's own stack.
    /// Kernel: `br_handle_frame`.
    pub(crate) fn br_handle_frame(&mut self, br: DevId, mut skb: Skb) -> Result<Option<Skb>, Dropped> {
        let netns = self.host.dev(skb.dev).netns;
        if skb.frame.src.is_multicast() || skb.frame.src.is_zero() {
            return Err(self.dropped(netns, &skb, DropReason::MacInvalidSource));
        }
        if let MacAddr([0x01, 0x80, 0xc2, 0, 0, last]) = skb.frame.dst {
            match last {
                // Spanning tree is off: its frames are forwarded.
                0 | 16.. => {}
                // Pause frames end here.
                1 => return Err(self.dropped(netns, &skb, DropReason::UnhandledProto)),
                2..=15 => return Ok(Some(skb)),
            }
        }
        if skb.frame.dst == self.host.dev(br).mac {
            skb.pkt_type = PktType::Host;
        }
        self.nf_hook_bridge_pre(netns, br, skb)?;
        Ok(None)
    }

    /// The hook before everything else; a port that doesn't take part drops the frame.
    /// Kernel: `nf_hook_bridge_pre`.
    fn nf_hook_bridge_pre(&mut self, netns: NetnsId, br: DevId, skb: Skb) -> PathResult {
        let state = self.host.dev(skb.dev).port.as_ref().map(|port| port.state);
        if !matches!(state, Some(FORWARDING | LEARNING)) {
            return Err(self.dropped(netns, &skb, DropReason::BridgeIngressStpState));
        }
        let state = BridgeState { hook: BridgeHook::PreRouting, netns, br, promisc: false };
        match self.nf_hook_bridge(state, skb)? {
            Some(skb) => self.br_handle_frame_finish(netns, br, skb),
            None => Ok(Fate::Consumed),
        }
    }

    /// Learns the source, finds where the frame goes. Kernel: `br_handle_frame_finish`.
    pub(super) fn br_handle_frame_finish(&mut self, netns: NetnsId, br: DevId, skb: Skb) -> PathResult {
        let from = skb.dev;
        let now = self.now;
        let Some(port) = self.host.dev(from).port.as_ref() else {
            return Err(self.dropped(netns, &skb, DropReason::BridgeIngressStpState));
        };
        let (state, learns, isolated) = (port.state, port.learning, port.isolated);
        let promisc = self.host.dev(br).promisc || self.host.dev(br).promiscuity > 0;
        let (src, dst) = (skb.frame.src, skb.frame.dst);
        let Some(bridge) = self.host.bridge_mut(br) else {
            return Err(self.dropped(netns, &skb, DropReason::DevReady));
        };
        if learns {
            bridge.learn(src, from, now);
        }
        let cast = Cast::of(dst);
        let entry = if cast == Cast::Unicast { bridge.find(dst, now).copied() } else { None };
        if state == LEARNING {
            return Err(self.dropped(netns, &skb, DropReason::BridgeIngressStpState));
        }
        let ingress = Ingress { br, from: Some(from), isolated };
        match entry {
            Some(entry) if entry.state == FdbState::Permanent => {
                self.emit(skb.id, netns, Some(br), || StepKind::Bridge {
                    port: None,
                    local: true,
                    flooded: false,
                });
                self.br_pass_frame_up(netns, br, skb, false)
            }
            Some(entry) => {
                if let Some(entry) = self.host.bridge_mut(br).and_then(|bridge| bridge.fdb.get_mut(&dst)) {
                    entry.used = now;
                }
                let port = entry.port;
                self.emit(skb.id, netns, Some(br), || StepKind::Bridge {
                    port,
                    local: promisc,
                    flooded: false,
                });
                if !promisc {
                    return self.br_forward(netns, ingress, port, skb);
                }
                let copy = self.skb_clone(netns, &skb);
                let sent = self.br_forward(netns, ingress, port, copy);
                let _ = self.finish(sent);
                self.br_pass_frame_up(netns, br, skb, promisc)
            }
            None => {
                let local = promisc || cast != Cast::Unicast;
                if cast == Cast::Multicast {
                    self.host.dev_mut(br).stats.multicast += 1;
                }
                self.emit(skb.id, netns, Some(br), || StepKind::Bridge { port: None, local, flooded: true });
                if !local {
                    return self.br_flood(netns, ingress, cast, skb);
                }
                self.br_flood_copies(netns, ingress, cast, &skb);
                self.br_pass_frame_up(netns, br, skb, promisc)
            }
        }
    }

    /// Hands the frame to the bridge's own stack, counted without its Ethernet header.
    /// Kernel: `br_pass_frame_up`.
    fn br_pass_frame_up(&mut self, netns: NetnsId, br: DevId, mut skb: Skb, promisc: bool) -> PathResult {
        let device = self.host.dev_mut(br);
        if !device.up {
            return Err(self.dropped(netns, &skb, DropReason::DevReady));
        }
        device.stats.rx_packets += 1;
        device.stats.rx_bytes += (skb.frame.skb_len() - Frame::HEADER_LEN) as u64;
        skb.dev = br;
        let state = BridgeState { hook: BridgeHook::LocalIn, netns, br, promisc };
        match self.nf_hook_bridge(state, skb)? {
            Some(skb) => self.netif_receive_skb_core(netns, skb),
            None => Ok(Fate::Consumed),
        }
    }

    /// Sends a frame of the bridge's own host to its ports. Kernel: `br_dev_xmit`.
    pub(crate) fn br_dev_xmit(&mut self, br: DevId, skb: Skb) -> PathResult {
        let now = self.now;
        let netns = self.host.dev(br).netns;
        let skb = match self.br_nf_dev_xmit(netns, br, skb) {
            Ok(skb) => skb,
            Err(bridged) => return bridged,
        };
        let device = self.host.dev_mut(br);
        device.stats.tx_packets += 1;
        device.stats.tx_bytes += skb.frame.skb_len() as u64;
        let cast = Cast::of(skb.frame.dst);
        let entry = match self.host.bridge(br) {
            Some(bridge) if cast == Cast::Unicast => bridge.find(skb.frame.dst, now).copied(),
            _ => None,
        };
        let ingress = Ingress { br, from: None, isolated: false };
        let port = entry.and_then(|entry| entry.port);
        self.emit(skb.id, netns, Some(br), || StepKind::Bridge {
            port,
            local: false,
            flooded: entry.is_none(),
        });
        match entry {
            Some(_) => self.br_forward(netns, ingress, port, skb),
            None => self.br_flood(netns, ingress, cast, skb),
        }
    }

    /// Sends the frame out of `to`, if that port may have it. Kernel: `br_forward`.
    fn br_forward(&mut self, netns: NetnsId, ingress: Ingress, to: Option<DevId>, skb: Skb) -> PathResult {
        match to {
            Some(to) if self.should_deliver(ingress, to) => self.br_forward_to(netns, ingress, to, skb),
            _ => Err(self.dropped(netns, &skb, DropReason::BridgeNoEgressPort)),
        }
    }

    /// Sends the frame out of every port that may have it: copies of it, and itself out of the
    /// last one. Kernel: `br_flood`.
    fn br_flood(&mut self, netns: NetnsId, ingress: Ingress, cast: Cast, skb: Skb) -> PathResult {
        let ports = self.flood_ports(ingress, cast);
        let Some((last, others)) = ports.split_last() else {
            return Err(self.dropped(netns, &skb, DropReason::BridgeNoEgressPort));
        };
        self.br_copies(netns, ingress, others, &skb);
        self.br_forward_to(netns, ingress, *last, skb)
    }

    /// As [`Cx::br_flood`], but the frame itself stays. Kernel: `br_flood` with `local_rcv`.
    fn br_flood_copies(&mut self, netns: NetnsId, ingress: Ingress, cast: Cast, skb: &Skb) {
        let ports = self.flood_ports(ingress, cast);
        self.br_copies(netns, ingress, &ports, skb);
    }

    /// Kernel: `deliver_clone`.
    fn br_copies(&mut self, netns: NetnsId, ingress: Ingress, ports: &[DevId], skb: &Skb) {
        for &port in ports {
            let copy = self.skb_clone(netns, skb);
            let sent = self.br_forward_to(netns, ingress, port, copy);
            let _ = self.finish(sent);
        }
    }

    fn flood_ports(&self, ingress: Ingress, cast: Cast) -> SmallVec<[DevId; 8]> {
        let own = ingress.from.is_none();
        let Some(bridge) = self.host.bridge(ingress.br) else { return SmallVec::new() };
        let floods = |port: &BridgePort| match cast {
            Cast::Unicast => port.flood,
            Cast::Multicast => port.mcast_flood || own,
            Cast::Broadcast => port.bcast_flood || own,
        };
        let may = |&dev: &DevId| {
            self.host.dev(dev).port.as_ref().is_some_and(floods) && self.should_deliver(ingress, dev)
        };
        bridge.ports.iter().copied().filter(may).collect()
    }

    /// Kernel: `should_deliver` in `br_forward.c`.
    fn should_deliver(&self, ingress: Ingress, to: DevId) -> bool {
        let Some(port) = self.host.get_dev(to).and_then(|dev| dev.port.as_ref()) else { return false };
        (port.hairpin || ingress.from != Some(to))
            && port.state == FORWARDING
            && !(ingress.isolated && port.isolated)
    }

    /// The hooks on the way out of the port `to`, then out. Kernel: `__br_forward`,
    /// `br_forward_finish`.
    fn br_forward_to(&mut self, netns: NetnsId, ingress: Ingress, to: DevId, mut skb: Skb) -> PathResult {
        skb.dev = to;
        let first = if ingress.from.is_some() { BridgeHook::Forward } else { BridgeHook::LocalOut };
        for hook in [first, BridgeHook::PostRouting] {
            let state = BridgeState { hook, netns, br: ingress.br, promisc: false };
            match self.nf_hook_bridge(state, skb)? {
                Some(same) => skb = same,
                None => return Ok(Fate::Consumed),
            }
        }
        self.br_dev_queue_push_xmit(netns, to, skb)
    }

    /// Sends the frame by the port's device; what is longer than its MTU is dropped silently.
    /// Kernel: `br_dev_queue_push_xmit`.
    pub(super) fn br_dev_queue_push_xmit(&mut self, netns: NetnsId, port: DevId, skb: Skb) -> PathResult {
        let mtu = self.host.dev(port).mtu as usize;
        if skb.frame.skb_len() > mtu + Frame::HEADER_LEN + VlanTag::LEN {
            return Err(self.dropped(netns, &skb, DropReason::PktTooBig));
        }
        self.dev_queue_xmit(port, skb)
    }

    /// A copy of `skb`, a packet of its own. Kernel: `skb_clone`.
    pub(crate) fn skb_clone(&mut self, netns: NetnsId, skb: &Skb) -> Skb {
        let copy = Skb { id: self.ids.next_id(), ..skb.clone() };
        self.emit_created(&copy, netns, &[(Relation::Copy, skb.id)]);
        copy
    }
}

/// Where a frame entered the bridge. Kernel: `struct br_input_skb_cb`.
#[derive(Clone, Copy)]
struct Ingress {
    br: DevId,
    /// The port; `None` for a frame of the bridge's own host.
    from: Option<DevId>,
    isolated: bool,
}
