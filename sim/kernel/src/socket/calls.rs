//! The system calls on sockets. All are non-blocking.

use std::net::SocketAddr;

use packet::{DevId, Frame, IcmpError, NetnsId, Packet, Pid, Skb};
use trace::{DropReason, Observer};

use super::{Captured, Ready, Received, SocketError, SocketId, SocketKind, SocketOption};
use crate::dump::SocketInfo;
use crate::{Cx, Errno, Host, PathResult};

impl Host {
    /// The own address and port. Kernel: `inet_getname`.
    pub fn socket_local_addr(&self, _id: SocketId) -> Option<SocketAddr> {
        None
    }
    /// The other end's address and port, if connected. Kernel: `inet_getname`.
    pub fn socket_peer_addr(&self, _id: SocketId) -> Option<SocketAddr> {
        None
    }
    /// What `poll(2)` answers. Kernel: `tcp_poll`, `datagram_poll`.
    pub fn socket_ready(&self, _id: SocketId) -> Ready {
        Ready::default()
    }
    /// Sockets of a namespace as `ss` lists them.
    pub fn socket_list(&self, _ns: NetnsId) -> Vec<SocketInfo> {
        Vec::new()
    }
}

impl<O: Observer> Cx<'_, O> {
    /// `socket(2)`.
    pub fn socket_open(&mut self, _ns: NetnsId, _kind: SocketKind, _owner: Option<Pid>) -> Result<SocketId, Errno> {
        Err(Errno::OpNotSupp)
    }
    /// `bind(2)`.
    pub fn socket_bind(&mut self, _id: SocketId, _addr: SocketAddr) -> Result<(), Errno> {
        Err(Errno::BadF)
    }
    /// `connect(2)`; a TCP socket answers `EINPROGRESS`.
    pub fn socket_connect(&mut self, _id: SocketId, _addr: SocketAddr) -> Result<(), Errno> {
        Err(Errno::BadF)
    }
    /// `listen(2)`.
    pub fn socket_listen(&mut self, _id: SocketId, _backlog: u32) -> Result<(), Errno> {
        Err(Errno::BadF)
    }
    /// `accept(2)`.
    pub fn socket_accept(&mut self, _id: SocketId) -> Result<(SocketId, SocketAddr), Errno> {
        Err(Errno::BadF)
    }
    /// `sendto(2)`; without `to` the connected address.
    pub fn socket_send(&mut self, _id: SocketId, _data: &[u8], _to: Option<SocketAddr>) -> Result<usize, Errno> {
        Err(Errno::BadF)
    }
    /// Sends a packet whose IP payload is typed by a raw socket.
    pub fn socket_send_packet(&mut self, _id: SocketId, _packet: Packet) -> Result<(), Errno> {
        Err(Errno::BadF)
    }
    /// Sends a frame by a packet socket's device.
    pub fn socket_send_frame(&mut self, _id: SocketId, _frame: Frame) -> Result<(), Errno> {
        Err(Errno::BadF)
    }
    /// `recvmsg(2)`.
    pub fn socket_recv(&mut self, _id: SocketId, _max: usize) -> Result<Received, Errno> {
        Err(Errno::BadF)
    }
    /// Takes a captured frame from a packet socket.
    pub fn socket_recv_frame(&mut self, _id: SocketId) -> Result<Captured, Errno> {
        Err(Errno::BadF)
    }
    /// Takes an entry of the error queue (`MSG_ERRQUEUE`).
    pub fn socket_recv_error(&mut self, _id: SocketId) -> Option<SocketError> {
        None
    }
    /// `setsockopt(2)`.
    pub fn socket_set_option(&mut self, _id: SocketId, _option: SocketOption) -> Result<(), Errno> {
        Err(Errno::BadF)
    }
    /// `getsockopt(SO_ERROR)`: takes the pending error.
    pub fn socket_take_error(&mut self, _id: SocketId) -> Option<Errno> {
        None
    }
    /// `shutdown(SHUT_WR)`.
    pub fn socket_shutdown_write(&mut self, _id: SocketId) -> Result<(), Errno> {
        Err(Errno::BadF)
    }
    /// `close(2)` of the last descriptor.
    pub fn socket_close(&mut self, _id: SocketId) {}
    /// A timer of a socket fires.
    pub fn socket_timer(&mut self, _ns: NetnsId, _id: SocketId, _which: u8, _generation: u64) {}
    /// Takes a UDP datagram for this host. Kernel: `net/ipv4/udp.c`, `udp_rcv`.
    pub fn udp_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::NoSocket))
    }
    /// Takes a TCP segment for this host. Kernel: `net/ipv4/tcp_ipv4.c`, `tcp_v4_rcv`.
    pub fn tcp_v4_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::NoSocket))
    }
    /// Gives copies to the raw sockets of the packet's protocol; true if one took it.
    /// Kernel: `net/ipv4/raw.c`, `raw_local_deliver`.
    pub fn raw_local_deliver(&mut self, _ns: NetnsId, _skb: &Skb) -> bool {
        false
    }
    /// An ICMP error quotes a UDP datagram of this host; `skb` is the ICMP message.
    /// Kernel: `net/ipv4/udp.c`, `udp_err`.
    pub fn udp_err(&mut self, _ns: NetnsId, _skb: &Skb, _error: &IcmpError) {}
    /// An ICMP error quotes a TCP segment of this host. Kernel: `net/ipv4/tcp_ipv4.c`, `tcp_v4_err`.
    pub fn tcp_v4_err(&mut self, _ns: NetnsId, _skb: &Skb, _error: &IcmpError) {}
    /// An ICMP error quotes a packet that raw sockets may want to know of. To be called for every
    /// protocol. Kernel: `net/ipv4/raw.c`, `raw_icmp_error`.
    pub fn raw_err(&mut self, _ns: NetnsId, _skb: &Skb, _error: &IcmpError) {}
    /// Shows a frame that `dev` received or sends to packet sockets. Call only if `Device::taps`
    /// is not zero. Kernel: `net/packet/af_packet.c`, `packet_rcv`.
    pub fn packet_rcv(&mut self, _dev: DevId, _skb: &Skb, _outgoing: bool) {}
    /// Tells packet sockets that a device went down. Kernel: `packet_notifier`.
    pub fn sockets_dev_down(&mut self, _dev: DevId) {}
    /// Forgets what bound sockets to a device that is gone or moved away. Kernel: `packet_notifier`.
    pub fn sockets_dev_gone(&mut self, _dev: DevId) {}
    /// Destroys the sockets of a namespace that is being deleted.
    pub fn sockets_netns_gone(&mut self, _ns: NetnsId) {}
}
