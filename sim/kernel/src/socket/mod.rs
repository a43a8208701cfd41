//! Sockets: what the system calls do, one file a protocol.
//!
//! All calls are non-blocking: what would block answers [`Errno::Again`] (or
//! [`Errno::InProgress`] for a TCP connect), and [`crate::Effect::Wake`] says when to try again.

mod af_packet;
mod calls;
mod datagram;
mod icmp_error;
mod list;
mod netlink;
mod options;
mod ports;
mod raw;
mod send;
mod table;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

pub use netlink::{NetlinkGroup, NetlinkMessage};
pub use table::Sockets;

use std::net::{IpAddr, SocketAddr};

use packet::{DevId, Frame, Packet, PacketId, PktType, Proto, SimTime};

use crate::Errno;

/// A socket of one host, unique over its namespaces. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// What `socket(2)` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// `SOCK_STREAM`.
    Tcp,
    /// `SOCK_DGRAM`.
    Udp,
    /// `SOCK_RAW` of a protocol; 255 (`IPPROTO_RAW`) only sends, with its own IP header.
    Raw(Proto),
    /// `AF_PACKET` with `ETH_P_ALL` or `ETH_P_ARP`.
    Packet {
        /// Sees ARP frames only (`arping`).
        arp_only: bool,
    },
    /// `AF_NETLINK`, bound to a group.
    Netlink(NetlinkGroup),
}

/// `setsockopt(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketOption {
    /// `SO_BINDTODEVICE` by name; `None` unbinds.
    BindToDevice(Option<String>),
    /// `SO_MARK`.
    Mark(u32),
    /// `SO_REUSEADDR`.
    ReuseAddr(bool),
    /// `SO_REUSEPORT`.
    ReusePort(bool),
    /// `SO_BROADCAST`.
    Broadcast(bool),
    /// `SO_DONTROUTE`.
    DontRoute(bool),
    /// `SO_LINGER` with time 0: close sends RST.
    LingerZero(bool),
    /// `IP_TTL`, 1..=255.
    Ttl(u8),
    /// `IP_TOS`.
    Tos(u8),
    /// `IP_MTU_DISCOVER`.
    MtuDiscover(MtuDiscover),
    /// `IP_RECVERR`: errors are queued and reported.
    RecvErr(bool),
    /// `IP_HDRINCL`.
    HeaderIncluded(bool),
    /// IP options to send, padded to a multiple of 4 bytes (`IP_OPTIONS`).
    IpOptions(Vec<u8>),
    /// `IP_MULTICAST_LOOP`.
    MulticastLoop(bool),
    /// `SO_RCVBUF`, bytes.
    RcvBuf(u32),
    /// Packet socket: makes its device promiscuous (`PACKET_ADD_MEMBERSHIP`).
    Promisc(bool),
}

/// `IP_PMTUDISC_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MtuDiscover {
    /// Never set DF.
    Dont,
    /// Set DF while the packet fits the path MTU, else fragment (the default).
    #[default]
    Want,
    /// Always set DF; too long is `EMSGSIZE`.
    Do,
    /// Set DF, ignore the path MTU.
    Probe,
}

/// A received message.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// Data. Empty on a TCP socket means end of stream.
    pub data: Vec<u8>,
    /// Sender.
    pub from: SocketAddr,
    /// The packet as it came, for raw sockets.
    pub packet: Option<Packet>,
    /// `IP_RECVTTL`.
    pub ttl: u8,
    /// Destination address of the packet (`IP_PKTINFO`).
    pub dst: IpAddr,
    /// Device it came by.
    pub dev: Option<DevId>,
    /// When it came.
    pub at: SimTime,
    /// The packet that brought it; a stream has none.
    pub id: Option<PacketId>,
}

/// A frame seen by a packet socket.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// When.
    pub at: SimTime,
    /// The device.
    pub dev: DevId,
    /// The frame. For a device without link-layer header (TUN, ipip) the addresses are zero.
    pub frame: Frame,
    /// To whom; [`PktType::Outgoing`] for what this host sends.
    pub pkt_type: PktType,
}

/// An entry of the error queue (`MSG_ERRQUEUE`, `struct sock_extended_err`).
#[derive(Clone, Debug, PartialEq)]
pub struct SocketError {
    /// Error number.
    pub errno: Errno,
    /// ICMP type and code; `None` for a local error.
    pub icmp: Option<(u8, u8)>,
    /// MTU of `EMSGSIZE`.
    pub info: u32,
    /// Who reported it (`SO_EE_OFFENDER`).
    pub offender: Option<IpAddr>,
    /// Where the packet was going.
    pub dst: SocketAddr,
    /// The quoted packet.
    pub packet: Option<Packet>,
    /// TTL of the ICMP message.
    pub ttl: u8,
    /// When it came.
    pub at: SimTime,
}

/// What `poll(2)` answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// `POLLIN`.
    pub readable: bool,
    /// `POLLOUT`.
    pub writable: bool,
    /// `POLLERR`.
    pub error: bool,
    /// `POLLHUP`.
    pub hangup: bool,
}
