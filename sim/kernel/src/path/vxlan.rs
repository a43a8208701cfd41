//! VXLAN encapsulation. Kernel: `drivers/net/vxlan/vxlan_core.c`.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use packet::{
    Body, DevId, EtherPayload, Frame, Icmp, IcmpError, MacAddr, NetnsId, Packet, Proto, Skb, Tuple, Udp,
    UdpData, Vni,
};
use rustc_hash::FxHasher;
use smallvec::{SmallVec, smallvec};
use trace::{DropReason, Observer, Relation, StepKind};

use crate::device::{DeviceKind, Remote, Vxlan, VxlanEntry};
use crate::path::{Dst, Flow};
use crate::request::{CROSSING, FdbState};
use crate::{Cx, Effect, Errno, Fate, Host, PathResult, RouteKind};

/// The range of source ports. Kernel: `ip_local_port_range`.
const LOCAL_PORTS: (u16, u16) = (32768, 60999);

impl Host {
    /// Whether a vxlan device of `netns` listens on this UDP port.
    pub fn is_vxlan_port(&self, netns: NetnsId, port: u16) -> bool {
        self.get_ns(netns).is_some_and(|ns| ns.vxlan.iter().any(|(p, _, _)| *p == port))
    }

    pub(crate) fn vxlan(&self, dev: DevId) -> Option<&Vxlan> {
        if let DeviceKind::Vxlan(vxlan) = &self.get_dev(dev)?.kind { Some(vxlan) } else { None }
    }

