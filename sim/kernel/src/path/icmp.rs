use std::net::{IpAddr, Ipv4Addr};

use packet::{Body, Icmp, IcmpError, NetnsId, Packet, Proto, Skb};
use trace::{DropReason, Observer, StepKind};

use crate::path::{Flow, options};
use crate::sysctl_keys;
use crate::{Cx, Fate, PathResult, RouteKind};

/// Code of unreachable: fragmentation needed and DF set.
const FRAG_NEEDED: u8 = 4;
/// Highest code of unreachable. Kernel: `NR_ICMP_UNREACH`.
const NR_ICMP_UNREACH: u8 = 15;
/// Code of time exceeded: fragment reassembly.
const EXC_FRAGTIME: u8 = 1;

impl<O: Observer> Cx<'_, O> {
    /// An ICMP message for this host. Kernel: `net/ipv4/icmp.c, icmp_rcv`.
    ///
    /// Simplified: timestamp requests (type 13) are not answered.
    pub fn icmp_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        let Body::Icmp(icmp) = &skb.ip().body else {
            return Err(self.dropped(ns, &skb, DropReason::IcmpInvalidType));
        };
        let to_many = matches!(
            self.host.inet_addr_type(ns, skb.ip().dst()),
            RouteKind::Broadcast | RouteKind::Multicast
        );
        match icmp {
            Icmp::Echo { request: true, .. } => {
                if to_many
                    && self
                        .host
                        .ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.icmp_echo_ignore_broadcasts") })
                        != 0
                {
                    return Err(self.dropped(ns, &skb, DropReason::Ignored));
                }
                self.icmp_echo(ns, skb)
            }
            Icmp::Echo { request: false, .. } => self.icmp_taken(ns, &skb, "icmp_echoreply"),
            Icmp::Error(_) | Icmp::Other { .. } if to_many => {
                Err(self.dropped(ns, &skb, DropReason::IcmpInvalidType))
            }
            Icmp::Error(error) => {
                let error = error.clone();
                self.icmp_unreach(ns, skb, *error)
            }
            Icmp::Other { .. } => self.icmp_taken(ns, &skb, "icmp_discard"),
        }
    }

    fn icmp_taken(&mut self, ns: NetnsId, skb: &Skb, by: &str) -> PathResult {
        self.emit(skb.id, ns, Some(skb.dev), || StepKind::Deliver { to: None, socket: by.to_owned() });
        Ok(Fate::Delivered)
    }

    /// Answers a ping. Kernel: `net/ipv4/icmp.c, icmp_echo, icmp_reply`.
    fn icmp_echo(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        if self.host.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.icmp_echo_ignore_all") }) != 0 {
            return Err(self.dropped(ns, &skb, DropReason::Ignored));
        }
        let packet = skb.ip();
        let (src, tos) = (packet.src(), packet.tos);
        let Body::Icmp(Icmp::Echo { id, seq, payload, .. }) = &packet.body else {
            return Err(self.dropped(ns, &skb, DropReason::IcmpInvalidType));
        };
        let reply = Icmp::Echo { request: false, id: *id, seq: *seq, payload: payload.clone() };
        let taken = self.icmp_taken(ns, &skb, "icmp_echo");
        let Some(limited) = self.host.icmpv4_global_allow(ns, Icmp::ECHO_REPLY, 0, self.now) else {
            return taken;
        };
        let saddr = self.host.fib_compute_spec_dst(ns, &skb);
        let mark = self.host.reply_mark(ns, &skb);
        let flow = Flow { src: Some(saddr), mark, tos, proto: Proto::ICMP, ..Flow::to(src) };
        let Ok(dst) = self.host.ip_route_output(ns, &flow, self.now) else { return taken };
        if limited && !self.host.icmpv4_xrlim_allow(ns, dst.dev, src, self.now) {
            return taken;
        }
        let mut answer = Packet::new(saddr, src, Body::Icmp(reply));
        answer.tos = tos;
        answer.options = options::ip_options_echo(skb.ip());
        self.stamp_options(ns, &mut answer, saddr);
        self.icmp_push_reply(ns, &skb, answer, mark, dst);
        taken
    }

    /// An error about a packet of this host: routes learn from it, then the sockets of its
    /// protocol hear of it. Kernel: `net/ipv4/icmp.c, icmp_unreach, icmp_redirect, icmp_socket_deliver`.
    fn icmp_unreach(&mut self, ns: NetnsId, skb: Skb, mut error: IcmpError) -> PathResult {
        match (error.kind, error.code) {
            (Icmp::UNREACHABLE, FRAG_NEEDED) => {
                // 0 believes, 1 never asks, 2 doesn't believe, 3 only what fits a flow.
                match self.host.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.ip_no_pmtu_disc") }) {
                    0 | 3 => self.update_pmtu(ns, error.quoted.packet.dst(), error.rest & 0xffff),
                    2 => return self.icmp_taken(ns, &skb, "icmp_unreach"),
                    // As if no MTU were given.
                    _ => {
                        error.rest = 0;
                        self.update_pmtu(ns, error.quoted.packet.dst(), 0);
                    }
                }
            }
            (Icmp::UNREACHABLE, code) if code > NR_ICMP_UNREACH => {
                return Err(self.dropped(ns, &skb, DropReason::IcmpInvalidType));
            }
            (Icmp::TIME_EXCEEDED, EXC_FRAGTIME) => return self.icmp_taken(ns, &skb, "icmp_unreach"),
            (Icmp::REDIRECT, _) => {
                let gateway = IpAddr::V4(Ipv4Addr::from(error.rest));
                self.accept_redirect(ns, skb.dev, skb.ip().src(), gateway, error.quoted.packet.dst());
            }
            _ => {}
        }
        self.raw_err(ns, &skb, &error);
        match error.quoted.packet.proto() {
            Proto::UDP => self.udp_err(ns, &skb, &error),
            Proto::TCP => self.tcp_v4_err(ns, &skb, &error),
            Proto::IPIP => self.ipip_err(ns, &error),
            _ => {}
        }
        self.icmp_taken(ns, &skb, if error.kind == Icmp::REDIRECT { "icmp_redirect" } else { "icmp_unreach" })
    }
}
