//! TCP over IPv4: from packets to connections and back. Kernel: `net/ipv4/tcp_ipv4.c`.

use std::net::IpAddr;
use std::time::Duration;

use packet::{
    Body, Frag, Icmp, IcmpError, NetnsId, Packet, Payload, Pid, Proto, SimTime, SkOwner, Skb, Tcp, TcpFlags,
};
use trace::{DropReason, Observer, Relation, StepKind};

use super::listen::Request;
use super::{Ending, Env, Metrics, Segment, Settings, State, TcpSocket, Verdict, after, before, seq_len};
use crate::path::{Dst, Flow};
use crate::socket::SocketId;
use crate::socket::icmp_error::{FRAG_NEEDED, icmp_err_convert, ip_icmp_error};
use crate::socket::table::{FourTuple, Kind, Socket, keyed_hash, tuple_words};
use crate::{Cx, Effect, Errno, Fate, Host, PathResult, RouteKind, RouteMetric, Timer};

/// What a segment takes from its socket when it becomes a packet.
struct Wrapping {
    tuple: FourTuple,
    owner: Option<Pid>,
    ttl: u8,
    tos: u8,
    mark: u32,
    df: bool,
    /// Identification of the first segment; the others count on from it.
    id: Option<u16>,
}

impl Socket {
    /// What a route for this socket's packets is looked up by. Kernel: `ip_route_output_ports`.
    pub(in crate::socket) fn flow(&self, dst: IpAddr, dport: u16, proto: Proto) -> Flow {
        Flow {
            dst,
            src: (!self.src_addr.is_unspecified()).then_some(self.src_addr),
            iif: None,
            oif: self.bound_dev,
            mark: self.options.mark,
            tos: self.options.tos,
            proto,
            sport: if proto == Proto::TCP || proto == Proto::UDP { self.num } else { 0 },
            dport,
            onlink_only: self.options.dont_route,
            any_src: false,
        }
    }
}

