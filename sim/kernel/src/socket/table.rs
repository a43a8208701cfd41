use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use packet::{DevId, NetnsId, Pid, Proto};
use rustc_hash::FxHashMap;

use super::af_packet::PacketSocket;
use super::datagram::Datagrams;
use super::netlink::NetlinkSocket;
use super::tcp::{State, TcpSocket};
use super::{MtuDiscover, SocketError, SocketId};
use crate::Errno;

/// Kernel: `net.core.rmem_default`, bytes.
pub(super) const RMEM_DEFAULT: u32 = 212_992;
/// Kernel: `net.core.rmem_max`, bytes.
pub(super) const RMEM_MAX: u32 = 4_194_304;

/// All sockets of a host, and where each can be found by what a packet says.
#[derive(Clone, Debug, Default)]
pub struct Sockets {
    last: u32,
    sockets: BTreeMap<SocketId, Box<Socket>>,
    /// TCP sockets with a peer. Kernel: `tcp_hashinfo.ehash`.
    established: FxHashMap<(NetnsId, FourTuple), SocketId>,
    /// TCP and UDP sockets by own port, newest first. Kernel: `bhash`, `udp_table`.
    bound: FxHashMap<(NetnsId, Proto, u16), Vec<SocketId>>,
    /// Raw sockets by protocol, newest first. Kernel: `raw_v4_hashinfo`.
    raw: BTreeMap<(NetnsId, Proto), Vec<SocketId>>,
    /// Packet sockets, oldest first. Kernel: `ptype_all`.
    packet: Vec<SocketId>,
    /// Netlink sockets, oldest first.
    netlink: Vec<SocketId>,
    /// Calls of each random stream so far.
    draws: u64,
    /// Where the search for a free port goes on. Kernel: `table_perturb`, `RFC 6056`.
    pub(super) perturb: BTreeMap<u8, u32>,
}

/// A connection as its own end sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FourTuple {
    /// Own address.
    pub laddr: IpAddr,
    /// Own port.
    pub lport: u16,
    /// The other end's address.
    pub raddr: IpAddr,
    /// The other end's port.
    pub rport: u16,
}

/// One socket. Kernel: `struct inet_sock`.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub id: SocketId,
    pub netns: NetnsId,
    pub owner: Option<Pid>,
    pub kind: Kind,
    /// The address packets are received for; unspecified is any. Kernel: `inet_rcv_saddr`.
    pub rcv_addr: IpAddr,
    /// The address packets are sent from; unspecified lets the route choose. Kernel: `inet_saddr`.
    pub src_addr: IpAddr,
    /// The address was chosen by `bind`. Kernel: `SOCK_BINDADDR_LOCK`.
    pub addr_locked: bool,
    /// The port was chosen by `bind`. Kernel: `SOCK_BINDPORT_LOCK`.
    pub port_locked: bool,
    /// Own port, or a raw socket's protocol; 0 is none. Kernel: `inet_num`.
    pub num: u16,
    /// The other end.
    pub remote: Option<(IpAddr, u16)>,
    /// Kernel: `sk_bound_dev_if`.
    pub bound_dev: Option<DevId>,
    pub options: Options,
    /// Kernel: `sk_err`.
    pub error: Option<Errno>,
    /// Kernel: `sk_error_queue`.
    pub error_queue: VecDeque<SocketError>,
    /// Identification of the next packet to the other end. Kernel: `inet_id`.
    pub ip_id: u16,
    /// When the timer event under way comes.
    pub timer: Option<packet::SimTime>,
    /// Number of the timer event under way.
    pub timer_generation: u64,
}

/// What the protocols keep.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Udp(Datagrams),
    Raw(Proto, Datagrams),
    Packet(PacketSocket),
    Netlink(NetlinkSocket),
    Tcp(Box<TcpSocket>),
}

/// What `setsockopt(2)` sets.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub mark: u32,
    pub reuse_addr: bool,
    pub reuse_port: bool,
    pub broadcast: bool,
    pub dont_route: bool,
    pub linger_zero: bool,
    pub ttl: Option<u8>,
    pub tos: u8,
    pub mtu_discover: MtuDiscover,
    pub recv_err: bool,
    pub header_included: bool,
    pub ip_options: Vec<u8>,
    pub multicast_loop: bool,
    /// Kernel: `sk_rcvbuf`, bytes.
    pub rcvbuf: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mark: 0,
            reuse_addr: false,
            reuse_port: false,
            broadcast: false,
            dont_route: false,
            linger_zero: false,
            ttl: None,
            tos: 0,
            mtu_discover: MtuDiscover::Want,
            recv_err: false,
            header_included: false,
            ip_options: Vec::new(),
            multicast_loop: true,
            rcvbuf: RMEM_DEFAULT,
        }
    }
}

