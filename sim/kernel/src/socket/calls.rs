//! The system calls on sockets. All are non-blocking.

use std::collections::VecDeque;
use std::net::SocketAddr;

use packet::{Frame, NetnsId, Packet, Pid, Proto};
use trace::Observer;

use super::af_packet::PacketSocket;
use super::datagram::Datagrams;
use super::netlink::NetlinkSocket;
use super::table::{ANY, FourTuple, Kind, Socket, keyed_hash, tuple_words};
use super::tcp::{self, State, TcpSocket};
use super::{Captured, Ready, Received, SocketError, SocketId, SocketKind, SocketOption};
use crate::path::Relay;
use crate::{Cx, Errno, Host, RouteKind};

impl Host {
    /// The own address and port. Kernel: `inet_getname`.
    pub fn socket_local_addr(&self, id: SocketId) -> Option<SocketAddr> {
        let socket = self.sockets.get(id)?;
        let addr = if socket.rcv_addr.is_unspecified() { socket.src_addr } else { socket.rcv_addr };
        Some(SocketAddr::new(addr, socket.num))
    }

    /// The other end's address and port, if connected. Kernel: `inet_getname`.
    pub fn socket_peer_addr(&self, id: SocketId) -> Option<SocketAddr> {
        let socket = self.sockets.get(id)?;
        let connected = socket.tcp().is_none_or(|tcp| !matches!(tcp.state, State::Closed | State::SynSent));
        let (addr, port) = socket.remote.filter(|_| connected)?;
        Some(SocketAddr::new(addr, port))
    }

    /// What `poll(2)` answers. Kernel: `tcp_poll`, `datagram_poll`.
    pub fn socket_ready(&self, id: SocketId) -> Ready {
        let Some(socket) = self.sockets.get(id) else { return Ready::default() };
        let error = socket.error.is_some() || !socket.error_queue.is_empty();
        match &socket.kind {
            Kind::Tcp(tcp) => Ready { error, ..tcp.poll(error) },
            Kind::Udp(datagrams) | Kind::Raw(_, datagrams) => Ready {
                readable: !datagrams.is_empty() || socket.error.is_some(),
                writable: true,
                error,
                hangup: false,
            },
            Kind::Packet(packet) => Ready {
                readable: !packet.queue.is_empty() || socket.error.is_some(),
                writable: true,
                error,
                hangup: false,
            },
            Kind::Netlink(netlink) => {
                Ready { readable: !netlink.queue.is_empty(), writable: true, ..Ready::default() }
            }
        }
    }

    /// The process that has the socket open.
    pub fn socket_owner(&self, id: SocketId) -> Option<Pid> {
        self.sockets.get(id)?.owner
    }
}