impl Host {
    /// TTL of packets whose sender doesn't set one: the route's, or `net.ipv4.ip_default_ttl`.
    /// Kernel: `include/net/route.h`, `ip4_dst_hoplimit`.
    pub(crate) fn dst_hoplimit(&self, ns: NetnsId, dst: Option<&Dst>) -> u8 {
        match dst.map_or(0, |dst| dst.metric(RouteMetric::HOPLIMIT)) {
            0 => self.get_ns(ns).map_or(64, |ns| ns.sysctl.ip_default_ttl()),
            limit => u8::try_from(limit).unwrap_or(u8::MAX),
        }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Settings of the namespace that TCP looks at.
    fn tcp_settings(&self, ns: NetnsId) -> Settings {
        let Some(ns) = self.host.get_ns(ns) else { return Settings::default() };
        let sysctl = &ns.sysctl;
        Settings {
            syn_retries: u32::from(sysctl.tcp_syn_retries()),
            syn_linear_timeouts: u32::from(sysctl.tcp_syn_linear_timeouts()),
            synack_retries: u32::from(sysctl.tcp_synack_retries()),
            retries2: u32::from(sysctl.tcp_retries2()),
            fin_timeout: Duration::from_secs(u64::from(sysctl.tcp_fin_timeout())),
            timestamps: sysctl.tcp_timestamps(),
            sack: sysctl.tcp_sack(),
            window_scaling: sysctl.tcp_window_scaling(),
            retries1: u32::from(sysctl.tcp_retries1()),
            min_snd_mss: sysctl.tcp_min_snd_mss(),
            mtu_probing: sysctl.tcp_mtu_probing(),
            base_mss: sysctl.tcp_base_mss(),
            mtu_probe_floor: sysctl.tcp_mtu_probe_floor(),
            probe_threshold: sysctl.tcp_probe_threshold(),
            probe_interval: Duration::from_secs(u64::from(sysctl.tcp_probe_interval())),
        }
    }

    /// Runs the state machine of `id` and does what it asks for: sends its segments, arms its
    /// timer, wakes its process, moves what is left of it to TIME_WAIT.
    pub(in crate::socket) fn with_tcp<R>(
        &mut self,
        id: SocketId,
        run: impl FnOnce(&mut TcpSocket, &mut Env) -> R,
    ) -> Option<R> {
        let mut socket = self.host.sockets.take(id)?;
        let settings = self.tcp_settings(socket.netns);
        let dst = socket.remote.and_then(|(addr, port)| {
            let flow = socket.flow(addr, port, Proto::TCP);
            self.host.ip_route_output(socket.netns, &flow, self.now).ok()
        });
        let mut out = Vec::new();
        let route = dst.as_ref().map(|dst| self.tcp_metrics(socket.netns, dst));
        let mut env = Env { now: self.now, ids: self.ids, out: &mut out, route, settings };
        let result = socket.tcp_mut().map(|tcp| {
            let result = run(tcp, &mut env);
            tcp.answering = None;
            result
        });
        self.tcp_after(socket, out, dst, settings);
        result
    }

    /// Carries out what an event left in the socket, and puts it back.
    fn tcp_after(
        &mut self,
        mut socket: Box<Socket>,
        out: Vec<Segment>,
        dst: Option<Dst>,
        settings: Settings,
    ) {
        let (id, ns) = (socket.id, socket.netns);
        let ttl = self.host.dst_hoplimit(ns, dst.as_ref());
        let wrapping = Self::wrapping(&mut socket, out.len(), ttl);
        let Kind::Tcp(tcp) = &mut socket.kind else {
            self.host.sockets.put(socket);
            return;
        };
        if let Some(errno) = tcp.error.take() {
            socket.error = Some(errno);
        }
        if std::mem::take(&mut tcp.wake) && !tcp.orphan && tcp.parent.is_none() {
            self.effects.push(Effect::Wake(id));
        }
        let ending = std::mem::take(&mut tcp.ending);
        let rest = match ending {
            Ending::TimeWait(state, timeout) => {
                let mut none = Vec::new();
                let env = Env { now: self.now, ids: self.ids, out: &mut none, route: None, settings };
                Some(tcp.to_time_wait(&env, state, timeout))
            }
            Ending::No | Ending::Done => None,
        };
        if ending == Ending::No {
            self.arm_socket(&mut socket);
            self.host.sockets.put(socket);
        } else {
            self.tcp_ended(socket, rest);
        }
        if let Some(wrapping) = wrapping {
            self.send_segments(ns, wrapping, out, dst);
        }
    }

    /// The connection is over: forgets it, keeps what a process still has open, and leaves `rest`
    /// in its place. Kernel: `tcp_done`, `tcp_time_wait`.
    fn tcp_ended(&mut self, mut socket: Box<Socket>, rest: Option<TcpSocket>) {
        let sockets = &mut self.host.sockets;
        sockets.unhash(&socket);
        let (id, ns, num) = (socket.id, socket.netns, socket.num);
        let Kind::Tcp(tcp) = &socket.kind else { return };
        let (orphan, parent) = (tcp.orphan, tcp.parent);
        let requested = parent.is_some_and(|parent| {
            sockets.get(parent).and_then(Socket::tcp).is_none_or(|parent| !parent.accept_queue.contains(&id))
        });
        if let (Some(rest), Some(tuple)) = (rest, socket.four_tuple()) {
            let rest_id = sockets.insert(ns, None, Kind::Tcp(Box::new(rest)), false);
            if let Some(mut rest) = sockets.take(rest_id) {
                rest.rcv_addr = socket.rcv_addr;
                rest.src_addr = socket.src_addr;
                rest.num = num;
                rest.remote = socket.remote;
                rest.bound_dev = socket.bound_dev;
                rest.options = socket.options.clone();
                self.arm_socket(&mut rest);
                self.host.sockets.put(rest);
            }
            self.host.sockets.hash(ns, tuple, rest_id);
            self.host.sockets.bind(ns, Proto::TCP, num, rest_id);
        }
        let sockets = &mut self.host.sockets;
        if orphan || requested {
            sockets.unbind(&socket);
            if let Some(parent) = parent.and_then(|parent| sockets.get_mut(parent)).and_then(Socket::tcp_mut)
            {
                parent.syn_queue.retain(|&other| other != id);
            }
            return;
        }
        if !socket.port_locked {
            sockets.unbind(&socket);
        }
        socket.timer = None;
        sockets.put(socket);
    }

    /// Arms the socket's timer for its earliest deadline, unless an earlier event is under way.
    fn arm_socket(&mut self, socket: &mut Socket) {
        let Some(next) = socket.tcp().and_then(TcpSocket::next_deadline) else { return };
        if socket.timer.is_some_and(|armed| armed <= next) {
            return;
        }
        socket.timer_generation += 1;
        socket.timer = Some(next);
        let timer = Timer::Socket {
            netns: socket.netns,
            socket: socket.id,
            which: 0,
            generation: socket.timer_generation,
        };
        self.effects.push(Effect::Timer { at: next, timer });
    }

    /// A timer event of a TCP socket.
    pub(in crate::socket) fn tcp_timer(&mut self, id: SocketId, generation: u64) {
        let Some(socket) = self.host.sockets.get_mut(id) else { return };
        if socket.timer_generation != generation {
            return;
        }
        socket.timer = None;
        self.with_tcp(id, |tcp, env| tcp.on_timer(env));
    }

    /// What the socket's segments have in common as packets; takes `count` identifications.
    fn wrapping(socket: &mut Socket, count: usize, default_ttl: u8) -> Option<Wrapping> {
        let tuple = socket.four_tuple()?;
        let tcp = socket.tcp()?;
        let requested = tcp.state == State::SynRecv && tcp.parent.is_some();
        let counted = !(tcp.time_wait || requested);
        let id = counted.then_some(socket.ip_id);
        if counted {
            socket.ip_id = socket.ip_id.wrapping_add(count as u16);
        }
        Some(Wrapping {
            tuple,
            owner: socket.owner,
            ttl: socket.options.ttl.unwrap_or(default_ttl),
            tos: socket.options.tos,
            mark: socket.options.mark,
            df: true,
            id,
        })
    }

    /// Sends segments of one connection. Kernel: `net/ipv4/ip_output.c`, `__ip_queue_xmit`.
    fn send_segments(&mut self, ns: NetnsId, wrapping: Wrapping, out: Vec<Segment>, dst: Option<Dst>) {
        let Wrapping { tuple, owner, ttl, tos, mark, df, id } = wrapping;
        for (n, segment) in out.into_iter().enumerate() {
            let Segment { id: packet_id, mut tcp, parent } = segment;
            tcp.sport = tuple.lport;
            tcp.dport = tuple.rport;
            let mut packet = Packet::new(tuple.laddr, tuple.raddr, Body::Tcp(tcp));
            packet.ttl = ttl;
            packet.tos = tos;
            packet.frag = Frag { df, ..Frag::default() };
            packet.id = id.map_or(0, |id| id.wrapping_add(n as u16));
            let dev = match (&dst, self.host.get_ns(ns)) {
                (Some(dst), _) => dst.dev,
                (None, Some(ns)) => ns.loopback,
                (None, None) => return,
            };
            let mut skb = Skb::from_ip(packet_id, dev, packet);
            skb.mark = mark;
            skb.sk = if owner.is_some() { SkOwner::Process } else { SkOwner::Kernel };
            let current = std::mem::replace(&mut self.current, owner);
            self.emit_created(&skb, ns, parent.as_slice());
            self.current = current;
            let result = match &dst {
                Some(dst) => self.ip_local_out(ns, skb, dst.clone()),
                None => Err(self.dropped(ns, &skb, DropReason::IpOutNoRoutes)),
            };
            let _ = self.finish(result);
        }
    }

    /// Takes a TCP segment for this host. Kernel: `tcp_v4_rcv`.
    pub fn tcp_v4_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        if !matches!(skb.pkt_type, packet::PktType::Host | packet::PktType::Loopback) {
            return Err(self.dropped(ns, &skb, DropReason::UnicastInL2Multicast));
        }
        let Body::Tcp(tcp) = &skb.ip().body else {
            return Err(self.dropped(ns, &skb, DropReason::PktTooSmall));
        };
        let tuple =
            FourTuple { laddr: skb.ip().dst(), lport: tcp.dport, raddr: skb.ip().src(), rport: tcp.sport };
        let tcp = tcp.clone();
        let sockets = &self.host.sockets;
        let (verdict, taker) = if let Some(id) = sockets.lookup_established(ns, tuple, skb.inet_iif()) {
            let taker = self.taker(id);
            (self.tcp_v4_do_rcv(ns, &skb, id, &tcp), taker)
        } else if let Some(id) = sockets.lookup_listener(ns, tuple.laddr, tuple.lport, skb.inet_iif()) {
            let taker = self.taker(id);
            (self.rcv_listen(ns, &skb, id, &tcp, None), taker)
        } else {
            (Verdict::Reset(DropReason::NoSocket), None)
        };
        match verdict {
            // A RST that was believed has done what it came for.
            Verdict::Taken | Verdict::Drop(DropReason::TcpReset) => {
                if let Some((to, socket)) = taker {
                    self.emit(skb.id, ns, Some(skb.dev), || StepKind::Deliver { to, socket });
                }
                Ok(Fate::Delivered)
            }
            Verdict::Drop(reason) => Err(self.dropped(ns, &skb, reason)),
            Verdict::Reset(reason) => {
                self.tcp_v4_send_reset(ns, &skb, &tcp);
                Err(self.dropped(ns, &skb, reason))
            }
            Verdict::Reopen(_) => Err(self.dropped(ns, &skb, DropReason::TcpInvalidSyn)),
        }
    }