/// `0.0.0.0`.
pub(super) const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Socket {
    /// The connection, if the socket has an own port and another end.
    pub fn four_tuple(&self) -> Option<FourTuple> {
        let (raddr, rport) = self.remote?;
        Some(FourTuple { laddr: self.rcv_addr, lport: self.num, raddr, rport })
    }

    /// The protocol whose ports it uses.
    pub fn port_proto(&self) -> Option<Proto> {
        match &self.kind {
            Kind::Tcp(_) => Some(Proto::TCP),
            Kind::Udp(_) => Some(Proto::UDP),
            Kind::Raw(..) | Kind::Packet(_) | Kind::Netlink(_) => None,
        }
    }

    /// The TCP part.
    pub fn tcp(&self) -> Option<&TcpSocket> {
        match &self.kind {
            Kind::Tcp(tcp) => Some(tcp),
            Kind::Udp(_) | Kind::Raw(..) | Kind::Packet(_) | Kind::Netlink(_) => None,
        }
    }

    /// The TCP part.
    pub fn tcp_mut(&mut self) -> Option<&mut TcpSocket> {
        match &mut self.kind {
            Kind::Tcp(tcp) => Some(tcp),
            Kind::Udp(_) | Kind::Raw(..) | Kind::Packet(_) | Kind::Netlink(_) => None,
        }
    }

    /// The queue of received datagrams.
    pub fn datagrams_mut(&mut self) -> Option<&mut Datagrams> {
        match &mut self.kind {
            Kind::Udp(datagrams) | Kind::Raw(_, datagrams) => Some(datagrams),
            Kind::Packet(_) | Kind::Netlink(_) | Kind::Tcp(_) => None,
        }
    }

    /// Whether a packet by `dev` may be for it. Kernel: `inet_sk_bound_dev_eq`.
    pub fn takes_from(&self, dev: DevId) -> bool {
        self.bound_dev.is_none_or(|bound| bound == dev)
    }

    /// What a trace calls it: `udp 0.0.0.0:53`, `tcp 10.0.0.2:80`, `raw icmp`, `packet`.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Tcp(_) => format!("tcp {}:{}", self.rcv_addr, self.num),
            Kind::Udp(_) => format!("udp {}:{}", self.rcv_addr, self.num),
            Kind::Raw(Proto::ICMP, _) => "raw icmp".to_owned(),
            Kind::Raw(proto, _) => format!("raw {}", proto.0),
            Kind::Packet(_) => "packet".to_owned(),
            Kind::Netlink(_) => "netlink".to_owned(),
        }
    }

    /// Whether two sockets want packets for a common address. Kernel: `inet_rcv_saddr_equal`.
    fn addr_overlaps(&self, addr: IpAddr) -> bool {
        self.rcv_addr == addr || self.rcv_addr.is_unspecified() || addr.is_unspecified()
    }
}

impl Sockets {
    /// A new socket, not bound to anything; with `no_pmtu_disc` it doesn't set DF.
    /// Kernel: `net/ipv4/af_inet.c`, `inet_create`.
    pub(super) fn insert(
        &mut self,
        netns: NetnsId,
        owner: Option<Pid>,
        kind: Kind,
        no_pmtu_disc: bool,
    ) -> SocketId {
        self.last += 1;
        let id = SocketId(self.last);
        match &kind {
            Kind::Raw(proto, _) => self.raw.entry((netns, *proto)).or_default().insert(0, id),
            Kind::Packet(_) => self.packet.push(id),
            Kind::Netlink(_) => self.netlink.push(id),
            Kind::Udp(_) | Kind::Tcp(_) => {}
        }
        let num = match &kind {
            Kind::Raw(proto, _) => u16::from(proto.0),
            Kind::Udp(_) | Kind::Packet(_) | Kind::Netlink(_) | Kind::Tcp(_) => 0,
        };
        let mut options = Options::default();
        if no_pmtu_disc {
            options.mtu_discover = MtuDiscover::Dont;
        }
        let socket = Socket {
            id,
            netns,
            owner,
            kind,
            rcv_addr: ANY,
            src_addr: ANY,
            addr_locked: false,
            port_locked: false,
            num,
            remote: None,
            bound_dev: None,
            options,
            error: None,
            error_queue: VecDeque::new(),
            ip_id: 0,
            timer: None,
            timer_generation: 0,
        };
        self.sockets.insert(id, Box::new(socket));
        id
    }