impl TcpSocket {
    /// Kernel: `tcp_poll`.
    fn poll(&self, error: bool) -> Ready {
        let open = !matches!(self.state, State::SynSent | State::SynRecv);
        let readable = if self.state == State::Listen {
            !self.accept_queue.is_empty()
        } else {
            self.shut_read || (open && !self.received.is_empty()) || (error && self.state == State::Closed)
        };
        let writable = open && self.state != State::Listen && (self.shut_write || !self.sndbuf_full());
        let hangup = self.state == State::Closed || (self.shut_read && self.shut_write);
        Ready { readable, writable, error, hangup }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// `socket(2)`.
    ///
    /// # Errors
    /// None today.
    pub fn socket_open(
        &mut self,
        ns: NetnsId,
        kind: SocketKind,
        owner: Option<Pid>,
    ) -> Result<SocketId, Errno> {
        let is_packet = matches!(kind, SocketKind::Packet { .. });
        let kind = match kind {
            SocketKind::Tcp => Kind::Tcp(Box::new(TcpSocket::new())),
            SocketKind::Udp => Kind::Udp(Datagrams::default()),
            SocketKind::Raw(proto) => Kind::Raw(proto, Datagrams::default()),
            SocketKind::Packet { arp_only } => Kind::Packet(PacketSocket::new(arp_only)),
            SocketKind::Netlink(group) => Kind::Netlink(NetlinkSocket { group, queue: VecDeque::new() }),
        };
        let id = {
            let no_pmtu_disc = self.host.ns(ns).sysctl.ip_no_pmtu_disc() != 0;
            self.host.sockets.insert(ns, owner, kind, no_pmtu_disc)
        };
        if is_packet {
            self.host.count_taps(id, true);
        }
        Ok(id)
    }

    /// `bind(2)`.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL`, `EINVAL` if it is bound, `EAFNOSUPPORT` for IPv6.
    pub fn socket_bind(&mut self, id: SocketId, addr: SocketAddr) -> Result<(), Errno> {
        match self.host.sockets.get(id).map(|socket| &socket.kind) {
            None => Err(Errno::BadF),
            Some(Kind::Packet(_) | Kind::Netlink(_)) => Err(Errno::Inval),
            Some(Kind::Tcp(_) | Kind::Udp(_) | Kind::Raw(..)) => self.inet_bind(id, addr),
        }
    }

    /// `connect(2)`; a TCP socket answers `EINPROGRESS`.
    ///
    /// # Errors
    /// The route's (`ENETUNREACH`, `EHOSTUNREACH`, `EACCES`, `EINVAL`), `EADDRNOTAVAIL`, `EISCONN`,
    /// `EALREADY`; after a failed attempt its error.
    pub fn socket_connect(&mut self, id: SocketId, addr: SocketAddr) -> Result<(), Errno> {
        match self.host.sockets.get(id).map(|socket| &socket.kind) {
            None => Err(Errno::BadF),
            Some(Kind::Packet(_) | Kind::Netlink(_)) => Err(Errno::OpNotSupp),
            Some(Kind::Udp(_) | Kind::Raw(..)) => self.datagram_connect(id, addr),
            Some(Kind::Tcp(_)) => self.tcp_v4_connect(id, addr),
        }
    }

    /// Kernel: `__inet_stream_connect`, `tcp_v4_connect`.
    fn tcp_v4_connect(&mut self, id: SocketId, to: SocketAddr) -> Result<(), Errno> {
        if !to.is_ipv4() {
            return Err(Errno::AfNoSupport);
        }
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        let Kind::Tcp(tcp) = &mut socket.kind else { return Err(Errno::OpNotSupp) };
        match tcp.state {
            State::SynSent | State::SynRecv => return Err(Errno::Already),
            State::Closed => {
                if std::mem::take(&mut tcp.connecting) {
                    socket.sock_error()?;
                    return Err(Errno::ConnRefused);
                }
            }
            State::Listen => return Err(Errno::IsConn),
            State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => {
                return if std::mem::take(&mut tcp.connecting) { Ok(()) } else { Err(Errno::IsConn) };
            }
        }
        self.tcp_forget_attempt(id);
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let ns = socket.netns;
        let flow = socket.flow(to.ip(), to.port(), Proto::TCP);
        let dst = self.host.ip_route_output(ns, &flow, self.now)?;
        if matches!(dst.kind, RouteKind::Broadcast | RouteKind::Multicast) {
            return Err(Errno::NetUnreach);
        }
        let src = if socket.src_addr.is_unspecified() { dst.src } else { socket.src_addr };
        let raddr = if to.ip().is_unspecified() { src } else { to.ip() };
        let tuple = FourTuple { laddr: src, lport: 0, raddr, rport: to.port() };
        let lport = self.inet_hash_connect(id, tuple)?;
        let tuple = FourTuple { lport, ..tuple };
        let ip_id = keyed_hash(self.host.seed, &tuple_words(tuple)) as u16;
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        socket.src_addr = src;
        socket.rcv_addr = src;
        socket.num = lport;
        socket.remote = Some((raddr, to.port()));
        socket.ip_id = ip_id;
        self.host.sockets.hash(ns, tuple, id);
        self.host.sockets.bind(ns, Proto::TCP, lport, id);
        let iss = tcp::secure_seq(self.host.seed, tuple, self.now);
        let ts_offset = tcp::secure_ts(self.host.seed, tuple);
        self.with_tcp(id, |tcp, env| tcp.connect(env, iss, ts_offset));
        Err(Errno::InProgress)
    }

    /// Makes a socket whose last connection is over ready for another. Kernel: `tcp_disconnect`.
    fn tcp_forget_attempt(&mut self, id: SocketId) {
        let Some(socket) = self.host.sockets.get_mut(id) else { return };
        if socket.remote.take().is_none() {
            return;
        }
        if !socket.addr_locked {
            socket.src_addr = ANY;
            socket.rcv_addr = ANY;
        }
        if !socket.port_locked {
            socket.num = 0;
        }
        let rcvbuf = socket.tcp().map(|tcp| tcp.rcvbuf);
        if let (Some(tcp), Some(rcvbuf)) = (socket.tcp_mut(), rcvbuf) {
            *tcp = TcpSocket { rcvbuf, ..TcpSocket::new() };
        }
    }

    /// `listen(2)`.
    ///
    /// # Errors
    /// `EADDRINUSE` if another socket listens there, `EINVAL` if it is connected.
    pub fn socket_listen(&mut self, id: SocketId, backlog: u32) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let Some(tcp) = socket.tcp() else { return Err(Errno::OpNotSupp) };
        let (ns, addr, num) = (socket.netns, socket.rcv_addr, socket.num);
        if !matches!(tcp.state, State::Closed | State::Listen) || socket.remote.is_some() {
            return Err(Errno::Inval);
        }
        if tcp.state == State::Closed {
            if num == 0 {
                self.get_port(id, Proto::TCP, addr, 0)?;
            } else {
                let clash = self.host.sockets.on_port(ns, Proto::TCP, num).any(|other| {
                    other.id != id
                        && other.tcp().is_some_and(|tcp| tcp.state == State::Listen)
                        && !(other.options.reuse_port && socket.options.reuse_port)
                        && (other.rcv_addr == addr
                            || other.rcv_addr.is_unspecified()
                            || addr.is_unspecified())
                        && (other.bound_dev.is_none()
                            || socket.bound_dev.is_none()
                            || other.bound_dev == socket.bound_dev)
                });
                if clash {
                    return Err(Errno::AddrInUse);
                }
            }
        }
        let most = self.host.get_ns(ns).map_or(4096, |ns| ns.sysctl.somaxconn());
        if let Some(tcp) = self.host.sockets.get_mut(id).and_then(Socket::tcp_mut) {
            tcp.state = State::Listen;
            tcp.backlog = backlog.min(most);
        }
        Ok(())
    }