    /// Gives a segment to the socket of its connection. Kernel: `tcp_v4_do_rcv`, and for requests
    /// and TIME_WAIT the rest of `tcp_v4_rcv`.
    fn tcp_v4_do_rcv(&mut self, ns: NetnsId, skb: &Skb, id: SocketId, tcp: &Tcp) -> Verdict {
        let packet = skb.id;
        let Some(socket) = self.host.sockets.get(id).and_then(Socket::tcp) else {
            return Verdict::Drop(DropReason::SocketClose);
        };
        if socket.time_wait {
            let verdict = self
                .with_tcp(id, |socket, env| {
                    socket.answering = Some(packet);
                    socket.timewait_state_process(env, tcp)
                })
                .unwrap_or(Verdict::Drop(DropReason::SocketClose));
            let Verdict::Reopen(iss) = verdict else { return verdict };
            let (dst, port) = (skb.ip().dst(), tcp.dport);
            let Some(listener) = self.host.sockets.lookup_listener(ns, dst, port, skb.inet_iif()) else {
                return Verdict::Reset(DropReason::NoSocket);
            };
            self.host.sockets.remove(id);
            return self.rcv_listen(ns, skb, listener, tcp, Some(iss));
        }
        if let (State::SynRecv, Some(parent)) = (socket.state, socket.parent) {
            return self.rcv_request(ns, skb, id, parent, tcp);
        }
        let confirmed = tcp.flags.contains(TcpFlags::ACK).then_some(socket.snd_una);
        let verdict = self
            .with_tcp(id, |socket, env| {
                socket.answering = Some(packet);
                socket.rcv_state_process(env, tcp)
            })
            .unwrap_or(Verdict::Drop(DropReason::SocketClose));
        if confirmed.is_some_and(|una| after(tcp.ack, una)) {
            self.dst_confirm(id);
        }
        verdict
    }

