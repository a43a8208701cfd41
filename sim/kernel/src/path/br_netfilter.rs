//! br_netfilter: shows bridged IPv4 packets to the hooks of IPv4, as if the bridge had received
//! and sent them itself. Kernel: `net/bridge/br_netfilter_hooks.c`.
//!
//! A packet meets, in this order:
//!
//! ```text
//! br_handle_frame         PreRouting   br_nf_pre_routing   PREROUTING  in = the bridge
//!   br_handle_frame_finish
//!     __br_forward        Forward      br_nf_forward       FORWARD     in = out = the bridge
//!       br_forward_finish PostRouting  br_nf_post_routing  POSTROUTING out = the bridge
//!         br_dev_queue_push_xmit
//!     br_pass_frame_up    LocalIn      br_nf_local_in
//!       ip_rcv                         ip_sabotage_in      (no second PREROUTING)
//! ```
//!
//! Simplified: no hooks of IPv6, no arptables (no command makes any), and PPPoE sessions are not
//! looked into (`bridge-nf-filter-pppoe-tagged`).

use packet::{DevId, EtherPayload, NetnsId, NfBridge, PktType, Skb, wire};
use trace::{BridgeCall, DropReason, HookName, Observer, Relation, StepKind};

use crate::path::ip_output::fragment_size;
use crate::path::{Dst, InputRoute};
use crate::{Cx, Dropped, Host, PathResult};

/// A hook on a frame's way through a bridge. Kernel: `NF_BR_*` in
/// `include/uapi/linux/netfilter_bridge.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BridgeHook {
    /// A port received it.
    PreRouting,
    /// It goes up to the bridge's own host.
    LocalIn,
    /// It goes from port to port.
    Forward,
    /// The bridge's own host sends it.
    LocalOut,
    /// It leaves by a port.
    PostRouting,
}

/// Who is registered at a hook of bridges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    PreRouting,
    LocalIn,
    Forward,
    PostRouting,
}

/// Kernel: `NF_BR_PRI_BRNF`.
const PRIORITY_BRNF: i32 = 0;
/// Kernel: `NF_BR_PRI_LAST`.
const PRIORITY_LAST: i32 = i32::MAX;

/// What is registered at the hooks of bridges, by priority. Kernel: `br_nf_ops`.
const BR_NF_OPS: [(BridgeHook, i32, Owner); 4] = [
    (BridgeHook::PreRouting, PRIORITY_BRNF, Owner::PreRouting),
    (BridgeHook::Forward, PRIORITY_BRNF, Owner::Forward),
    (BridgeHook::LocalIn, PRIORITY_LAST, Owner::LocalIn),
    (BridgeHook::PostRouting, PRIORITY_LAST, Owner::PostRouting),
];

/// A frame's place at a hook of bridges. Kernel: `struct nf_hook_state`, `struct br_input_skb_cb`.
#[derive(Clone, Copy, Debug)]
pub(super) struct BridgeState {
    /// The hook.
    pub hook: BridgeHook,
    /// Namespace of the bridge and its ports.
    pub netns: NetnsId,
    /// The bridge.
    pub br: DevId,
    /// It goes up only because the bridge is promiscuous.
    pub promisc: bool,
}

impl Host {
    /// What asks that packets of `br` meet iptables, if anything does.
    fn brnf_call_iptables(&self, netns: NetnsId, br: DevId) -> Option<BridgeCall> {
        if self.ns(netns).sysctl.bridge_nf_call_iptables() {
            return Some(BridgeCall::Sysctl);
        }
        self.bridge(br).filter(|bridge| bridge.nf_call_iptables != 0).map(|_| BridgeCall::Bridge)
    }

    /// Whether the frame carries IPv4, tagged only if tagged ones count. Kernel: `IS_IP`, `is_vlan_ip`.
    fn is_bridged_ip(&self, netns: NetnsId, skb: &Skb) -> bool {
        matches!(&skb.frame.payload, EtherPayload::Ip(packet) if !packet.is_v6())
            && match skb.frame.tags.len() {
                0 => true,
                1 => self.ns(netns).sysctl.bridge_nf_filter_vlan_tagged(),
                _ => false,
            }
    }