    /// `accept(2)`.
    ///
    /// # Errors
    /// `EAGAIN`, `EINVAL` if it doesn't listen.
    pub fn socket_accept(&mut self, id: SocketId) -> Result<(SocketId, SocketAddr), Errno> {
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        let owner = socket.owner;
        let Some(tcp) = socket.tcp_mut() else { return Err(Errno::OpNotSupp) };
        if tcp.state != State::Listen {
            return Err(Errno::Inval);
        }
        let child_id = tcp.accept_queue.pop_front().ok_or(Errno::Again)?;
        let owner = self.current.or(owner);
        let Some(child) = self.host.sockets.get_mut(child_id) else { return Err(Errno::Again) };
        child.owner = owner;
        let (addr, port) = child.remote.unwrap_or((ANY, 0));
        if let Some(tcp) = child.tcp_mut() {
            tcp.parent = None;
        }
        Ok((child_id, SocketAddr::new(addr, port)))
    }

    /// `sendto(2)`; without `to` the connected address. The number of bytes taken.
    ///
    /// # Errors
    /// Whatever the path answers (`EPERM`, `ENETUNREACH`, `EMSGSIZE`, `ENOBUFS`, …), a pending
    /// error, `EAGAIN`, `EPIPE`, `EDESTADDRREQ`.
    pub fn socket_send(&mut self, id: SocketId, data: &[u8], to: Option<SocketAddr>) -> Result<usize, Errno> {
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        match &socket.kind {
            Kind::Udp(_) => self.udp_send(id, data, to),
            Kind::Raw(..) => self.raw_send(id, data, to),
            Kind::Packet(_) | Kind::Netlink(_) => Err(Errno::OpNotSupp),
            Kind::Tcp(_) => {
                socket.sock_error()?;
                self.with_tcp(id, |tcp, env| tcp.send(env, data)).unwrap_or(Err(Errno::BadF))
            }
        }
    }

    /// Sends a packet whose IP payload is typed by a raw socket. Addresses, TTL and the rest of
    /// the IP header are the socket's unless the header is included.
    ///
    /// # Errors
    /// As [`Self::socket_send`].
    pub fn socket_send_packet(&mut self, id: SocketId, packet: Packet) -> Result<(), Errno> {
        self.raw_send_packet(id, packet)
    }

    /// Sends a frame by a packet socket's device.
    ///
    /// # Errors
    /// `ENXIO` without a device, `ENETDOWN`, `EMSGSIZE`, `ENOBUFS`.
    pub fn socket_send_frame(&mut self, id: SocketId, frame: Frame) -> Result<(), Errno> {
        self.packet_send(id, frame)
    }