    /// Progress of a connection proves that its next hop is alive. Kernel: `sk_dst_confirm`.
    fn dst_confirm(&mut self, id: SocketId) {
        let Some(socket) = self.host.sockets.get(id) else { return };
        let (ns, Some((addr, port))) = (socket.netns, socket.remote) else { return };
        let flow = socket.flow(addr, port, Proto::TCP);
        if let Ok(dst) = self.host.ip_route_output(ns, &flow, self.now) {
            self.neigh_confirm(ns, dst.dev, dst.gateway.unwrap_or(addr));
        }
    }

    /// A segment for a connection that is being made. Kernel: `tcp_check_req`.
    fn rcv_request(&mut self, ns: NetnsId, skb: &Skb, id: SocketId, parent: SocketId, tcp: &Tcp) -> Verdict {
        let packet = skb.id;
        let Some(listener) = self.host.sockets.get(parent).and_then(Socket::tcp) else {
            self.host.sockets.remove(id);
            return Verdict::Reset(DropReason::NoSocket);
        };
        let full = listener.accept_queue.len() > listener.backlog as usize;
        let request = self.with_tcp(id, |socket, env| {
            socket.answering = Some(packet);
            socket.check_request(env, tcp)
        });
        match request {
            Some(Request::Stay(verdict)) => verdict,
            Some(Request::Complete) if full => {
                if self.host.get_ns(ns).is_some_and(|ns| ns.sysctl.tcp_abort_on_overflow()) {
                    self.forget_request(id, parent);
                    return Verdict::Reset(DropReason::TcpListenOverflow);
                }
                Verdict::Drop(DropReason::TcpListenOverflow)
            }
            Some(Request::Complete) => {
                if let Some(listener) = self.host.sockets.get_mut(parent).and_then(Socket::tcp_mut) {
                    listener.syn_queue.retain(|&other| other != id);
                    listener.accept_queue.push_back(id);
                }
                self.effects.push(Effect::Wake(parent));
                let verdict = self.with_tcp(id, |socket, env| {
                    socket.answering = Some(packet);
                    socket.rcv_state_process(env, tcp)
                });
                verdict.unwrap_or(Verdict::Drop(DropReason::SocketClose))
            }
            Some(Request::Forget(verdict)) => {
                self.forget_request(id, parent);
                verdict
            }
            None => Verdict::Drop(DropReason::SocketClose),
        }
    }

