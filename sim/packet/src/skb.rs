use std::net::IpAddr;

use crate::{ConnId, DevId, EtherPayload, Frame, MacAddr, Packet, PacketId, VlanTags};

/// A packet inside a kernel: the frame and what the kernel notes beside it.
/// Kernel: `struct sk_buff`.
///
/// Above the link layer the frame's addresses mean nothing on the way out and are the received
/// ones on the way in.
#[derive(Clone, Debug, PartialEq)]
pub struct Skb {
    /// Which packet this is.
    pub id: PacketId,
    /// Headers and payload.
    pub frame: Frame,
    /// The device it arrived on, or leaves by. Kernel: `skb->dev`.
    pub dev: DevId,
    /// `skb->mark`.
    pub mark: u32,
    /// Whom the frame was addressed to.
    pub pkt_type: PktType,
    /// The connection it belongs to. Kernel: `skb->_nfct`.
    pub ct: Option<CtRef>,
    /// Length in bytes of the longest fragment it was put together from; 0 if it wasn't.
    /// Kernel: `IPCB(skb)->frag_max_size`.
    pub frag_max_size: u16,
    /// Length in bytes of the longest of the fragments that it hangs together from, and would be cut
    /// into; 0 if it is one piece. Kernel: `skb_has_frag_list`.
    pub frag_list: u16,
    /// It was made or put together here and may be cut in spite of DF. Kernel: `skb->ignore_df`.
    pub ignore_df: bool,
    /// The route by which this host sent it, if that was to `lo`.
    pub route: Option<Box<OutputRoute>>,
    /// What br_netfilter notes of a bridged packet.
    /// Kernel: the extension `SKB_EXT_BRIDGE_NF`.
    pub nf_bridge: Option<Box<NfBridge>>,
    /// Rules say what they do with it. Kernel: `skb->nf_trace`.
    pub nf_trace: bool,
    /// The socket that it was sent from. Kernel: `skb->sk`.
    pub sk: SkOwner,
}

/// What br_netfilter notes on a packet that it shows to the hooks of IPv4.
/// Kernel: `struct nf_bridge_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NfBridge {
    /// The port it came in by. Kernel: `physinif`.
    pub physindev: DevId,
    /// The port it leaves by, once it is bridged. Kernel: `physoutdev`.
    pub physoutdev: Option<DevId>,
    /// Its destination before PREROUTING. Kernel: `ipv4_daddr`.
    pub daddr: IpAddr,
    /// The frame was for another host, which the hooks of IPv4 are not to see.
    pub pkt_otherhost: bool,
    /// It is in PREROUTING on behalf of the bridge.
    pub in_prerouting: bool,
    /// Its second PREROUTING, on the way up, was left out.
    pub sabotage_in_done: bool,
    /// The frame's own source, kept while the neighbour of its new destination is asked for.
    /// Kernel: `bridged_dnat` with `neigh_header`.
    pub bridged_dnat: Option<MacAddr>,
}

impl NfBridge {
    /// A packet to `daddr` that came in by the port `physindev`. Kernel: `nf_bridge_alloc`.
    pub const fn new(physindev: DevId, daddr: IpAddr) -> Self {
        Self {
            physindev,
            physoutdev: None,
            daddr,
            pkt_otherhost: false,
            in_prerouting: false,
            sabotage_in_done: false,
            bridged_dnat: None,
        }
    }
}

/// What input looks at of the route by which a packet left to `lo`: what comes back isn't routed
/// again. Kernel: `skb_dst`, its `dst->input`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputRoute {
    /// This host sent it, and takes it as its own whatever its address. Sockets take it to have
    /// come by this device: that of the own address, or the one the sender was bound to.
    /// Kernel: `ip_local_deliver`, `rt_iif`.
    Local(DevId),
    /// This host forwarded it, and does so again by the same route. Kernel: `ip_forward`.
    Forward {
        /// Where it came by first.
        from: DevId,
        /// Its mark then.
        mark: u32,
    },
}

