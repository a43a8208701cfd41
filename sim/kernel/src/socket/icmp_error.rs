//! What ICMP errors and local errors mean to a socket.

use std::net::{IpAddr, SocketAddr};

use packet::{Body, Icmp, IcmpError, SimTime, Skb};

use super::table::Socket;
use super::{MtuDiscover, SocketError};
use crate::Errno;

/// Code of "fragmentation needed and DF set".
pub(super) const FRAG_NEEDED: u8 = 4;

/// The error number of a destination unreachable code, and whether it ends what was tried.
/// Kernel: `net/ipv4/icmp.c`, `icmp_err_convert`.
pub(super) fn icmp_err_convert(code: u8) -> Option<(Errno, bool)> {
    Some(match code {
        0 => (Errno::NetUnreach, false),
        1 => (Errno::HostUnreach, false),
        2 => (Errno::NoProtoOpt, true),
        3 => (Errno::ConnRefused, true),
        4 => (Errno::MsgSize, false),
        5 => (Errno::OpNotSupp, false),
        6 => (Errno::NetUnreach, true),
        7 => (Errno::HostDown, true),
        8 => (Errno::NoNet, true),
        9 => (Errno::NetUnreach, true),
        10 => (Errno::HostUnreach, true),
        11 => (Errno::NetUnreach, false),
        12 => (Errno::HostUnreach, false),
        13..=15 => (Errno::HostUnreach, true),
        _ => return None,
    })
}

/// The error of a datagram socket, and whether it is reported without `IP_RECVERR`; `None` if
/// the message says nothing to it. Kernel: `__udp4_lib_err`, `raw_err`.
pub(super) fn datagram_error(error: &IcmpError, discover: MtuDiscover) -> Option<(Errno, bool)> {
    const SOURCE_QUENCH: u8 = 4;
    match (error.kind, error.code) {
        (SOURCE_QUENCH | Icmp::REDIRECT, _) => None,
        (Icmp::PARAMETER_PROBLEM, _) => Some((Errno::Proto, true)),
        (Icmp::UNREACHABLE, FRAG_NEEDED) => Some((Errno::MsgSize, discover != MtuDiscover::Dont)),
        (Icmp::UNREACHABLE, code) => Some(icmp_err_convert(code).unwrap_or((Errno::HostUnreach, false))),
        _ => Some((Errno::HostUnreach, false)),
    }
}

/// The error queue's entry for an ICMP message. Kernel: `net/ipv4/ip_sockglue.c`, `ip_icmp_error`.
pub(super) fn ip_icmp_error(skb: &Skb, error: &IcmpError, errno: Errno, now: SimTime) -> SocketError {
    let quoted = &error.quoted.packet;
    let port = match &quoted.body {
        Body::Udp(udp) => udp.dport,
        Body::Tcp(tcp) => tcp.dport,
        Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => 0,
    };
    SocketError {
        errno,
        icmp: Some((error.kind, error.code)),
        info: error.rest & 0xffff,
        offender: Some(skb.ip().src()),
        dst: SocketAddr::new(quoted.dst(), port),
        packet: Some(quoted.clone()),
        ttl: skb.ip().ttl,
        at: now,
    }
}

impl Socket {
    /// Queues a local `EMSGSIZE` if the socket asked for errors.
    /// Kernel: `net/ipv4/ip_sockglue.c`, `ip_local_error`.
    pub(super) fn ip_local_error(&mut self, dst: IpAddr, port: u16, mtu: u32, now: SimTime) {
        if self.options.recv_err {
            self.error_queue.push_back(SocketError {
                errno: Errno::MsgSize,
                icmp: None,
                info: mtu,
                offender: None,
                dst: SocketAddr::new(dst, port),
                packet: None,
                ttl: 0,
                at: now,
            });
        }
    }

    /// Takes the pending error. Kernel: `sock_error`.
    pub(super) fn sock_error(&mut self) -> Result<(), Errno> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Takes an entry of the error queue; the next one's error becomes pending.
    /// Kernel: `net/core/skbuff.c`, `sock_dequeue_err_skb`.
    pub(super) fn sock_dequeue_err(&mut self) -> Option<SocketError> {
        let entry = self.error_queue.pop_front()?;
        match self.error_queue.front() {
            Some(next) if next.icmp.is_some() => self.error = Some(next.errno),
            Some(_) | None if entry.icmp.is_some() => self.error = None,
            Some(_) | None => {}
        }
        Some(entry)
    }
}