    /// Ends a request without a word. Kernel: `inet_csk_reqsk_queue_drop`.
    fn forget_request(&mut self, id: SocketId, parent: SocketId) {
        self.host.sockets.remove(id);
        if let Some(listener) = self.host.sockets.get_mut(parent).and_then(Socket::tcp_mut) {
            listener.syn_queue.retain(|&other| other != id);
        }
    }

    /// A segment for a listener. Kernel: `tcp_rcv_state_process` in LISTEN, `tcp_conn_request`.
    fn rcv_listen(&mut self, ns: NetnsId, skb: &Skb, id: SocketId, tcp: &Tcp, iss: Option<u32>) -> Verdict {
        let has = |flag| tcp.flags.contains(flag);
        if has(TcpFlags::ACK) {
            return Verdict::Reset(DropReason::TcpFlags);
        }
        if has(TcpFlags::RST) {
            return Verdict::Drop(DropReason::TcpReset);
        }
        if !has(TcpFlags::SYN) || has(TcpFlags::FIN) {
            return Verdict::Drop(DropReason::TcpFlags);
        }
        let Some(listener) = self.host.sockets.get(id) else { return Verdict::Drop(DropReason::SocketClose) };
        let Some(listening) = listener.tcp() else { return Verdict::Drop(DropReason::SocketClose) };
        if listening.accept_queue.len() > listening.backlog as usize {
            return Verdict::Drop(DropReason::TcpListenOverflow);
        }
        let tuple =
            FourTuple { laddr: skb.ip().dst(), lport: tcp.dport, raddr: skb.ip().src(), rport: tcp.sport };
        let mut flow = listener.flow(tuple.raddr, tuple.rport, Proto::TCP);
        flow.src = Some(tuple.laddr);
        let (owner, options, bound_dev) = (listener.owner, listener.options.clone(), listener.bound_dev);
        let rcvbuf = listening.rcvbuf;
        if !matches!(self.host.inet_addr_type(ns, tuple.laddr), RouteKind::Local) {
            return Verdict::Drop(DropReason::TcpFlags);
        }
        let Ok(dst) = self.host.ip_route_output(ns, &flow, self.now) else {
            return Verdict::Drop(DropReason::IpOutNoRoutes);
        };
        let iss = iss.unwrap_or_else(|| secure_seq(self.host.seed, tuple, self.now));
        let ts_offset = secure_ts(self.host.seed, tuple);
        let route = Some(self.tcp_metrics(ns, &dst));
        let settings = self.tcp_settings(ns);
        let mut none = Vec::new();
        let mut env = Env { now: self.now, ids: self.ids, out: &mut none, route, settings };
        let mut child = TcpSocket::from_syn(&mut env, tcp, iss, ts_offset, rcvbuf);
        child.parent = Some(id);
        let ip_id = keyed_hash(self.host.seed, &tuple_words(tuple)) as u16;
        let no_pmtu_disc = self.host.ns(ns).sysctl.ip_no_pmtu_disc() != 0;
        let child_id = self.host.sockets.insert(ns, owner, Kind::Tcp(Box::new(child)), no_pmtu_disc);
        if let Some(child) = self.host.sockets.get_mut(child_id) {
            child.rcv_addr = tuple.laddr;
            child.src_addr = tuple.laddr;
            child.num = tuple.lport;
            child.remote = Some((tuple.raddr, tuple.rport));
            child.bound_dev = bound_dev;
            child.options = options;
            child.ip_id = ip_id;
        }
        self.host.sockets.hash(ns, tuple, child_id);
        self.host.sockets.bind(ns, Proto::TCP, tuple.lport, child_id);
        if let Some(listener) = self.host.sockets.get_mut(id).and_then(Socket::tcp_mut) {
            listener.syn_queue.push(child_id);
        }
        let packet = skb.id;
        self.with_tcp(child_id, |socket, env| {
            socket.answering = Some(packet);
            socket.send_syn(env);
        });
        Verdict::Taken
    }

