//! Answers to rejected packets. Kernel: `net/ipv4/netfilter/nf_reject_ipv4.c`.

use netfilter::RejectWith;
use netfilter::conntrack::Conntrack;
use packet::{Body, Frag, Icmp, NetnsId, Packet, Payload, Proto, Skb, Tcp, TcpFlags};
use trace::{Observer, Relation};

use crate::path::Flow;
use crate::{Cx, RouteKind};

impl<O: Observer> Cx<'_, O> {
    /// Tells the sender of a rejected packet; a later fragment is not answered.
    /// Kernel: `nf_send_unreach`, `nf_send_reset`.
    pub(super) fn nf_reject(&mut self, ns: NetnsId, with: RejectWith, old: &Skb) {
        match with {
            RejectWith::Icmp(_) if old.ip().frag.offset != 0 => {}
            RejectWith::Icmp(code) => self.icmp_send(ns, old, Icmp::UNREACHABLE, code, 0),
            RejectWith::TcpReset => self.nf_send_reset(ns, old),
        }
    }

    /// Answers a rejected segment. No hook sees the answer to one that came in by a bridge.
    /// Kernel: `nf_send_reset`.
    fn nf_send_reset(&mut self, ns: NetnsId, old: &Skb) {
        let packet = old.ip();
        let Body::Tcp(segment) = &packet.body else { return };
        let to_many =
            matches!(self.host.inet_addr_type(ns, packet.dst()), RouteKind::Broadcast | RouteKind::Multicast);
        if segment.flags.contains(TcpFlags::RST) || to_many {
            return;
        }
        let has = |flag| u32::from(segment.flags.contains(flag));
        let (seq, ack, flags) = if segment.flags.contains(TcpFlags::ACK) {
            (segment.ack, 0, TcpFlags::RST)
        } else {
            let len = has(TcpFlags::SYN) + has(TcpFlags::FIN) + segment.payload.len() as u32;
            (0, segment.seq.wrapping_add(len), TcpFlags::RST | TcpFlags::ACK)
        };
        let (sport, dport) = (segment.dport, segment.sport);
        let reset = Tcp { sport, dport, seq, ack, flags, window: 0, options: None, payload: Payload::EMPTY };
        let (src, dst) = (packet.dst(), packet.src());
        let mark = self.host.reply_mark(ns, old);
        let flow =
            Flow { src: Some(src), mark, proto: Proto::TCP, sport, dport, any_src: true, ..Flow::to(dst) };
        let Ok(route) = self.host.ip_route_output(ns, &flow, self.now) else { return };
        let mut answer = Packet::new(src, dst, Body::Tcp(reset));
        answer.frag = Frag { df: true, ..Frag::default() };
        answer.ttl = self.host.dst_hoplimit(ns, Some(&route));
        let mut skb = Skb::from_ip(self.ids.next_id(), route.dev, answer);
        skb.mark = mark;
        Conntrack::attach(&mut skb, old);
        self.nf_ct_set_closing(ns, old);
        self.emit_created(&skb, ns, &[(Relation::ReplyTo, old.id)]);
        let sent = match &old.nf_bridge {
            // Straight back out of the port, as if the host that was asked had answered.
            Some(info) => {
                (skb.frame.src, skb.frame.dst) = (old.frame.dst, old.frame.src);
                self.dev_queue_xmit(info.physindev, skb)
            }
            None => self.ip_local_out(ns, skb, route),
        };
        let _ = self.finish(sent);
    }
}