    /// The device that the hooks of IPv4 see as the input: the bridge, or its VLAN device of a
    /// tagged frame. Kernel: `brnf_get_logical_dev`.
    fn brnf_get_logical_dev(&self, netns: NetnsId, br: DevId, skb: &Skb) -> DevId {
        let Some(tag) = skb.frame.tags.outer() else { return br };
        if !self.ns(netns).sysctl.bridge_nf_pass_vlan_input_dev() {
            return br;
        }
        self.vlan_find_dev(br, tag).unwrap_or(br)
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Runs what is registered at a hook of bridges; `None` if the packet was taken over (sent
    /// another way, or it waits). Kernel: `NF_HOOK(NFPROTO_BRIDGE, …)`.
    pub(super) fn nf_hook_bridge(
        &mut self,
        state: BridgeState,
        mut skb: Skb,
    ) -> Result<Option<Skb>, Dropped> {
        for (_, _, owner) in BR_NF_OPS.iter().filter(|(hook, ..)| *hook == state.hook) {
            let goes_on = match owner {
                Owner::PreRouting => self.br_nf_pre_routing(state, skb)?,
                Owner::LocalIn => self.br_nf_local_in(state, skb)?,
                Owner::Forward => self.br_nf_forward(state, skb)?,
                Owner::PostRouting => self.br_nf_post_routing(state, skb)?,
            };
            let Some(same) = goes_on else { return Ok(None) };
            skb = same;
        }
        Ok(Some(skb))
    }

    /// Shows a frame that a port received to PREROUTING, the bridge being its input device.
    /// Kernel: `br_nf_pre_routing`, `setup_pre_routing`.
    fn br_nf_pre_routing(&mut self, state: BridgeState, mut skb: Skb) -> Result<Option<Skb>, Dropped> {
        let BridgeState { netns, br, .. } = state;
        let Some(call) = self.host.brnf_call_iptables(netns, br) else { return Ok(Some(skb)) };
        if !self.host.is_bridged_ip(netns, &skb) {
            return Ok(Some(skb));
        }
        let mut info = NfBridge::new(skb.dev, skb.ip().dst());
        info.in_prerouting = true;
        info.pkt_otherhost = skb.pkt_type == PktType::OtherHost;
        if info.pkt_otherhost {
            skb.pkt_type = PktType::Host;
        }
        skb.nf_bridge = Some(Box::new(info));
        skb.frag_max_size = 0;
        skb.dev = self.host.brnf_get_logical_dev(netns, br, &skb);
        let indev = skb.dev;
        let Some(skb) = self.nf_defrag(netns, skb)? else { return Ok(None) };
        self.emit_bridge_netfilter(netns, br, HookName::Prerouting, call, &skb);
        let skb = self.nf_hook(netns, HookName::Prerouting, Some(indev), None, skb)?;
        self.br_nf_pre_routing_finish(netns, br, skb)
    }

    /// Says that a hook of IPv4, if anything is registered there, sees a bridged packet.
    fn emit_bridge_netfilter(
        &mut self,
        netns: NetnsId,
        br: DevId,
        hook: HookName,
        by: BridgeCall,
        skb: &Skb,
    ) {
        if O::ON && !self.host.ns(netns).netfilter.is_idle(hook) {
            let physindev = skb.nf_bridge.as_ref().map(|info| info.physindev);
            let physoutdev = skb.nf_bridge.as_ref().and_then(|info| info.physoutdev);
            self.emit(skb.id, netns, Some(br), || StepKind::BridgeNetfilter {
                hook,
                physindev,
                physoutdev,
                by,
            });
        }
    }

    /// Looks where a packet goes whose destination PREROUTING has changed: it stays on the bridge
    /// if its route leads out of it again, else it goes up and is routed.
    /// Kernel: `br_nf_pre_routing_finish`.
    fn br_nf_pre_routing_finish(
        &mut self,
        netns: NetnsId,
        br: DevId,
        mut skb: Skb,
    ) -> Result<Option<Skb>, Dropped> {
        let logical = skb.dev;
        let daddr = skb.ip().dst();
        let Some(info) = skb.nf_bridge.as_mut() else { return Ok(Some(skb)) };
        info.in_prerouting = false;
        let (physindev, changed) = (info.physindev, info.daddr != daddr);
        if std::mem::take(&mut info.pkt_otherhost) {
            skb.pkt_type = PktType::OtherHost;
        }
        if changed {
            match self.ip_route_input(netns, &skb)? {
                InputRoute::Forward(dst) if dst.dev == logical => {
                    skb.dev = physindev;
                    self.br_nf_pre_routing_finish_bridge(netns, br, skb, &dst)?;
                    return Ok(None);
                }
                InputRoute::Forward(_) | InputRoute::Local(_) | InputRoute::Unreachable { .. } => {
                    skb.frame.dst = self.host.dev(logical).mac;
                    skb.pkt_type = PktType::Host;
                }
            }
        }
        skb.dev = physindev;
        Ok(Some(skb))
    }

    /// Gives a packet for another host of the same bridge that host's address; its source address
    /// stays. Kernel: `br_nf_pre_routing_finish_bridge`.
    fn br_nf_pre_routing_finish_bridge(
        &mut self,
        netns: NetnsId,
        br: DevId,
        mut skb: Skb,
        dst: &Dst,
    ) -> PathResult {
        let (logical, next_hop) = (dst.dev, dst.next_hop(skb.ip().dst()));
        if let Some(mac) = self.host.neigh_hh(netns, logical, next_hop) {
            skb.frame.dst = mac;
            self.emit(skb.id, netns, Some(br), || StepKind::Neighbour { addr: next_hop, mac: Some(mac) });
            return self.br_handle_frame_finish(netns, br, skb);
        }
        // The neighbour's output writes a new header; `br_dev_xmit` goes on with the old source.
        let src = skb.frame.src;
        if let Some(info) = skb.nf_bridge.as_mut() {
            info.bridged_dnat = Some(src);
        }
        self.neigh_output(netns, logical, next_hop, skb)
    }

    /// A packet that went through [`Cx::br_nf_pre_routing_finish_bridge`] comes out of the
    /// neighbour's output: back to the bridge with it, as the frame that came in by its port.
    /// Gives back what is the bridge's own. Kernel: `br_nf_dev_xmit`,
    /// `br_nf_pre_routing_finish_bridge_slow`.
    pub(super) fn br_nf_dev_xmit(
        &mut self,
        netns: NetnsId,
        br: DevId,
        mut skb: Skb,
    ) -> Result<Skb, PathResult> {
        let Some(info) = skb.nf_bridge.as_mut() else { return Ok(skb) };
        let Some(src) = info.bridged_dnat.take() else { return Ok(skb) };
        info.physoutdev = None;
        skb.dev = info.physindev;
        skb.frame.src = src;
        Err(self.br_handle_frame_finish(netns, br, skb))
    }

    /// A frame for the bridge's own host. One that goes up only because the bridge is promiscuous
    /// belongs to no connection; the first packet of a connection that others got, too, enters its
    /// connection here. Kernel: `br_nf_local_in`.
    fn br_nf_local_in(&mut self, state: BridgeState, mut skb: Skb) -> Result<Option<Skb>, Dropped> {
        if state.promisc {
            skb.ct = None;
            return Ok(Some(skb));
        }
        if skb.ct.is_none() || skb.pkt_type == PktType::Host {
            return Ok(Some(skb));
        }
        let now = self.now;
        if self.host.ns_mut(state.netns).netfilter.confirm(&mut skb, now) {
            Ok(Some(skb))
        } else {
            Err(self.dropped(state.netns, &skb, DropReason::NetfilterDrop))
        }
    }

    /// Shows a frame that goes from port to port to FORWARD. Kernel: `br_nf_forward`,
    /// `br_nf_forward_ip`, `br_nf_forward_finish`.
    fn br_nf_forward(&mut self, state: BridgeState, mut skb: Skb) -> Result<Option<Skb>, Dropped> {
        let BridgeState { netns, br, .. } = state;
        if !self.host.is_bridged_ip(netns, &skb) {
            return Ok(Some(skb));
        }
        let to = skb.dev;
        let Some(info) = skb.nf_bridge.as_mut() else { return Ok(Some(skb)) };
        info.physoutdev = Some(to);
        show_as_own(&mut skb);
        let call = self.host.brnf_call_iptables(netns, br).unwrap_or(BridgeCall::Sysctl);
        self.emit_bridge_netfilter(netns, br, HookName::Forward, call, &skb);
        let indev = self.host.brnf_get_logical_dev(netns, br, &skb);
        let mut skb = self.nf_hook(netns, HookName::Forward, Some(indev), Some(br), skb)?;
        show_as_before(&mut skb);
        Ok(Some(skb))
    }

    /// Shows a bridged frame that leaves by a port to POSTROUTING. What the bridge's host routed
    /// has met it already. Kernel: `br_nf_post_routing`.
    fn br_nf_post_routing(&mut self, state: BridgeState, mut skb: Skb) -> Result<Option<Skb>, Dropped> {
        let BridgeState { netns, br, .. } = state;
        let bridged = skb.nf_bridge.as_ref().is_some_and(|info| info.physoutdev.is_some());
        if !bridged || !self.host.is_bridged_ip(netns, &skb) {
            return Ok(Some(skb));
        }
        show_as_own(&mut skb);
        let call = self.host.brnf_call_iptables(netns, br).unwrap_or(BridgeCall::Sysctl);
        self.emit_bridge_netfilter(netns, br, HookName::Postrouting, call, &skb);
        let mut skb = self.nf_hook(netns, HookName::Postrouting, None, Some(br), skb)?;
        show_as_before(&mut skb);
        self.br_nf_dev_queue_xmit(netns, br, skb)
    }

    /// Ends what br_netfilter notes of a packet, and cuts it if it is longer than its port's MTU
    /// or was put together from shorter fragments. Kernel: `br_nf_dev_queue_xmit`.
    fn br_nf_dev_queue_xmit(
        &mut self,
        netns: NetnsId,
        br: DevId,
        mut skb: Skb,
    ) -> Result<Option<Skb>, Dropped> {
        skb.nf_bridge = None;
        let mtu = match u32::from(skb.frag_max_size) {
            0 => self.host.dev(skb.dev).mtu,
            came => came.min(self.host.dev(skb.dev).mtu),
        };
        if skb.ip().len() <= mtu as usize {
            return Ok(Some(skb));
        }
        self.br_nf_ip_fragment(netns, br, skb)
    }

    /// Cuts a packet to the bridge's MTU, or to the sizes it came in; one with DF that came in one
    /// piece ends silently. Kernel: `br_nf_ip_fragment`, `br_nf_push_frag_xmit`.
    fn br_nf_ip_fragment(&mut self, netns: NetnsId, br: DevId, skb: Skb) -> Result<Option<Skb>, Dropped> {
        let mtu = self.host.dev(br).mtu;
        if u32::from(skb.frag_max_size) > mtu || skb.ip().frag.df && !skb.ignore_df {
            return Err(self.dropped(netns, &skb, DropReason::PktTooBig));
        }
        let mtu = fragment_size(&skb, mtu);
        if skb.ip().len() <= mtu as usize {
            return Ok(Some(skb));
        }
        let port = skb.dev;
        for fragment in wire::fragment(skb.ip(), mtu as usize) {
            let mut part = Skb { id: self.ids.next_id(), ..skb.clone() };
            part.frame.payload = EtherPayload::Ip(fragment);
            self.emit_created(&part, netns, &[(Relation::FragmentOf, skb.id)]);
            let sent = self.br_dev_queue_push_xmit(netns, port, part);
            let _ = self.finish(sent);
        }
        Ok(None)
    }

    /// Whether PREROUTING is to be left out for a packet that the bridge has shown to it.
    /// Kernel: `ip_sabotage_in`.
    pub(super) fn ip_sabotage_in(&mut self, ns: NetnsId, skb: &mut Skb) -> bool {
        let Some(info) = skb.nf_bridge.as_mut() else { return false };
        if info.sabotage_in_done || info.in_prerouting {
            return false;
        }
        info.sabotage_in_done = true;
        if O::ON && !self.host.ns(ns).netfilter.is_idle(HookName::Prerouting) {
            self.emit(skb.id, ns, Some(skb.dev), || StepKind::SabotageIn);
        }
        true
    }
}

/// The hooks of IPv4 see a frame for another host as one for this host.
fn show_as_own(skb: &mut Skb) {
    if skb.pkt_type == PktType::OtherHost
        && let Some(info) = skb.nf_bridge.as_mut()
    {
        info.pkt_otherhost = true;
        skb.pkt_type = PktType::Host;
    }
}

/// Undoes [`show_as_own`].
fn show_as_before(skb: &mut Skb) {
    if let Some(info) = skb.nf_bridge.as_mut()
        && std::mem::take(&mut info.pkt_otherhost)
    {
        skb.pkt_type = PktType::OtherHost;
    }
}
