//! IP in IP. Kernel: `net/ipv4/ipip.c`, `ip_tunnel.c`.

use std::net::IpAddr;
use std::time::Duration;

use packet::{Body, DevId, EtherPayload, Icmp, IcmpError, NetnsId, Packet, Proto, Skb};
use trace::{DropReason, Observer, Relation, StepKind};

use crate::device::{DeviceKind, Ipip, TunnelMade};
use crate::path::Flow;
use crate::request::TunnelConfig;
use crate::{Cx, Dropped, Effect, Errno, Fate, Host, PathResult};

/// How long an error is remembered. Kernel: `IPTUNNEL_ERR_TIMEO`.
const ERROR_TIMEOUT: Duration = Duration::from_secs(30);
/// Code of unreachable: fragmentation needed and DF set.
const FRAG_NEEDED: u8 = 4;

impl Host {
    pub(crate) fn ipip(&self, dev: DevId) -> Option<&Ipip> {
        if let DeviceKind::Ipip(tunnel) = &self.get_dev(dev)?.kind { Some(tunnel) } else { None }
    }

    /// The tunnel that takes a packet from `src` to `dst`: that of both, of the remote, of the
    /// local address, at last `tunl0`. Kernel: `ip_tunnel_lookup`.
    fn ip_tunnel_lookup(&self, net: NetnsId, src: IpAddr, dst: IpAddr) -> Option<DevId> {
        let fits = |tunnel: &Ipip| {
            let TunnelConfig { remote, local, .. } = &tunnel.config;
            if tunnel.made == TunnelMade::Fallback {
                return Some(0);
            }
            match (remote, local) {
                (Some(remote), Some(local)) => (*remote == src && *local == dst).then_some(3),
                (Some(remote), None) => (*remote == src).then_some(2),
                (None, Some(local)) => (*local == dst).then_some(1),
                (None, None) => Some(0),
            }
        };
        let tunnels = self.get_ns(net)?.ipip.iter().copied();
        let up = tunnels.filter(|&dev| self.get_dev(dev).is_some_and(|dev| dev.up));
        up.filter_map(|dev| Some((fits(self.ipip(dev)?)?, dev)))
            .max_by_key(|(score, _)| *score)
            .map(|(_, dev)| dev)
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Wraps the packet into another of this host. Kernel: `ip_tunnel_xmit`.
    pub(crate) fn ipip_tunnel_xmit(&mut self, dev: DevId, skb: Skb) -> PathResult {
        let device = self.host.dev(dev);
        let netns = device.netns;
        let (Some(tunnel), EtherPayload::Ip(inner)) = (self.host.ipip(dev), &skb.frame.payload) else {
            self.host.dev_mut(dev).stats.tx_errors += 1;
            return Err(self.dropped(netns, &skb, DropReason::UnhandledProto));
        };
        let (net, lower) = (tunnel.net, tunnel.lower);
        let TunnelConfig { remote, local, ttl, tos, nopmtudisc, link: _, ipv4_only: _ } =
            tunnel.config.clone();
        let mut flow = Flow {
            dst: inner.dst(),
            src: None,
            iif: None,
            oif: Some(dev),
            mark: skb.mark,
            tos: inner.tos,
            proto: Proto::IPIP,
            sport: 0,
            dport: 0,
            onlink_only: false,
            any_src: false,
        };
        // Without a remote the route's next hop is the other end (NBMA).
        let remote = match remote {
            Some(remote) => remote,
            None => match self.host.ip_route_output(netns, &Flow { oif: None, ..flow.clone() }, self.now) {
                Ok(dst) => dst.gateway.unwrap_or(inner.dst()),
                Err(_) => return Err(self.ipip_tx_error(dev, DropReason::IpOutNoRoutes, &skb)),
            },
        };
        let tos = if tos == 1 { inner.tos } else { tos };
        flow = Flow { dst: remote, src: local, oif: lower, tos, ..flow };
        let dst = match self.host.ip_route_output(net, &flow, self.now) {
            Ok(dst) if dst.dev != dev => dst,
            failed => {
                if failed == Err(Errno::NetUnreach) {
                    self.host.dev_mut(dev).stats.tx_carrier += 1;
                } else if failed.is_ok() {
                    self.host.dev_mut(dev).stats.collisions += 1;
                }
                return Err(self.ipip_tx_error(dev, DropReason::IpOutNoRoutes, &skb));
            }
        };
        let df = !nopmtudisc || inner.frag.df;
        let mtu = if df { dst.mtu.saturating_sub(Ipip::HEADER_LEN) } else { self.host.dev(dev).mtu };
        let (to, too_big) = (inner.dst(), inner.frag.df && inner.len() > mtu as usize);
        self.update_pmtu(netns, to, mtu);
        if too_big {
            self.icmp_send(netns, &skb, Icmp::UNREACHABLE, FRAG_NEEDED, mtu);
            return Err(self.ipip_tx_error(dev, DropReason::PktTooBig, &skb));
        }
        if let DeviceKind::Ipip(Ipip { errors: (count, last), .. }) = &mut self.host.dev_mut(dev).kind
            && *count > 0
        {
            if self.now < *last + ERROR_TIMEOUT {
                *count -= 1;
                // Kernel: `dst_link_failure`. The packet is sent all the same.
                self.icmp_send(netns, &skb, Icmp::UNREACHABLE, 1, 0);
            } else {
                *count = 0;
            }
        }
        let EtherPayload::Ip(inner) = &skb.frame.payload else { return Ok(Fate::Consumed) };
        let ttl = if ttl == 0 { inner.ttl } else { ttl };
        let (len, id, mark) = (inner.len() as u64, skb.id, skb.mark);
        let src = local.unwrap_or(dst.src);
        let EtherPayload::Ip(inner) = skb.frame.payload else { return Ok(Fate::Consumed) };
        let mut packet = Packet::new(src, remote, Body::Ip(Box::new(inner)));
        packet.ttl = ttl;
        packet.tos = tos;
        packet.frag.df = df;
        let sent = self.iptunnel_xmit(net, dev, id, mark, Ipip::HEADER_LEN, packet, dst);
        let stats = &mut self.host.dev_mut(dev).stats;
        stats.tx_packets += 1;
        stats.tx_bytes += len;
        sent
    }

    /// An ICMP error about a packet that a tunnel sent from here: the next inner packets meet it.
    /// Kernel: `ipip_err`.
    pub(crate) fn ipip_err(&mut self, netns: NetnsId, error: &IcmpError) {
        let quoted = &error.quoted.packet;
        let fails = match (error.kind, error.code) {
            // Source route failed; the path MTU is known already.
            (Icmp::UNREACHABLE, 5 | FRAG_NEEDED) => false,
            (Icmp::UNREACHABLE, _) | (Icmp::TIME_EXCEEDED, 0) => true,
            _ => false,
        };
        let tunnel = self.host.ip_tunnel_lookup(netns, quoted.dst(), quoted.src()).filter(|_| fails);
        let now = self.now;
        let Some(DeviceKind::Ipip(Ipip { config, errors: (count, last), .. })) =
            tunnel.map(|dev| &mut self.host.dev_mut(dev).kind)
        else {
            return;
        };
        if config.remote.is_none() || (config.ttl == 0 && error.kind == Icmp::TIME_EXCEEDED) {
            return;
        }
        *count = if *count > 0 && now < *last + ERROR_TIMEOUT { *count + 1 } else { 1 };
        *last = now;
    }

    fn ipip_tx_error(&mut self, dev: DevId, reason: DropReason, skb: &Skb) -> Dropped {
        let device = self.host.dev_mut(dev);
        device.stats.tx_errors += 1;
        let netns = device.netns;
        self.dropped(netns, skb, reason)
    }

    /// Takes an IP-in-IP packet apart. Without a tunnel for it the sender is told.
    /// Kernel: `ipip_rcv`, `tunnel4_rcv`.
    pub fn ipip_rcv(&mut self, netns: NetnsId, skb: Skb) -> PathResult {
        let (src, dst) = (skb.ip().src(), skb.ip().dst());
        let Some(dev) = self.host.ip_tunnel_lookup(netns, src, dst) else {
            let known = self.host.get_ns(netns).is_some_and(|ns| !ns.ipip.is_empty());
            // Port unreachable from tunnel4, protocol unreachable where nobody knows IP in IP.
            self.icmp_send(netns, &skb, Icmp::UNREACHABLE, if known { 3 } else { 2 }, 0);
            return Err(self.dropped(netns, &skb, DropReason::IpNoProto));
        };
        let home = self.host.dev(dev).netns;
        let (outer, mark, outer_tos) = (skb.id, skb.mark, skb.ip().tos);
        let inner = match &skb.ip().body {
            Body::Ip(inner) => Some(inner.as_ref().clone()),
            Body::Bytes(_, bytes) => packet::wire::parse_packet(bytes).ok(),
            Body::Tcp(_) | Body::Udp(_) | Body::Icmp(_) | Body::Fragment(..) => None,
        };
        let Some(mut inner) = inner else {
            return Err(self.dropped(netns, &skb, DropReason::IpInHdr));
        };
        if outer_tos & 3 == 3 && inner.tos & 3 != 0 {
            inner.tos |= 3;
        }
        let mut inner = Skb::from_ip(self.ids.next_id(), dev, inner);
        if home == netns {
            inner.mark = mark;
        }
        self.emit_created(&inner, home, &[(Relation::DecapsulatedFrom, outer)]);
        self.emit(inner.id, home, Some(dev), || StepKind::Decapsulated { outer });
        self.effects.push(Effect::Receive { after: Duration::ZERO, skb: inner });
        Ok(Fate::Consumed)
    }
}