    /// What a route says to TCP.
    fn tcp_metrics(&self, ns: NetnsId, dst: &Dst) -> Metrics {
        // Kernel: `dst_metric_advmss`, `ipv4_default_advmss`.
        const HEADERS: u32 = 40;
        const MAX_PMTU: u32 = 65535;
        let least = self.host.get_ns(ns).map_or(0, |ns| ns.sysctl.route_min_adv_mss());
        let default = dst.mtu.saturating_sub(HEADERS).max(least).min(MAX_PMTU - HEADERS);
        Metrics {
            mtu: dst.mtu,
            advmss: dst.advmss.filter(|&advmss| advmss != 0).unwrap_or(default),
            window: dst.metric(RouteMetric::WINDOW),
            init_cwnd: dst.metric(RouteMetric::INITCWND),
            init_rwnd: dst.metric(RouteMetric::INITRWND),
            quickack: dst.metric(RouteMetric::QUICKACK),
        }
    }

    /// Answers a segment that belongs to nothing. Kernel: `tcp_v4_send_reset`.
    fn tcp_v4_send_reset(&mut self, ns: NetnsId, skb: &Skb, tcp: &Tcp) {
        if tcp.flags.contains(TcpFlags::RST) {
            return;
        }
        if !matches!(self.host.inet_addr_type(ns, skb.ip().dst()), RouteKind::Local) {
            return;
        }
        let (seq, ack, flags) = if tcp.flags.contains(TcpFlags::ACK) {
            (tcp.ack, 0, TcpFlags::RST)
        } else {
            (0, tcp.seq.wrapping_add(seq_len(tcp)), TcpFlags::RST | TcpFlags::ACK)
        };
        let reset =
            Tcp { sport: 0, dport: 0, seq, ack, flags, window: 0, options: None, payload: Payload::EMPTY };
        let tuple =
            FourTuple { laddr: skb.ip().dst(), lport: tcp.dport, raddr: skb.ip().src(), rport: tcp.sport };
        let flow = Flow {
            dst: tuple.raddr,
            src: Some(tuple.laddr),
            iif: None,
            oif: None,
            mark: 0,
            tos: skb.ip().tos,
            proto: Proto::TCP,
            sport: tuple.lport,
            dport: tuple.rport,
            onlink_only: false,
            any_src: false,
        };
        let Ok(dst) = self.host.ip_route_output(ns, &flow, self.now) else { return };
        let ttl = self.host.dst_hoplimit(ns, Some(&dst));
        let wrapping = Wrapping { tuple, owner: None, ttl, tos: skb.ip().tos, mark: 0, df: true, id: None };
        let segment =
            Segment { id: self.ids.next_id(), tcp: reset, parent: Some((Relation::ReplyTo, skb.id)) };
        self.send_segments(ns, wrapping, vec![segment], Some(dst));
    }