    pub(crate) fn vxlan_mut(&mut self, dev: DevId) -> Option<&mut Vxlan> {
        if let DeviceKind::Vxlan(vxlan) = &mut self.get_dev_mut(dev)?.kind { Some(vxlan) } else { None }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Sends a frame to every remote of its destination's entry, or of the default entry.
    /// Kernel: `vxlan_xmit`.
    pub(crate) fn vxlan_xmit(&mut self, dev: DevId, skb: Skb) -> PathResult {
        let now = self.now;
        let netns = self.host.dev(dev).netns;
        let remotes: SmallVec<[Remote; 1]> = match self.host.vxlan_mut(dev) {
            Some(vxlan) => match vxlan.find_mac(skb.frame.dst, now) {
                Some(entry) => entry.remotes.clone(),
                None => {
                    vxlan.find_mac(MacAddr::ZERO, now).map(|entry| entry.remotes.clone()).unwrap_or_default()
                }
            },
            None => SmallVec::new(),
        };
        // The first remote gets the frame itself, last; the others get copies.
        let Some((first, others)) = remotes.split_first() else {
            self.host.dev_mut(dev).stats.tx_dropped += 1;
            return Err(self.dropped(netns, &skb, DropReason::VxlanNoRemote));
        };
        for remote in others {
            let copy = self.skb_clone(netns, &skb);
            let sent = self.vxlan_xmit_one(dev, *remote, copy);
            let _ = self.finish(sent);
        }
        self.vxlan_xmit_one(dev, *first, skb)
    }

    /// Wraps the frame into a UDP datagram of this host. Kernel: `vxlan_xmit_one`.
    fn vxlan_xmit_one(&mut self, dev: DevId, remote: Remote, skb: Skb) -> PathResult {
        let device = self.host.dev(dev);
        let netns = device.netns;
        let bridged = device.master.is_some();
        let Some(vxlan) = self.host.vxlan(dev) else {
            return Err(self.dropped(netns, &skb, DropReason::TunnelTxinfo));
        };
        if remote.addr.is_unspecified() {
            self.host.dev_mut(dev).stats.tx_dropped += 1;
            return Err(self.dropped(netns, &skb, DropReason::VxlanNoRemote));
        }
        let net = vxlan.net;
        let config = &vxlan.config;
        let dport = remote.port.unwrap_or(vxlan.port());
        let vni = remote.vni.unwrap_or(config.vni);
        let ttl = match config.ttl {
            0 if remote.addr.is_multicast() => 1,
            0 => 64,
            ttl => ttl,
        };
        let tos = if config.tos == 1 { skb.frame.ip().map_or(0, |ip| ip.tos & 0xfc) } else { config.tos };
        let (local, checksum) = (config.local, config.udpcsum);
        let sport = udp_flow_src_port(&skb.frame, config.srcport);
        let flow = Flow {
            dst: remote.addr,
            src: local,
            iif: None,
            oif: remote.via,
            mark: skb.mark,
            tos,
            proto: Proto::UDP,
            sport,
            dport,
            onlink_only: false,
            any_src: false,
        };
        let dst = match self.host.ip_route_output(net, &flow, self.now) {
            Ok(dst) if dst.dev != dev => dst,
            failed => {
                let stats = &mut self.host.dev_mut(dev).stats;
                stats.tx_errors += 1;
                if failed == Err(Errno::NetUnreach) {
                    stats.tx_carrier += 1;
                }
                return Err(self.dropped(netns, &skb, DropReason::IpOutNoRoutes));
            }
        };
        if dst.kind == RouteKind::Local {
            return self.encap_bypass_if_local(dev, net, dport, vni, dst.src, skb);
        }
        let mtu = dst.mtu.saturating_sub(Vxlan::HEADROOM);
        let inner = skb.frame.len() - Frame::HEADER_LEN;
        if inner > mtu as usize && self.skb_tunnel_check_pmtu(dev, mtu, bridged, &skb) {
            self.emit(skb.id, netns, Some(dev), || StepKind::Drop {
                reason: DropReason::PktTooBig,
                decided_by: None,
            });
            return Ok(Fate::Consumed);
        }
        let src = local.unwrap_or(dst.src);
        let (id, mark) = (skb.id, skb.mark);
        let body = Body::Udp(Udp { sport, dport, checksum, data: UdpData::Vxlan(vni, Box::new(skb.frame)) });
        let mut packet = Packet::new(src, remote.addr, body);
        packet.ttl = ttl;
        packet.tos = tos;
        let sent = self.iptunnel_xmit(net, dev, id, mark, Vxlan::HEADROOM, packet, dst);
        let stats = &mut self.host.dev_mut(dev).stats;
        if sent.is_ok() {
            stats.tx_packets += 1;
            stats.tx_bytes += inner as u64;
        } else {
            stats.tx_errors += 1;
        }
        sent
    }

    /// Sends an outer packet as one of this host's own. Kernel: `iptunnel_xmit`.
    #[expect(clippy::too_many_arguments, reason = "the kernel's function has as many")]
    pub(crate) fn iptunnel_xmit(
        &mut self,
        net: NetnsId,
        dev: DevId,
        inner: packet::PacketId,
        mark: u32,
        overhead: u32,
        mut packet: Packet,
        dst: Dst,
    ) -> PathResult {
        self.ip_next_ident(net, &mut packet);
        packet::wire::limit_nesting(&mut packet);
        let netns = self.host.dev(dev).netns;
        let mut outer = Skb::from_ip(self.ids.next_id(), dst.dev, packet);
        if netns == net {
            outer.mark = mark;
        }
        let id = outer.id;
        self.emit(inner, netns, Some(dev), || StepKind::Encapsulated { outer: id, overhead });
        self.emit_created(&outer, net, &[(Relation::Encapsulates, inner)]);
        // The outer packet's end is its own; the inner one has been sent.
        let sent = self.ip_local_out(net, outer, dst);
        match self.finish(sent) {
            Ok(fate) => Ok(fate),
            Err(_) => Ok(Fate::Consumed),
        }
    }

    /// The frame doesn't fit: remembers the path MTU, and on a bridge port answers the sender in
    /// the name of its peer. True if it was answered and must not be sent.
    /// Kernel: `skb_tunnel_check_pmtu`, `iptunnel_pmtud_build_icmp` in `net/ipv4/ip_tunnel_core.c`.
    fn skb_tunnel_check_pmtu(&mut self, dev: DevId, mtu: u32, reply: bool, skb: &Skb) -> bool {
        let Some(packet) = skb.frame.ip().filter(|packet| !packet.is_v6()) else { return false };
        let netns = self.host.dev(dev).netns;
        if !reply {
            self.update_pmtu(netns, packet.dst(), mtu);
            return false;
        }
        let unanswerable = |addr: IpAddr| match addr {
            IpAddr::V4(v4) => v4.is_multicast() || v4 == Ipv4Addr::BROADCAST || v4.is_unspecified(),
            IpAddr::V6(_) => true,
        };
        if mtu < 576
            || !packet.frag.df
            || packet.frag.is_fragment()
            || unanswerable(packet.dst())
            || unanswerable(packet.src())
            || packet.src().is_loopback()
            || matches!(packet.body, Body::Icmp(Icmp::Error(_)))
        {
            return false;
        }
        let quoted = packet::wire::quote(packet, 576 - 20 - Icmp::HEADER_LEN);
        let error = IcmpError { kind: Icmp::UNREACHABLE, code: 4, rest: mtu, quoted };
        let body = Body::Icmp(Icmp::Error(Box::new(error)));
        let mut answer = Packet::new(packet.dst(), packet.src(), body);
        answer.ttl = packet.ttl;
        answer.frag.df = true;
        let frame = Frame {
            dst: skb.frame.src,
            src: skb.frame.dst,
            tags: Default::default(),
            payload: EtherPayload::Ip(answer),
        };
        let reply = Skb { id: self.ids.next_id(), frame, ..skb.clone() };
        self.emit_created(&reply, netns, &[(Relation::ReplyTo, skb.id)]);
        self.vxlan_encap_bypass(dev, dev, reply);
        true
    }

    /// The remote is this host: hands the frame to its vxlan device of that port and VNI.
    /// Kernel: `encap_bypass_if_local`.
    fn encap_bypass_if_local(
        &mut self,
        dev: DevId,
        net: NetnsId,
        port: u16,
        vni: Vni,
        src: IpAddr,
        skb: Skb,
    ) -> PathResult {
        let netns = self.host.dev(dev).netns;
        let Some(to) = self.vxlan_find_vni(net, port, vni) else {
            self.host.dev_mut(dev).stats.tx_errors += 1;
            return Err(self.dropped(netns, &skb, DropReason::VxlanVniNotFound));
        };
        let _ = self.vxlan_snoop(to, src, skb.frame.src);
        self.vxlan_encap_bypass(dev, to, skb);
        Ok(Fate::Consumed)
    }

    /// Receives on `to` what `from` would have sent. Both count the Ethernet header here.
    /// Kernel: `vxlan_encap_bypass`.
    fn vxlan_encap_bypass(&mut self, from: DevId, to: DevId, mut skb: Skb) {
        let stats = &mut self.host.dev_mut(from).stats;
        stats.tx_packets += 1;
        stats.tx_bytes += skb.frame.len() as u64;
        self.host.dev_mut(to).stats.rx_bytes += Frame::HEADER_LEN as u64;
        skb.dev = to;
        skb.scrub();
        self.effects.push(Effect::Receive { after: CROSSING, skb });
    }

    /// Takes a UDP datagram to a vxlan port apart. Kernel: `vxlan_rcv`.
    pub fn vxlan_rcv(&mut self, netns: NetnsId, skb: Skb) -> PathResult {
        let (src, port, mark) = (skb.ip().src(), udp_port(&skb), skb.mark);
        let (outer, outer_tos) = (skb.id, skb.ip().tos);
        let arrival = skb.dev;
        let Some((vni, frame)) = vxlan_payload(skb) else {
            let dropped = crate::Dropped {
                packet: outer,
                netns,
                dev: Some(arrival),
                reason: DropReason::VxlanInvalidHdr,
                decided_by: None,
                errno: None,
            };
            return Err(dropped);
        };
        let dev = self.vxlan_find_vni(netns, port, vni);
        let mut inner = Skb { mark, ..Skb::new(outer, dev.unwrap_or(arrival), *frame) };
        let Some(dev) = dev else {
            return Err(self.dropped(netns, &inner, DropReason::VxlanVniNotFound));
        };
        let device = self.host.dev(dev);
        let (own, home) = (device.mac, device.netns);
        if inner.frame.src == own {
            return Err(self.dropped(home, &inner, DropReason::LocalMac));
        }
        if inner.frame.src.is_multicast() || inner.frame.src.is_zero() {
            self.host.dev_mut(dev).stats.rx_errors += 1;
            return Err(self.dropped(home, &inner, DropReason::MacInvalidSource));
        }
        if let Err(reason) = self.vxlan_snoop(dev, src, inner.frame.src) {
            return Err(self.dropped(home, &inner, reason));
        }
        if let Some(packet) = inner.frame.ip_mut()
            && outer_tos & 3 == 3
            && packet.tos & 3 != 0
        {
            packet.tos |= 3;
        }
        if home != netns {
            inner.mark = 0;
        }
        inner.id = self.ids.next_id();
        self.emit_created(&inner, home, &[(Relation::DecapsulatedFrom, outer)]);
        self.emit(inner.id, home, Some(dev), || StepKind::Decapsulated { outer });
        self.effects.push(Effect::Receive { after: Duration::ZERO, skb: inner });
        Ok(Fate::Consumed)
    }

    /// The device that is up for this port and VNI. Kernel: `vxlan_vs_find_vni`.
    fn vxlan_find_vni(&self, netns: NetnsId, port: u16, vni: Vni) -> Option<DevId> {
        let sockets = &self.host.get_ns(netns)?.vxlan;
        sockets.iter().find(|(p, v, _)| *p == port && *v == vni).map(|(_, _, dev)| *dev)
    }

    /// Learns that `mac` is behind `remote`, if the device learns. Kernel: `vxlan_snoop`.
    fn vxlan_snoop(&mut self, dev: DevId, remote: IpAddr, mac: MacAddr) -> Result<(), DropReason> {
        let now = self.now;
        let Some(vxlan) = self.host.vxlan_mut(dev).filter(|vxlan| vxlan.config.learning) else {
            return Ok(());
        };
        let learned = Remote { addr: remote, port: None, vni: None, via: None };
        if vxlan.find_mac(mac, now).is_none() {
            let entry =
                VxlanEntry { state: FdbState::Dynamic, remotes: smallvec![learned], used: now, updated: now };
            vxlan.fdb.insert(mac, entry);
            return Ok(());
        }
        let Some(entry) = vxlan.fdb.get_mut(&mac) else { return Ok(()) };
        let Some(first) = entry.remotes.first_mut() else { return Ok(()) };
        if first.addr == remote && first.via.is_none() {
            return Ok(());
        }
        if entry.state != FdbState::Dynamic {
            return Err(DropReason::VxlanEntryExists);
        }
        first.addr = remote;
        entry.updated = now;
        Ok(())
    }
}

/// Kernel: `udp_flow_src_port`, over the inner flow. The hash is ours.
fn udp_flow_src_port(frame: &Frame, range: Option<(u16, u16)>) -> u16 {
    let mut hasher = FxHasher::default();
    match &frame.payload {
        EtherPayload::Ip(packet) => Tuple::of(packet).hash(&mut hasher),
        EtherPayload::Arp(_) | EtherPayload::Other(..) => (frame.src, frame.dst).hash(&mut hasher),
    }
    let (min, max) = range.filter(|(min, max)| min < max).unwrap_or(LOCAL_PORTS);
    let hash = hasher.finish() >> 32;
    min + ((hash * u64::from(max - min)) >> 32) as u16
}

fn udp_port(skb: &Skb) -> u16 {
    if let Body::Udp(udp) = &skb.ip().body { udp.dport } else { 0 }
}

fn vxlan_payload(skb: Skb) -> Option<(Vni, Box<Frame>)> {
    let EtherPayload::Ip(packet) = skb.frame.payload else { return None };
    let Body::Udp(Udp { data, .. }) = packet.body else { return None };
    match data {
        UdpData::Vxlan(vni, frame) => Some((vni, frame)),
        UdpData::Bytes(bytes) => packet::wire::parse_vxlan(&bytes).map(|(vni, frame)| (vni, Box::new(frame))),
    }
}