    /// `recvmsg(2)`. Empty data on a TCP socket means the end.
    ///
    /// # Errors
    /// `EAGAIN`, a pending error, `ENOTCONN`.
    pub fn socket_recv(&mut self, id: SocketId, max: usize) -> Result<Received, Errno> {
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        match &mut socket.kind {
            Kind::Udp(_) | Kind::Raw(..) => {
                socket.sock_error()?;
                let mut received = socket.datagrams_mut().and_then(Datagrams::pop).ok_or(Errno::Again)?;
                received.data.truncate(max);
                self.host.relay = received.id.map(Relay::FromSocket);
                Ok(received)
            }
            Kind::Packet(_) | Kind::Netlink(_) => Err(Errno::OpNotSupp),
            Kind::Tcp(tcp) => {
                if tcp.received.is_empty() && !tcp.done {
                    socket.sock_error()?;
                }
                let (addr, port) = socket.remote.unwrap_or((ANY, 0));
                let (dst, now) = (socket.src_addr, self.now);
                let data = self.with_tcp(id, |tcp, env| tcp.recv(env, max)).unwrap_or(Err(Errno::BadF))?;
                let from = SocketAddr::new(addr, port);
                Ok(Received { data, from, packet: None, ttl: 0, dst, dev: None, at: now, id: None })
            }
        }
    }

    /// Takes a captured frame from a packet socket.
    ///
    /// # Errors
    /// `EAGAIN`, `ENETDOWN` once after its device went down.
    pub fn socket_recv_frame(&mut self, id: SocketId) -> Result<Captured, Errno> {
        self.packet_recv(id)
    }

    /// Takes an entry of the error queue (`MSG_ERRQUEUE`).
    pub fn socket_recv_error(&mut self, id: SocketId) -> Option<SocketError> {
        self.host.sockets.get_mut(id)?.sock_dequeue_err()
    }

    /// `setsockopt(2)`.
    ///
    /// # Errors
    /// `ENODEV` for a device that doesn't exist, `EINVAL`.
    pub fn socket_set_option(&mut self, id: SocketId, option: SocketOption) -> Result<(), Errno> {
        self.sock_setsockopt(id, option)
    }

    /// `getsockopt(SO_ERROR)`: takes the pending error.
    pub fn socket_take_error(&mut self, id: SocketId) -> Option<Errno> {
        self.host.sockets.get_mut(id)?.error.take()
    }

    /// `shutdown(SHUT_WR)`.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn socket_shutdown_write(&mut self, id: SocketId) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        match &socket.kind {
            Kind::Tcp(_) => self.with_tcp(id, |tcp, env| tcp.shutdown_write(env)).unwrap_or(Err(Errno::BadF)),
            Kind::Udp(_) | Kind::Raw(..) if socket.remote.is_some() => Ok(()),
            Kind::Udp(_) | Kind::Raw(..) | Kind::Packet(_) | Kind::Netlink(_) => Err(Errno::NotConn),
        }
    }

    /// `close(2)` of the last descriptor.
    pub fn socket_close(&mut self, id: SocketId) {
        let Some(socket) = self.host.sockets.get(id) else { return };
        match &socket.kind {
            Kind::Udp(_) | Kind::Raw(..) | Kind::Netlink(_) => {
                self.host.sockets.remove(id);
            }
            Kind::Packet(_) => {
                self.host.set_packet_promisc(id, false);
                self.host.count_taps(id, false);
                self.host.sockets.remove(id);
            }
            Kind::Tcp(tcp) => {
                let children: Vec<SocketId> = tcp.accept_queue.iter().copied().collect();
                let requests = tcp.syn_queue.clone();
                let linger_zero = socket.options.linger_zero;
                for request in requests {
                    self.host.sockets.remove(request);
                }
                // Nobody will accept these. Kernel: `inet_csk_listen_stop`.
                for child in children {
                    self.with_tcp(child, |tcp, env| {
                        tcp.parent = None;
                        tcp.close(env, true);
                    });
                }
                self.with_tcp(id, |tcp, env| tcp.close(env, linger_zero));
            }
        }
    }

    /// A timer of a socket fires.
    pub fn socket_timer(&mut self, _ns: NetnsId, id: SocketId, _which: u8, generation: u64) {
        self.tcp_timer(id, generation);
    }

    /// Destroys the sockets of a namespace that is being deleted. Kernel: `tcp_net_ops` and kin.
    pub fn sockets_netns_gone(&mut self, ns: NetnsId) {
        let ids: Vec<SocketId> =
            self.host.sockets.iter().filter(|socket| socket.netns == ns).map(|socket| socket.id).collect();
        for id in ids {
            self.host.sockets.remove(id);
        }
    }
}