    /// An ICMP error quotes a TCP segment of this host; `skb` is the ICMP message.
    /// Kernel: `tcp_v4_err`.
    pub fn tcp_v4_err(&mut self, ns: NetnsId, skb: &Skb, error: &IcmpError) {
        let quoted = &error.quoted.packet;
        let Some((sport, dport, seq)) = quoted_tcp(quoted) else { return };
        let tuple = FourTuple { laddr: quoted.src(), lport: sport, raddr: quoted.dst(), rport: dport };
        let Some(id) = self.host.sockets.connection(ns, tuple) else { return };
        let Some(tcp) = self.host.sockets.get(id).and_then(Socket::tcp) else { return };
        if tcp.time_wait || tcp.state == State::Closed {
            return;
        }
        if let (State::SynRecv, Some(parent)) = (tcp.state, tcp.parent) {
            let aborts = matches!(
                (error.kind, error.code),
                (Icmp::PARAMETER_PROBLEM | Icmp::TIME_EXCEEDED, _) | (Icmp::UNREACHABLE, 0 | 1)
            );
            if seq == tcp.iss && aborts {
                self.forget_request(id, parent);
            }
            return;
        }
        if before(seq, tcp.snd_una) || after(seq, tcp.snd_nxt) {
            return;
        }
        let errno = match (error.kind, error.code) {
            (Icmp::PARAMETER_PROBLEM, _) => Errno::Proto,
            (Icmp::TIME_EXCEEDED, _) => Errno::HostUnreach,
            (Icmp::UNREACHABLE, FRAG_NEEDED) => {
                self.tcp_v4_mtu_reduced(ns, id, tuple.raddr, error.rest & 0xffff);
                return;
            }
            (Icmp::UNREACHABLE, code) => match icmp_err_convert(code) {
                Some((errno, _)) => errno,
                None => return,
            },
            _ => return,
        };
        let opening = matches!(tcp.state, State::SynSent | State::SynRecv);
        let entry = ip_icmp_error(skb, error, errno, self.now);
        let Some(socket) = self.host.sockets.get_mut(id) else { return };
        let reports = socket.options.recv_err;
        if reports {
            socket.error_queue.push_back(entry);
        }
        if reports && !opening {
            socket.error = Some(errno);
        }
        self.with_tcp(id, |tcp, _| {
            if opening {
                tcp.tcp_done_with_error(errno);
            } else if reports {
                tcp.wake = true;
            } else {
                tcp.soft_error = Some(errno);
            }
        });
    }

    /// A router wants shorter packets. Kernel: `tcp_v4_mtu_reduced`.
    fn tcp_v4_mtu_reduced(&mut self, ns: NetnsId, id: SocketId, dst: IpAddr, mtu: u32) {
        self.update_pmtu(ns, dst, mtu);
        self.with_tcp(id, |tcp, env| {
            if let Some(pmtu) = env.pmtu()
                && tcp.pmtu > pmtu
            {
                tcp.sync_mss(&env.settings, pmtu);
                tcp.simple_retransmit(env);
            }
        });
    }

    /// Records that `id` took `skb`.
    pub(in crate::socket) fn deliver(&mut self, ns: NetnsId, skb: &Skb, id: SocketId) {
        let Some((to, socket)) = self.taker(id) else { return };
        self.emit(skb.id, ns, Some(skb.dev), || StepKind::Deliver { to, socket });
    }

    /// Who owns a socket and what a trace calls it, if anyone watches. Asked before a segment is
    /// worked on, as that may end the socket.
    fn taker(&self, id: SocketId) -> Option<(Option<packet::Pid>, String)> {
        if !O::ON {
            return None;
        }
        self.host.sockets.get(id).map(|socket| (socket.owner, socket.describe()))
    }
}

/// Ports and sequence number of a quoted segment, which may be cut after them.
fn quoted_tcp(quoted: &Packet) -> Option<(u16, u16, u32)> {
    match &quoted.body {
        Body::Tcp(tcp) => Some((tcp.sport, tcp.dport, tcp.seq)),
        Body::Bytes(Proto::TCP, bytes) | Body::Fragment(Proto::TCP, bytes) => {
            let word = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
            let seq = bytes.get(4..8).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))?;
            Some((word(0)?, word(2)?, seq))
        }
        Body::Udp(_) | Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => None,
    }
}

/// The first sequence number of a connection: a hash, moving on by one each 64 ns.
/// Kernel: `net/core/secure_seq.c`, `secure_tcp_seq`.
pub(in crate::socket) fn secure_seq(seed: u64, tuple: FourTuple, now: SimTime) -> u32 {
    (keyed_hash(seed, &tuple_words(tuple)) as u32).wrapping_add((now.as_nanos() >> 6) as u32)
}

/// Where the timestamp clock of a connection starts. Kernel: `secure_tcp_ts_off`.
pub(in crate::socket) fn secure_ts(seed: u64, tuple: FourTuple) -> u32 {
    let [laddr, _, raddr, ..] = tuple_words(tuple);
    keyed_hash(seed, &[0x7473, laddr, raddr]) as u32
}
