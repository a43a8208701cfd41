use std::net::{IpAddr, Ipv4Addr};

use netfilter::conntrack::Conntrack;
use packet::{Body, Icmp, IcmpError, NetnsId, Packet, PktType, Proto, Skb, wire};
use trace::{Observer, Relation};

use crate::path::{Dst, Flow};
use crate::sysctl_keys;
use crate::{Cx, Host, RouteKind, Scope};

/// An error is at most this long, with its IP header. RFC 1812 section 4.3.2.3.
const LONGEST_ERROR: usize = 576;

/// `IPTOS_PREC_INTERNETCONTROL`.
const INTERNET_CONTROL: u8 = 0xc0;

/// Source of an error when there is no address at all (RFC 7600). Kernel: `INADDR_DUMMY`.
const INADDR_DUMMY: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 8);

/// Whether messages of this type report errors. Kernel: `icmp_pointers[].error`; unknown types count.
pub(super) fn is_error(kind: u8) -> bool {
    matches!(
        kind,
        Icmp::UNREACHABLE | 4 | Icmp::REDIRECT | Icmp::TIME_EXCEEDED | Icmp::PARAMETER_PROBLEM | 19..
    )
}

impl Host {
    /// Whether the rules of RFC 1122 section 3.2.2 allow an error about `orig`.
    fn icmp_may_answer(&self, ns: NetnsId, orig: &Skb, packet: &Packet, kind: u8) -> bool {
        let answers_error = match &packet.body {
            Body::Icmp(icmp) => is_error(icmp.type_code().0),
            // The first fragment of a message begins with its type.
            Body::Fragment(Proto::ICMP, bytes) => bytes.first().is_none_or(|&kind| is_error(kind)),
            Body::Tcp(_) | Body::Udp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => false,
        };
        orig.pkt_type == PktType::Host
            && packet.frag.offset == 0
            && !(is_error(kind) && answers_error)
            && !matches!(self.inet_addr_type(ns, packet.dst()), RouteKind::Broadcast | RouteKind::Multicast)
    }

    /// The mark of an answer to `orig`. Kernel: `IP4_REPLY_MARK`.
    pub(super) fn reply_mark(&self, ns: NetnsId, orig: &Skb) -> u32 {
        if orig.mark != 0 && self.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.fwmark_reflect") }) != 0
        {
            orig.mark
        } else {
            0
        }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Sends an ICMP error about `orig` to its source, unless the rules or the limits forbid it.
    /// `rest` is the second word of the header (next-hop MTU, gateway).
    /// Kernel: `net/ipv4/icmp.c, __icmp_send`.
    pub fn icmp_send(&mut self, ns: NetnsId, orig: &Skb, kind: u8, code: u8, rest: u32) {
        let Some(packet) = orig.frame.ip().filter(|packet| !packet.is_v6()) else { return };
        if self.icmp_busy || !self.host.icmp_may_answer(ns, orig, packet, kind) {
            return;
        }
        let from_loopback = self.host.get_dev(orig.dev).is_some_and(crate::Device::is_loopback);
        let limited = match self.host.icmpv4_global_allow(ns, kind, code, self.now) {
            Some(limited) => limited,
            None if from_loopback => false,
            None => return,
        };
        let local = orig.is_looped_back() || self.host.inet_addr_type(ns, packet.dst()) == RouteKind::Local;
        let inbound = !local
            && self
                .host
                .ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.icmp_errors_use_inbound_ifaddr") })
                != 0;
        let saddr = if local {
            Some(packet.dst())
        } else if inbound {
            self.host.inet_select_addr(orig.dev, packet.src(), Scope::LINK)
        } else {
            None
        };
        let tos = if is_error(kind) { packet.tos & 0x1e | INTERNET_CONTROL } else { packet.tos };
        let mark = self.host.reply_mark(ns, orig);
        let flow = Flow { src: saddr, mark, tos, proto: Proto::ICMP, ..Flow::to(packet.src()) };
        let Ok(dst) = self.host.ip_route_output(ns, &flow, self.now) else { return };
        if limited && !self.host.icmpv4_xrlim_allow(ns, dst.dev, packet.src(), self.now) {
            return;
        }
        let room = LONGEST_ERROR.min(dst.mtu as usize).saturating_sub(20 + Icmp::HEADER_LEN);
        if room <= 20 {
            return;
        }
        let quoted = wire::quote(packet, room);
        let src = match dst.src {
            IpAddr::V4(src) if src.is_unspecified() => INADDR_DUMMY.into(),
            src => src,
        };
        let error = Icmp::Error(Box::new(IcmpError { kind, code, rest, quoted }));
        let mut answer = Packet::new(saddr.unwrap_or(src), packet.src(), Body::Icmp(error));
        answer.tos = tos;
        self.icmp_push_reply(ns, orig, answer, mark, dst);
    }

    /// Sends from the kernel's ICMP socket. What befalls the message on its way out (REJECT, too
    /// long for a link) is not answered: the socket is busy. Kernel: `net/ipv4/icmp.c,
    /// icmp_push_reply`, within `icmp_xmit_lock`.
    pub(super) fn icmp_push_reply(
        &mut self,
        ns: NetnsId,
        orig: &Skb,
        mut packet: Packet,
        mark: u32,
        dst: Dst,
    ) {
        packet.ttl = self.host.dst_hoplimit(ns, Some(&dst));
        let mut skb = Skb::from_ip(self.ids.next_id(), dst.dev, packet);
        skb.mark = mark;
        // The kernel's own socket never asks for DF (IP_PMTUDISC_DONT).
        skb.ignore_df = true;
        self.ip_select_ident(ns, &mut skb);
        skb.sk = packet::SkOwner::Kernel;
        if matches!(skb.ip().body, Body::Icmp(Icmp::Error(_))) {
            Conntrack::attach(&mut skb, orig);
        }
        self.emit_created(&skb, ns, &[(Relation::ReplyTo, orig.id)]);
        self.icmp_busy = true;
        let sent = self.ip_local_out(ns, skb, dst);
        let _ = self.finish(sent);
        self.icmp_busy = false;
    }
}
