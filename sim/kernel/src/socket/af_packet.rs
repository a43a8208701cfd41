//! Packet sockets: what tcpdump and arping see and send. Kernel: `net/packet/af_packet.c`.

use std::collections::VecDeque;

use packet::{DevId, EtherPayload, Frame, NetnsId, PktType, Skb, VlanProto, VlanTag};
use trace::Observer;

use super::table::{Kind, Socket};
use super::{Captured, SocketId};
use crate::{Cx, Effect, Errno, Host};

/// The packet socket's part of a socket.
#[derive(Clone, Debug)]
pub(crate) struct PacketSocket {
    /// Sees ARP frames only; such a socket sees no sent ones.
    pub arp_only: bool,
    /// Frames seen and not yet taken, oldest first.
    pub queue: VecDeque<Captured>,
    /// Keeps its device promiscuous.
    pub promisc: bool,
}

impl PacketSocket {
    /// A socket that sees every device.
    pub fn new(arp_only: bool) -> Self {
        Self { arp_only, queue: VecDeque::new(), promisc: false }
    }
}

impl Host {
    /// How many packet sockets see a device of this namespace that is being made; later ones are
    /// counted by the sockets themselves.
    pub fn packet_taps(&self, ns: NetnsId) -> u32 {
        let everywhere = |socket: &Socket| socket.netns == ns && socket.bound_dev.is_none();
        let ids = self.sockets.packet_sockets().iter();
        ids.filter_map(|&id| self.sockets.get(id)).filter(|socket| everywhere(socket)).count() as u32
    }

    /// Devices that a packet socket sees.
    fn packet_devices(&self, id: SocketId) -> Vec<DevId> {
        let Some(socket) = self.sockets.get(id) else { return Vec::new() };
        match (socket.bound_dev, self.get_ns(socket.netns)) {
            (Some(dev), _) => vec![dev],
            (None, Some(ns)) => ns.devices.values().copied().collect(),
            (None, None) => Vec::new(),
        }
    }

    /// Counts a packet socket on (or off) the devices it sees. Kernel: `register_prot_hook`.
    pub(super) fn count_taps(&mut self, id: SocketId, on: bool) {
        for dev in self.packet_devices(id) {
            if let Some(dev) = self.get_dev_mut(dev) {
                dev.taps = if on { dev.taps + 1 } else { dev.taps.saturating_sub(1) };
            }
        }
    }

    /// Makes the bound device promiscuous, or no longer. Kernel: `packet_dev_mc`.
    pub(super) fn set_packet_promisc(&mut self, id: SocketId, on: bool) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let bound = socket.bound_dev;
        let Kind::Packet(packet) = &mut socket.kind else { return };
        if packet.promisc == on {
            return;
        }
        packet.promisc = on;
        if let Some(dev) = bound.and_then(|dev| self.get_dev_mut(dev)) {
            dev.promiscuity = if on { dev.promiscuity + 1 } else { dev.promiscuity.saturating_sub(1) };
        }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Shows a frame that `dev` received or sends to packet sockets. May be called for every
    /// frame; `Device::taps` is zero where nobody looks. Kernel: `packet_rcv`.
    pub fn packet_rcv(&mut self, dev: DevId, skb: &Skb, outgoing: bool) {
        let Some(device) = self.host.get_dev(dev) else { return };
        if device.taps == 0 {
            return;
        }
        let (ns, is_port) = (device.netns, device.port.is_some());
        let is_arp = matches!(skb.frame.payload, EtherPayload::Arp(_));
        for index in 0..self.host.sockets.packet_sockets().len() {
            let id = self.host.sockets.packet_sockets()[index];
            let Some(socket) = self.host.sockets.get_mut(id) else { continue };
            if socket.netns != ns || !socket.takes_from(dev) {
                continue;
            }
            let Kind::Packet(packet) = &mut socket.kind else { continue };
            // A bridge takes its ports' frames before a protocol's handlers see them.
            if packet.arp_only && (!is_arp || outgoing || is_port) {
                continue;
            }
            let pkt_type = if outgoing { PktType::Outgoing } else { skb.pkt_type };
            packet.queue.push_back(Captured { at: self.now, dev, frame: skb.frame.clone(), pkt_type });
            self.effects.push(Effect::Wake(id));
        }
    }

    /// Sends a frame by the bound device. Kernel: `packet_snd`.
    pub(super) fn packet_send(&mut self, id: SocketId, frame: Frame) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let (ns, owner, mark) = (socket.netns, socket.owner, socket.options.mark);
        let Some(dev) = socket.bound_dev else { return Err(Errno::NxIo) };
        let Some(device) = self.host.get_dev(dev) else { return Err(Errno::NxIo) };
        if !device.up {
            return Err(Errno::NetDown);
        }
        // Kernel: `packet_extra_vlan_len_allowed`.
        let tagged = frame.tags.outer().is_some_and(|tag| tag.proto == VlanProto::Dot1Q);
        let header = Frame::HEADER_LEN + if tagged { VlanTag::LEN } else { 0 };
        if frame.len() > device.mtu as usize + header {
            return Err(Errno::MsgSize);
        }
        let sk = packet::SkOwner::Process;
        let skb = Skb { mark, sk, pkt_type: PktType::Outgoing, ..Skb::new(self.ids.next_id(), dev, frame) };
        let current = self.current;
        self.current = current.or(owner);
        self.emit_created(&skb, ns, &[]);
        let result = self.dev_queue_xmit(dev, skb);
        let result = self.finish(result);
        self.current = current;
        result.err().and_then(|dropped| dropped.errno).map_or(Ok(()), Err)
    }

    /// Takes a captured frame. Kernel: `packet_recvmsg`.
    pub(super) fn packet_recv(&mut self, id: SocketId) -> Result<Captured, Errno> {
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        socket.sock_error()?;
        match &mut socket.kind {
            Kind::Packet(packet) => packet.queue.pop_front().ok_or(Errno::Again),
            Kind::Udp(_) | Kind::Raw(..) | Kind::Netlink(_) | Kind::Tcp(_) => Err(Errno::OpNotSupp),
        }
    }

    /// Tells packet sockets that a device went down. Kernel: `packet_notifier`.
    pub fn sockets_dev_down(&mut self, dev: DevId) {
        for index in 0..self.host.sockets.packet_sockets().len() {
            let id = self.host.sockets.packet_sockets()[index];
            if let Some(socket) = self.host.sockets.get_mut(id)
                && socket.bound_dev == Some(dev)
            {
                socket.error = Some(Errno::NetDown);
                self.effects.push(Effect::Wake(id));
            }
        }
    }

    /// A device is gone, or leaves for another namespace: nothing more comes to the packet sockets
    /// bound to it. Kernel: `packet_notifier`.
    pub fn sockets_dev_gone(&mut self, dev: DevId) {
        self.sockets_dev_down(dev);
        for index in 0..self.host.sockets.packet_sockets().len() {
            let id = self.host.sockets.packet_sockets()[index];
            if self.host.sockets.get(id).is_some_and(|socket| socket.bound_dev == Some(dev)) {
                self.host.set_packet_promisc(id, false);
                if let Some(socket) = self.host.sockets.get_mut(id) {
                    socket.bound_dev = Some(NO_DEVICE);
                }
            }
        }
        if let Some(device) = self.host.get_dev_mut(dev) {
            device.taps = 0;
        }
    }
}

/// What a packet socket is bound to once its device is gone. Kernel: `po->ifindex = -1`.
const NO_DEVICE: DevId = DevId(u32::MAX);
