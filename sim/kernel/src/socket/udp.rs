//! Receiving UDP. Kernel: `net/ipv4/udp.c`.

use std::net::SocketAddr;

use packet::{Body, Icmp, IcmpError, NetnsId, Proto, Skb, UdpData};
use trace::{DropReason, Observer};

use super::icmp_error::{FRAG_NEEDED, datagram_error, ip_icmp_error};
use super::table::{FourTuple, Socket};
use super::{Received, SocketId};
use crate::{Cx, Effect, Fate, PathResult, RouteKind};

impl<O: Observer> Cx<'_, O> {
    /// Takes a UDP datagram for this host. Kernel: `__udp4_lib_rcv`.
    pub fn udp_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        let Body::Udp(udp) = &skb.ip().body else {
            return Err(self.dropped(ns, &skb, DropReason::PktTooSmall));
        };
        let tuple =
            FourTuple { laddr: skb.ip().dst(), lport: udp.dport, raddr: skb.ip().src(), rport: udp.sport };
        if self.host.is_vxlan_port(ns, udp.dport) {
            return self.vxlan_rcv(ns, skb);
        }
        let to_many =
            matches!(self.host.inet_addr_type(ns, tuple.laddr), RouteKind::Broadcast | RouteKind::Multicast);
        if to_many {
            return self.udp_mcast_deliver(ns, &skb, tuple);
        }
        if let Some(id) = self.host.sockets.lookup_udp(ns, tuple, skb.inet_iif()) {
            return if self.udp_queue_rcv(ns, &skb, id) {
                Ok(Fate::Delivered)
            } else {
                Err(self.dropped(ns, &skb, DropReason::SocketRcvBuff))
            };
        }
        const PORT_UNREACHABLE: u8 = 3;
        // The error is a connection's only once conntrack has looked into it. Kernel: `nf_reset_ct`.
        let skb = Skb { ct: None, ..skb };
        self.icmp_send(ns, &skb, Icmp::UNREACHABLE, PORT_UNREACHABLE, 0);
        Err(self.dropped(ns, &skb, DropReason::NoSocket))
    }

    /// Gives a datagram for many to each socket that wants it. Kernel: `__udp4_lib_mcast_deliver`.
    fn udp_mcast_deliver(&mut self, ns: NetnsId, skb: &Skb, tuple: FourTuple) -> PathResult {
        let wants = |socket: &&Socket| {
            socket.takes_from(skb.inet_iif())
                && (socket.rcv_addr.is_unspecified() || socket.rcv_addr == tuple.laddr)
                && socket.remote.is_none_or(|remote| remote == (tuple.raddr, tuple.rport))
        };
        let ids: Vec<SocketId> = self
            .host
            .sockets
            .on_port(ns, Proto::UDP, tuple.lport)
            .filter(wants)
            .map(|socket| socket.id)
            .collect();
        let mut taken = false;
        for id in ids {
            taken |= self.udp_queue_rcv(ns, skb, id);
        }
        if taken { Ok(Fate::Delivered) } else { Err(self.dropped(ns, skb, DropReason::NoSocket)) }
    }

    /// Queues a datagram; false if the receive buffer is full. Kernel: `udp_queue_rcv_skb`.
    fn udp_queue_rcv(&mut self, ns: NetnsId, skb: &Skb, id: SocketId) -> bool {
        let Body::Udp(udp) = &skb.ip().body else { return false };
        let data = match &udp.data {
            UdpData::Bytes(bytes) => bytes.to_vec(),
            UdpData::Vxlan(..) => packet::wire::emit_body(skb.ip()).split_off(packet::Udp::HEADER_LEN),
        };
        let received = Received {
            from: SocketAddr::new(skb.ip().src(), udp.sport),
            packet: None,
            ttl: skb.ip().ttl,
            dst: skb.ip().dst(),
            dev: Some(skb.inet_iif()),
            at: self.now,
            id: Some(skb.id),
            data,
        };
        self.sock_queue_rcv(ns, skb, id, received)
    }

    /// Appends to a socket's receive queue and wakes its process; false if the queue is full.
    pub(super) fn sock_queue_rcv(
        &mut self,
        ns: NetnsId,
        skb: &Skb,
        id: SocketId,
        received: Received,
    ) -> bool {
        let Some(socket) = self.host.sockets.get_mut(id) else { return false };
        let rcvbuf = socket.options.rcvbuf;
        let len = skb.ip().len();
        let Some(datagrams) = socket.datagrams_mut() else { return false };
        if !datagrams.push(rcvbuf, len.saturating_sub(28), received) {
            return false;
        }
        self.effects.push(Effect::Wake(id));
        self.deliver(ns, skb, id);
        true
    }

    /// An ICMP error quotes a UDP datagram of this host; `skb` is the ICMP message.
    /// Kernel: `__udp4_lib_err`.
    pub fn udp_err(&mut self, ns: NetnsId, skb: &Skb, error: &IcmpError) {
        let quoted = &error.quoted.packet;
        let (sport, dport) = match &quoted.body {
            Body::Udp(udp) => (udp.sport, udp.dport),
            Body::Bytes(Proto::UDP, bytes) | Body::Fragment(Proto::UDP, bytes) if bytes.len() >= 4 => {
                (u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[2], bytes[3]]))
            }
            Body::Tcp(_) | Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => return,
        };
        let too_big = error.kind == Icmp::UNREACHABLE && error.code == FRAG_NEEDED;
        let tuple = FourTuple { laddr: quoted.src(), lport: sport, raddr: quoted.dst(), rport: dport };
        let Some(id) = self.host.sockets.lookup_udp(ns, tuple, skb.inet_iif()) else {
            // A tunnel's outer packet comes from any port; the tunnel's socket learns the MTU.
            if too_big && self.host.is_vxlan_port(ns, dport) {
                self.update_pmtu(ns, quoted.dst(), error.rest & 0xffff);
            }
            return;
        };
        if too_big {
            self.update_pmtu(ns, quoted.dst(), error.rest & 0xffff);
        }
        let entry = |errno, now| ip_icmp_error(skb, error, errno, now);
        let now = self.now;
        let Some(socket) = self.host.sockets.get_mut(id) else { return };
        let discover = socket.options.mtu_discover;
        let Some((errno, hard)) = datagram_error(error, discover) else { return };
        if too_big && !hard {
            return;
        }
        if socket.options.recv_err {
            socket.error_queue.push_back(entry(errno, now));
        } else if !hard || socket.remote.is_none() {
            return;
        }
        socket.error = Some(errno);
        self.effects.push(Effect::Wake(id));
    }
}