/// Whose socket a packet was sent from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SkOwner {
    /// None: it was received, or its process closed the socket.
    #[default]
    None,
    /// The kernel's own, for ICMP and resets.
    Kernel,
    /// A process's; every process is root's.
    Process,
}

/// Whom a received frame was addressed to. Kernel: `PACKET_*` in `include/uapi/linux/if_packet.h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PktType {
    /// To us.
    #[default]
    Host,
    /// To all.
    Broadcast,
    /// To a group.
    Multicast,
    /// To someone else, seen because the device is promiscuous or a bridge port.
    OtherHost,
    /// Sent by us.
    Outgoing,
    /// Looped back by a device to itself.
    Loopback,
}

/// A packet's place in a tracked connection. Kernel: `skb->_nfct` with `enum ip_conntrack_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CtRef {
    /// The connection.
    pub conn: ConnId,
    /// State and direction.
    pub info: CtInfo,
}

/// Kernel: `enum ip_conntrack_info`, and `IP_CT_UNTRACKED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CtInfo {
    /// First packet of a connection.
    New,
    /// Original direction of a connection that has seen replies.
    Established,
    /// Reply direction.
    EstablishedReply,
    /// Related to it (an ICMP error), original direction.
    Related,
    /// Related to it, reply direction.
    RelatedReply,
    /// Taken out of tracking by NOTRACK.
    Untracked,
    /// Not looked up yet; `-j CT` said how, packed into the connection's number.
    Template,
}

impl CtInfo {
    /// Whether the packet travels in the reply direction. Kernel: `CTINFO2DIR`.
    pub const fn is_reply(self) -> bool {
        matches!(self, Self::EstablishedReply | Self::RelatedReply)
    }
}

impl Skb {
    /// A packet about which nothing is known yet but its frame and device.
    #[inline]
    pub fn new(id: PacketId, dev: DevId, frame: Frame) -> Self {
        Self {
            id,
            frame,
            dev,
            mark: 0,
            pkt_type: PktType::Host,
            ct: None,
            frag_max_size: 0,
            frag_list: 0,
            ignore_df: false,
            route: None,
            nf_bridge: None,
            nf_trace: false,
            sk: SkOwner::None,
        }
    }

    /// A packet with no link-layer header yet.
    #[inline]
    pub fn from_ip(id: PacketId, dev: DevId, packet: Packet) -> Self {
        let frame = Frame {
            dst: MacAddr::ZERO,
            src: MacAddr::ZERO,
            tags: VlanTags::NONE,
            payload: EtherPayload::Ip(packet),
        };
        Self::new(id, dev, frame)
    }

    /// Forgets what a kernel has noted, for the way to another device or namespace; mark and
    /// fragments stay. Kernel: `skb_scrub_packet`.
    pub fn scrub(&mut self) {
        self.ct = None;
        self.nf_bridge = None;
        self.nf_trace = false;
        self.sk = SkOwner::None;
        self.ignore_df = false;
        self.route = None;
    }

    /// `lo` brings back what this host sent. Kernel: `RTCF_LOCAL` of an output route.
    #[inline]
    pub fn is_looped_back(&self) -> bool {
        matches!(self.route.as_deref(), Some(OutputRoute::Local(_)))
    }

    /// The device that sockets take it to have come by. Kernel: `include/net/route.h`, `inet_iif`.
    #[inline]
    pub fn inet_iif(&self) -> DevId {
        match self.route.as_deref() {
            Some(OutputRoute::Local(iif)) => *iif,
            Some(OutputRoute::Forward { .. }) | None => self.dev,
        }
    }

    /// The IP packet. Panics if the frame carries none: call only above `ip_rcv`.
    #[inline]
    pub fn ip(&self) -> &Packet {
        self.frame.ip().expect("an skb above ip_rcv carries an IP packet")
    }

    /// The IP packet. Panics if the frame carries none: call only above `ip_rcv`.
    #[inline]
    pub fn ip_mut(&mut self) -> &mut Packet {
        self.frame.ip_mut().expect("an skb above ip_rcv carries an IP packet")
    }
}

const _: () = assert!(size_of::<Skb>() <= 144);
