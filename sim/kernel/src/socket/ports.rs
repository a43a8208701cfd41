//! Which port and address a socket gets. Kernel: `net/ipv4/inet_connection_sock.c`,
//! `net/ipv4/inet_hashtables.c`, `net/ipv4/udp.c`.

use std::net::{IpAddr, SocketAddr};

use packet::{NetnsId, Proto};
use trace::Observer;

use super::SocketId;
use super::table::{FourTuple, Kind, Socket, keyed_hash, tuple_words};
use super::tcp::State;
use crate::{Cx, Errno, RouteKind};

impl<O: Observer> Cx<'_, O> {
    /// `net.ipv4.ip_local_port_range`: first port and number of ports.
    fn local_port_range(&self, ns: NetnsId) -> (u32, u32) {
        const DEFAULT: (u32, u32) = (32_768, 60_999);
        let text = self.host.sysctl_get(ns, "net.ipv4.ip_local_port_range").unwrap_or_default();
        let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u32>().ok());
        let (low, high) = match (numbers.next(), numbers.next()) {
            (Some(low), Some(high)) if low <= high && high <= u32::from(u16::MAX) => (low, high),
            _ => DEFAULT,
        };
        (low, high + 1 - low)
    }

    /// `bind(2)`. Kernel: `__inet_bind`, `raw_bind`.
    pub(super) fn inet_bind(&mut self, id: SocketId, addr: SocketAddr) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let ns = socket.netns;
        if !addr.is_ipv4() {
            return Err(Errno::AfNoSupport);
        }
        let kind = if addr.ip().is_unspecified() {
            RouteKind::Local
        } else {
            self.host.inet_addr_type(ns, addr.ip())
        };
        let nonlocal = self.host.get_ns(ns).is_some_and(|ns| ns.sysctl.ip_nonlocal_bind());
        if !nonlocal && !matches!(kind, RouteKind::Local | RouteKind::Multicast | RouteKind::Broadcast) {
            return Err(Errno::AddrNotAvail);
        }
        match socket.port_proto() {
            Some(_) if socket.num != 0 || socket.tcp().is_some_and(|tcp| tcp.state != State::Closed) => {
                return Err(Errno::Inval);
            }
            Some(proto) => self.get_port(id, proto, addr.ip(), addr.port())?,
            None => {}
        }
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        socket.rcv_addr = addr.ip();
        socket.src_addr = if matches!(kind, RouteKind::Multicast | RouteKind::Broadcast) {
            super::table::ANY
        } else {
            addr.ip()
        };
        socket.addr_locked = !addr.ip().is_unspecified();
        socket.port_locked = addr.port() != 0;
        Ok(())
    }

    /// Gives the socket this port, or with 0 a free one. Kernel: `inet_csk_get_port`,
    /// `udp_lib_get_port`.
    pub(super) fn get_port(
        &mut self,
        id: SocketId,
        proto: Proto,
        addr: IpAddr,
        port: u16,
    ) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let ns = socket.netns;
        let port = if port == 0 {
            let (low, count) = self.local_port_range(ns);
            let draw = self.host.sockets.draw(self.host.seed);
            self.find_open_port(id, proto, addr, low, count, draw).ok_or(Errno::AddrInUse)?
        } else {
            let taken = proto == Proto::UDP && self.host.is_vxlan_port(ns, port);
            if taken || self.host.sockets.bind_conflict(socket, proto, addr, port) {
                return Err(Errno::AddrInUse);
            }
            port
        };
        if let Some(socket) = self.host.sockets.get_mut(id) {
            socket.num = port;
        }
        self.host.sockets.bind(ns, proto, port, id);
        Ok(())
    }

    /// A port nobody has, odd ones first: even ones are for `connect`.
    /// Kernel: `inet_csk_find_open_port`.
    fn find_open_port(
        &self,
        id: SocketId,
        proto: Proto,
        addr: IpAddr,
        low: u32,
        count: u32,
        draw: u64,
    ) -> Option<u16> {
        let socket = self.host.sockets.get(id)?;
        let even = count & !1;
        let start = if even > 0 { draw as u32 % even } else { 0 };
        let free = |port: u32| {
            let port = u16::try_from(port).ok()?;
            let taken = proto == Proto::UDP && self.host.is_vxlan_port(socket.netns, port);
            (!taken && !self.host.sockets.bind_conflict(socket, proto, addr, port)).then_some(port)
        };
        let parity = |odd: u32| {
            (0..count.div_ceil(2))
                .map(move |i| ((start & !1) + odd + 2 * i) % even.max(1))
                .map(move |at| low + at)
        };
        parity(1).chain(parity(0)).find_map(free)
    }

    /// Gives a connecting TCP socket a port that makes its connection unique. Kernel:
    /// `__inet_hash_connect`, `__inet_check_established`.
    pub(super) fn inet_hash_connect(&mut self, id: SocketId, tuple: FourTuple) -> Result<u16, Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let ns = socket.netns;
        if socket.num != 0 {
            let tuple = FourTuple { lport: socket.num, ..tuple };
            let free = self.host.sockets.connection(ns, tuple).is_none();
            return free.then_some(socket.num).ok_or(Errno::AddrNotAvail);
        }
        let (low, count) = self.local_port_range(ns);
        let remaining = (count & !1).max(1);
        let hash = keyed_hash(self.host.seed, &tuple_words(FourTuple { lport: 0, ..tuple }));
        let slot = hash as u8;
        let perturb = self.host.sockets.perturb.get(&slot).copied().unwrap_or(0);
        let start = (u64::from(perturb) + (hash >> 32)) % u64::from(remaining);
        let start = start as u32 & !1;
        for odd in 0..2 {
            for step in 0..remaining.div_ceil(2) {
                let port = low + (start + odd + 2 * step) % remaining;
                let Ok(port) = u16::try_from(port) else { continue };
                if self.usable_for_connect(ns, FourTuple { lport: port, ..tuple }) {
                    let skip = (self.host.sockets.draw(self.host.seed) % 8) as u32;
                    let moved = step.max(skip) * 2 + 2;
                    self.host.sockets.perturb.insert(slot, perturb.wrapping_add(moved));
                    return Ok(port);
                }
            }
        }
        Err(Errno::AddrNotAvail)
    }

    /// A port that `bind` gave away is not for others; a connection must be the only one.
    ///
    /// Simplified: a connection in TIME_WAIT is never taken over (`tcp_tw_reuse`).
    fn usable_for_connect(&self, ns: NetnsId, tuple: FourTuple) -> bool {
        let sockets = &self.host.sockets;
        let bound = |socket: &Socket| {
            socket.port_locked || socket.tcp().is_some_and(|tcp| tcp.state == State::Listen)
        };
        !sockets.on_port(ns, Proto::TCP, tuple.lport).any(bound) && sockets.connection(ns, tuple).is_none()
    }

    /// Gives an unbound UDP socket a port before it sends or connects. Kernel: `inet_autobind`.
    pub(super) fn inet_autobind(&mut self, id: SocketId) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let addr = socket.rcv_addr;
        match (&socket.kind, socket.num) {
            (Kind::Udp(_), 0) => self.get_port(id, Proto::UDP, addr, 0).map_err(|_| Errno::Again),
            (Kind::Udp(_) | Kind::Raw(..) | Kind::Packet(_) | Kind::Netlink(_) | Kind::Tcp(_), _) => Ok(()),
        }
    }
}