    /// The socket.
    pub(crate) fn get(&self, id: SocketId) -> Option<&Socket> {
        self.sockets.get(&id).map(|s| &**s)
    }

    /// The socket.
    pub(crate) fn get_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.sockets.get_mut(&id).map(|s| &mut **s)
    }

    /// Netlink sockets, oldest first.
    pub(super) fn netlink_sockets(&self) -> &[SocketId] {
        &self.netlink
    }

    /// All sockets, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Socket> {
        self.sockets.values().map(|s| &**s)
    }

    /// Takes the socket out while its protocol works on it; the tables keep naming it.
    pub(super) fn take(&mut self, id: SocketId) -> Option<Box<Socket>> {
        self.sockets.remove(&id)
    }

    /// Puts back what [`Self::take`] gave.
    pub(super) fn put(&mut self, socket: Box<Socket>) {
        self.sockets.insert(socket.id, socket);
    }

    /// Forgets the socket everywhere.
    pub(super) fn remove(&mut self, id: SocketId) -> Option<Box<Socket>> {
        let socket = self.sockets.remove(&id)?;
        self.unhash(&socket);
        self.unbind(&socket);
        match &socket.kind {
            Kind::Raw(proto, _) => {
                if let Some(list) = self.raw.get_mut(&(socket.netns, *proto)) {
                    list.retain(|&other| other != id);
                }
            }
            Kind::Packet(_) => self.packet.retain(|&other| other != id),
            Kind::Netlink(_) => self.netlink.retain(|&other| other != id),
            Kind::Udp(_) | Kind::Tcp(_) => {}
        }
        Some(socket)
    }

    /// Makes the socket found by its port. Kernel: `inet_bind_hash`, `udp_lib_get_port`.
    pub(super) fn bind(&mut self, netns: NetnsId, proto: Proto, port: u16, id: SocketId) {
        let list = self.bound.entry((netns, proto, port)).or_default();
        if !list.contains(&id) {
            list.insert(0, id);
        }
    }

    /// Undoes [`Self::bind`]. Kernel: `inet_put_port`, `udp_lib_unhash`.
    pub(super) fn unbind(&mut self, socket: &Socket) {
        let Some(proto) = socket.port_proto() else { return };
        let key = (socket.netns, proto, socket.num);
        if let Some(list) = self.bound.get_mut(&key) {
            list.retain(|&other| other != socket.id);
            if list.is_empty() {
                self.bound.remove(&key);
            }
        }
    }

    /// Makes a TCP socket found by its connection. Kernel: `inet_ehash_insert`.
    pub(super) fn hash(&mut self, netns: NetnsId, tuple: FourTuple, id: SocketId) {
        self.established.insert((netns, tuple), id);
    }

    /// Undoes [`Self::hash`]. Kernel: `inet_unhash`.
    pub(super) fn unhash(&mut self, socket: &Socket) {
        if let (Kind::Tcp(_), Some(tuple)) = (&socket.kind, socket.four_tuple())
            && self.established.get(&(socket.netns, tuple)) == Some(&socket.id)
        {
            self.established.remove(&(socket.netns, tuple));
        }
    }

    /// The TCP socket of this connection. Kernel: `__inet_lookup_established`.
    pub(super) fn lookup_established(
        &self,
        netns: NetnsId,
        tuple: FourTuple,
        dev: DevId,
    ) -> Option<SocketId> {
        let id = *self.established.get(&(netns, tuple))?;
        self.get(id)?.takes_from(dev).then_some(id)
    }

    /// Whether a TCP connection of this tuple exists, and the socket that has it.
    pub(super) fn connection(&self, netns: NetnsId, tuple: FourTuple) -> Option<SocketId> {
        self.established.get(&(netns, tuple)).copied()
    }

    /// Sockets on an own port, newest first.
    pub(super) fn on_port(&self, netns: NetnsId, proto: Proto, port: u16) -> impl Iterator<Item = &Socket> {
        self.bound.get(&(netns, proto, port)).into_iter().flatten().filter_map(|&id| self.get(id))
    }

    /// Raw sockets of a protocol, newest first.
    pub(super) fn raw_sockets(&self, netns: NetnsId, proto: Proto) -> impl Iterator<Item = &Socket> {
        self.raw.get(&(netns, proto)).into_iter().flatten().filter_map(|&id| self.get(id))
    }

    /// Packet sockets, oldest first.
    pub(super) fn packet_sockets(&self) -> &[SocketId] {
        &self.packet
    }

    /// Who listens for this destination: the socket bound most exactly.
    /// Kernel: `net/ipv4/inet_hashtables.c`, `__inet_lookup_listener`.
    pub(super) fn lookup_listener(
        &self,
        netns: NetnsId,
        dst: IpAddr,
        dport: u16,
        dev: DevId,
    ) -> Option<SocketId> {
        let listeners = || {
            self.on_port(netns, Proto::TCP, dport)
                .filter(|s| s.takes_from(dev) && s.tcp().is_some_and(|tcp| tcp.state == State::Listen))
        };
        best(listeners().filter(|s| s.rcv_addr == dst), |s| u32::from(s.bound_dev.is_some())).or_else(|| {
            best(listeners().filter(|s| s.rcv_addr.is_unspecified()), |s| u32::from(s.bound_dev.is_some()))
        })
    }

    /// The UDP socket for a datagram: one bound to the address before one bound to any, then the
    /// one that names most of the rest. Kernel: `net/ipv4/udp.c`, `__udp4_lib_lookup`.
    pub(super) fn lookup_udp(&self, netns: NetnsId, tuple: FourTuple, dev: DevId) -> Option<SocketId> {
        let score = |s: &Socket| {
            2 + if s.remote.is_some() { 8 } else { 0 } + if s.bound_dev.is_some() { 4 } else { 0 }
        };
        let candidates = || {
            self.on_port(netns, Proto::UDP, tuple.lport).filter(|s| {
                s.takes_from(dev) && s.remote.is_none_or(|remote| remote == (tuple.raddr, tuple.rport))
            })
        };
        best(candidates().filter(|s| s.rcv_addr == tuple.laddr), score)
            .or_else(|| best(candidates().filter(|s| s.rcv_addr.is_unspecified()), score))
    }

    /// Whether `bind` of `id` to this address and port must fail.
    /// Kernel: `inet_csk_bind_conflict`, `udp_lib_lport_inuse`.
    pub(super) fn bind_conflict(&self, socket: &Socket, proto: Proto, addr: IpAddr, port: u16) -> bool {
        self.on_port(socket.netns, proto, port).any(|other| {
            if other.id == socket.id || !other.addr_overlaps(addr) {
                return false;
            }
            let same_dev = match (socket.bound_dev, other.bound_dev) {
                (Some(a), Some(b)) => a == b,
                (None, _) | (_, None) => true,
            };
            let other_listens = other.tcp().is_some_and(|tcp| tcp.state == State::Listen);
            let both_reuse = socket.options.reuse_addr && other.options.reuse_addr && !other_listens;
            let both_share = socket.options.reuse_port && other.options.reuse_port;
            same_dev && !both_reuse && !both_share
        })
    }

    /// The next number of the host's stream for sockets.
    pub(super) fn draw(&mut self, seed: u64) -> u64 {
        self.draws += 1;
        keyed_hash(seed, &[0x736f_636b, self.draws])
    }
}

/// The candidate of the highest score; the first of equals.
fn best<'a>(
    candidates: impl Iterator<Item = &'a Socket>,
    score: impl Fn(&Socket) -> u32,
) -> Option<SocketId> {
    let mut best: Option<(u32, SocketId)> = None;
    for socket in candidates {
        let score = score(socket);
        if best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, socket.id));
        }
    }
    best.map(|(_, id)| id)
}

/// A number that depends on `seed` and `words` only, spread evenly over 64 bits. Stands for the
/// kernel's siphash with a random key.
pub(super) fn keyed_hash(seed: u64, words: &[u64]) -> u64 {
    let mut hash = seed ^ 0x9e37_79b9_7f4a_7c15;
    for &word in words {
        hash = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
    }
    hash
}

/// A connection as words for [`keyed_hash`].
pub(super) fn tuple_words(tuple: FourTuple) -> [u64; 5] {
    let addr = |addr: IpAddr| match addr {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64 ^ v6.to_bits() as u64,
    };
    [addr(tuple.laddr), u64::from(tuple.lport), addr(tuple.raddr), u64::from(tuple.rport), 4]
}
