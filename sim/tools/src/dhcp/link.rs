//! A client's way to the wire before it has an address: a packet socket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dhcproto::v4::{DhcpOption, Message, Opcode};
use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use packet::{Body, EtherPayload, Frame, MacAddr, Packet, Payload, PktType, Udp, UdpData};
use world::{Fd, Sys};

use super::message::{decode, options_in_order};
use super::{CLIENT_PORT, SERVER_PORT};

/// A client's sockets on one device.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The device.
    pub device: String,
    /// Its hardware address.
    pub mac: MacAddr,
    /// Sees the device's frames, and sends from 0.0.0.0.
    pub frames: Fd,
    /// The UDP socket of a client that has an address.
    pub udp: Option<Fd>,
}

/// IP fields that differ from one client to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct IpStyle {
    /// Time to live.
    pub ttl: u8,
    /// Type of service.
    pub tos: u8,
}

/// A message from a server.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The message.
    pub message: Message,
    /// Its options in the order they came.
    pub options: Vec<DhcpOption>,
    /// Who sent it.
    pub from: Ipv4Addr,
}

impl Link {
    /// Opens the packet socket; the device must be there.
    pub fn open(sys: &mut dyn Sys, device: &str) -> Result<Self, Errno> {
        let netns = sys.netns();
        let links = sys.links(netns, Some(device));
        let link = links.iter().find(|link| link.name == device).ok_or(Errno::NoDev)?;
        let (mac, _) = link.address.ok_or(Errno::NoDev)?;
        let frames = sys.socket(SocketKind::Packet { arp_only: false })?;
        sys.set_option(frames, SocketOption::BindToDevice(Some(device.to_owned())))?;
        Ok(Self { device: device.to_owned(), mac, frames, udp: None })
    }

    /// Opens the UDP socket, too.
    pub fn open_udp(&mut self, sys: &mut dyn Sys) -> Result<Fd, Errno> {
        if let Some(fd) = self.udp {
            return Ok(fd);
        }
        let fd = sys.socket(SocketKind::Udp)?;
        sys.set_option(fd, SocketOption::ReuseAddr(true))?;
        sys.set_option(fd, SocketOption::Broadcast(true))?;
        sys.bind(fd, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), CLIENT_PORT))?;
        self.udp = Some(fd);
        Ok(fd)
    }

    /// Sends to every server on the wire, from `source`. What can't be sent is lost, as on the wire:
    /// the client tries again.
    pub fn broadcast(&self, sys: &mut dyn Sys, source: Ipv4Addr, style: IpStyle, bytes: Vec<u8>) {
        let udp = Udp {
            sport: CLIENT_PORT,
            dport: SERVER_PORT,
            checksum: true,
            data: UdpData::Bytes(Payload::from(bytes)),
        };
        let (src, dst) = (IpAddr::V4(source), IpAddr::V4(Ipv4Addr::BROADCAST));
        let packet = Packet { ttl: style.ttl, tos: style.tos, ..Packet::new(src, dst, Body::Udp(udp)) };
        let frame = Frame {
            dst: MacAddr::BROADCAST,
            src: self.mac,
            tags: Default::default(),
            payload: EtherPayload::Ip(packet),
        };
        let _ = sys.send_frame(self.frames, frame);
    }

    /// Sends to one server, by UDP. What can't be sent is lost.
    pub fn unicast(&mut self, sys: &mut dyn Sys, server: Ipv4Addr, bytes: &[u8]) {
        if let Ok(fd) = self.open_udp(sys) {
            let _ = sys.send(fd, bytes, Some(SocketAddr::new(IpAddr::V4(server), SERVER_PORT)));
        }
    }

    /// The next message for this client's hardware address with this transaction id.
    pub fn receive(&mut self, sys: &mut dyn Sys, xid: u32) -> Option<Answer> {
        // The packet socket has seen what the UDP socket holds.
        if let Some(udp) = self.udp {
            while matches!(sys.recv(udp, 1 << 16), Ok(_) | Err(Errno::ConnRefused | Errno::HostUnreach)) {}
        }
        loop {
            let captured = match sys.recv_frame(self.frames) {
                Ok(captured) => captured,
                Err(Errno::NetDown) => continue,
                Err(_) => return None,
            };
            let Some(packet) = captured.frame.ip().filter(|_| captured.pkt_type != PktType::Outgoing) else {
                continue;
            };
            let (Body::Udp(udp), IpAddr::V4(from)) = (&packet.body, packet.src()) else { continue };
            let UdpData::Bytes(bytes) = &udp.data else { continue };
            let Some(message) = decode(bytes).filter(|_| udp.dport == CLIENT_PORT) else { continue };
            if message.opcode() == Opcode::BootReply && message.xid() == xid && message.chaddr() == self.mac.0
            {
                let options = options_in_order(bytes, &message);
                return Some(Answer { message, options, from });
            }
        }
    }

    /// What to wait for.
    pub fn fds(&self) -> Vec<Fd> {
        std::iter::once(self.frames).chain(self.udp).collect()
    }
}
