//! Sending datagrams. Kernel: `udp_sendmsg`, `raw_sendmsg`, and `__ip_append_data` with
//! `__ip_make_skb` in `net/ipv4/ip_output.c`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use packet::{Body, Frag, NetnsId, Packet, Payload, Proto, SkOwner, Skb, Udp, UdpData};
use trace::{Observer, Relation};

use super::table::Kind;
use super::{MtuDiscover, SocketId};
use crate::path::{Dst, Relay};
use crate::{Cx, Errno, PathResult, RouteKind};

/// Largest IP packet in bytes.
const IP_MAX_MTU: usize = 65_535;

impl<O: Observer> Cx<'_, O> {
    /// `sendto(2)` on a UDP socket. Kernel: `net/ipv4/udp.c`, `udp_sendmsg`.
    pub(super) fn udp_send(
        &mut self,
        id: SocketId,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> Result<usize, Errno> {
        if data.len() > 0xffff {
            return Err(Errno::MsgSize);
        }
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let (addr, port) = match to {
            Some(to) if !to.is_ipv4() => return Err(Errno::AfNoSupport),
            Some(to) if to.port() == 0 => return Err(Errno::Inval),
            Some(to) => (to.ip(), to.port()),
            None => socket.remote.ok_or(Errno::DestAddrReq)?,
        };
        self.inet_autobind(id)?;
        let sport = self.host.sockets.get(id).map_or(0, |socket| socket.num);
        let data_len = data.len();
        let udp = Udp { sport, dport: port, checksum: true, data: UdpData::Bytes(Payload::from(data)) };
        self.send_body(id, addr, port, Body::Udp(udp))?;
        Ok(data_len)
    }

    /// `sendto(2)` on a raw socket; `data` is what follows the IP header.
    /// Kernel: `net/ipv4/raw.c`, `raw_sendmsg`.
    pub(super) fn raw_send(
        &mut self,
        id: SocketId,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> Result<usize, Errno> {
        if data.len() > 0xffff {
            return Err(Errno::MsgSize);
        }
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let Kind::Raw(proto, _) = socket.kind else { return Err(Errno::OpNotSupp) };
        let addr = match to {
            Some(to) => to.ip(),
            None => socket.remote.ok_or(Errno::DestAddrReq)?.0,
        };
        let addrs = packet::Addrs::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), addr);
        // A malformed message is sent as it is.
        let body = packet::wire::parse_body(proto, &addrs, data).unwrap_or(Body::Bytes(proto, data.into()));
        self.send_body(id, addr, 0, body)?;
        Ok(data.len())
    }

    /// Sends a packet of a raw socket; the IP header is the socket's unless it is included.
    pub(super) fn raw_send_packet(&mut self, id: SocketId, packet: Packet) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let Kind::Raw(proto, _) = socket.kind else { return Err(Errno::OpNotSupp) };
        const IPPROTO_RAW: Proto = Proto(255);
        if socket.options.header_included || proto == IPPROTO_RAW {
            return self.raw_send_hdrinc(id, packet);
        }
        // Kernel: `raw_sendmsg` refuses what no IP packet holds before anything else looks at it.
        if packet.body.len() > 0xffff {
            return Err(Errno::MsgSize);
        }
        let to = packet.dst();
        self.send_body(id, to, 0, packet.body)
    }

    /// Kernel: `net/ipv4/raw.c`, `raw_send_hdrinc`.
    fn raw_send_hdrinc(&mut self, id: SocketId, mut packet: Packet) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let (ns, proto, to) = (socket.netns, packet.proto(), packet.dst());
        let mut flow = socket.flow(to, 0, proto);
        flow.tos = packet.tos;
        if !packet.src().is_unspecified() {
            flow.src = Some(packet.src());
        }
        let mark = socket.options.mark;
        // A header that names a foreign source is sent all the same (FLOWI_FLAG_KNOWN_NH, ANYSRC).
        flow.any_src = true;
        let dst = self.host.ip_route_output(ns, &flow, self.now)?;
        self.check_broadcast(id, &dst)?;
        let mtu = self.host.get_dev(dst.dev).map_or(dst.mtu, |dev| dev.mtu);
        let now = self.now;
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        if packet.len() > mtu as usize {
            socket.ip_local_error(to, 0, mtu, now);
            return Err(Errno::MsgSize);
        }
        socket.sock_error()?;
        if packet.src().is_unspecified() {
            packet.set_src(dst.src);
        }
        let mut skb = Skb::from_ip(self.ids.next_id(), dst.dev, packet);
        skb.mark = mark;
        if skb.ip().id == 0 {
            self.ip_select_ident(ns, &mut skb);
        }
        self.send_made(id, ns, skb, dst)
    }

    /// Wraps `body` into an IP packet by the socket's options and sends it.
    fn send_body(&mut self, id: SocketId, to: IpAddr, dport: u16, body: Body) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let ns = socket.netns;
        let flow = socket.flow(to, dport, body.proto());
        let dst = self.host.ip_route_output(ns, &flow, self.now)?;
        self.check_broadcast(id, &dst)?;
        let now = self.now;
        let default_ttl = self.host.dst_hoplimit(ns, Some(&dst));
        let dev_mtu = self.host.get_dev(dst.dev).map_or(dst.mtu, |dev| dev.mtu);
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        let to = if to.is_unspecified() { dst.src } else { to };
        let src = if socket.src_addr.is_unspecified() { dst.src } else { socket.src_addr };
        let mut packet = Packet::new(src, to, body);
        let options = &socket.options;
        packet.tos = options.tos;
        packet.ttl = if to.is_multicast() { 1 } else { options.ttl.unwrap_or(default_ttl) };
        if !options.ip_options.is_empty() {
            packet.options = Some(Box::new(options.ip_options.clone()));
        }
        let discover = options.mtu_discover;
        // Kernel: `ip_sk_use_pmtu`, `ip_sk_ignore_df`.
        let mtu = if discover == MtuDiscover::Probe { dev_mtu } else { dst.mtu };
        let limit = if ignores_df(discover) { IP_MAX_MTU } else { mtu as usize };
        if packet.len() > limit {
            let option_len = packet.options.as_ref().map_or(0, |o| o.len()) as u32;
            socket.ip_local_error(to, dport, mtu - option_len.min(mtu), now);
            return Err(Errno::MsgSize);
        }
        socket.sock_error()?;
        let fits = packet.len() <= dst.mtu as usize;
        let df = match discover {
            MtuDiscover::Do | MtuDiscover::Probe => true,
            MtuDiscover::Want => fits && !dst.mtu_locked,
            MtuDiscover::Dont => false,
        };
        packet.frag = Frag { df, ..Frag::default() };
        let mark = socket.options.mark;
        self.stamp_options(ns, &mut packet, src);
        let mut skb = Skb::from_ip(self.ids.next_id(), dst.dev, packet);
        skb.mark = mark;
        skb.ignore_df = ignores_df(discover);
        if !fits {
            skb.frag_list = mtu.try_into().unwrap_or(u16::MAX);
        }
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        if socket.remote.is_some() {
            socket.ip_id = socket.ip_id.wrapping_add(1);
            skb.ip_mut().id = socket.ip_id;
        } else {
            self.ip_select_ident(ns, &mut skb);
        }
        self.send_made(id, ns, skb, dst)
    }

    /// Only who asked for it may send to all. Kernel: `udp_sendmsg`, `raw_sendmsg`.
    fn check_broadcast(&self, id: SocketId, dst: &Dst) -> Result<(), Errno> {
        let allowed = self.host.sockets.get(id).is_some_and(|socket| socket.options.broadcast);
        if dst.kind == RouteKind::Broadcast && !allowed { Err(Errno::Acces) } else { Ok(()) }
    }

    /// Hands a packet to the path. A full queue is told only to who asked for errors.
    fn send_made(&mut self, id: SocketId, ns: NetnsId, mut skb: Skb, mut dst: Dst) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let (owner, reports) = (socket.owner, socket.options.recv_err);
        if socket.options.mtu_discover == MtuDiscover::Probe {
            // Kernel: `ip_skb_dst_mtu`.
            //
            // Simplified: a packet that OUTPUT routes again is held to its new route's MTU, not to
            // its device's.
            dst.mtu = self.host.get_dev(dst.dev).map_or(dst.mtu, |dev| dev.mtu);
        }
        skb.sk = SkOwner::Process;
        let current = self.current;
        self.current = current.or(owner);
        let parents = match self.host.relay.take() {
            Some(Relay::FromTun(id)) => vec![(Relation::RelayedBy, id)],
            _ => Vec::new(),
        };
        self.emit_created(&skb, ns, &parents);
        let result: PathResult = self.ip_local_out(ns, skb, dst);
        let result = self.finish(result);
        self.current = current;
        match result.err().and_then(|dropped| dropped.errno) {
            None => Ok(()),
            Some(Errno::NoBufs) if !reports => Ok(()),
            Some(errno) => Err(errno),
        }
    }

    /// `connect(2)` on a UDP or raw socket. Kernel: `net/ipv4/datagram.c`, `__ip4_datagram_connect`.
    pub(super) fn datagram_connect(&mut self, id: SocketId, to: SocketAddr) -> Result<(), Errno> {
        if !to.is_ipv4() {
            return Err(Errno::AfNoSupport);
        }
        self.inet_autobind(id)?;
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let proto = match &socket.kind {
            Kind::Raw(proto, _) => *proto,
            Kind::Udp(_) | Kind::Packet(_) | Kind::Netlink(_) | Kind::Tcp(_) => Proto::UDP,
        };
        let flow = socket.flow(to.ip(), to.port(), proto);
        let dst = self.host.ip_route_output(socket.netns, &flow, self.now)?;
        self.check_broadcast(id, &dst)?;
        let hash = self.host.sockets.draw(self.host.seed);
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        if socket.src_addr.is_unspecified() {
            socket.src_addr = dst.src;
        }
        if socket.rcv_addr.is_unspecified() {
            socket.rcv_addr = dst.src;
        }
        let addr = if to.ip().is_unspecified() { dst.src } else { to.ip() };
        socket.remote = Some((addr, to.port()));
        socket.ip_id = hash as u16;
        Ok(())
    }
}

/// Whether this host cuts what is too long even if it has DF. Kernel: `ip_sk_ignore_df`.
fn ignores_df(discover: MtuDiscover) -> bool {
    matches!(discover, MtuDiscover::Dont | MtuDiscover::Want)
}
