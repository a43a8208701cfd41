//! What a packet is.
//!
//! Frames are typed values with a shared payload: the packet path assigns fields and wraps
//! headers, it never parses. Bytes exist at the edges only ([`wire`] emits and parses,
//! [`pcapng`] writes and reads captures).
//!
//! Read first: [`Skb`], [`Frame`], [`Packet`], [`Body`].
//!
//! This room knows nothing of hosts, rules or time other than [`SimTime`].

mod arp;
mod frame;
mod icmp;
mod ids;
mod ip;
mod mac;
mod payload;
pub mod pcapng;
mod skb;
mod tcp;
mod time;
mod tuple;
mod udp;
mod vlan;
pub mod wire;

pub use arp::{Arp, ArpOp};
pub use frame::{EtherPayload, EtherType, Frame};
pub use icmp::{Icmp, IcmpError, Quoted};
pub use ids::{ConnId, DevId, HostId, IfIndex, NetnsId, PacketId, PacketIds, Pid};
pub use ip::{Addrs, Body, Frag, Packet, Proto};
pub use mac::MacAddr;
pub use payload::Payload;
pub use skb::{CtInfo, CtRef, NfBridge, OutputRoute, PktType, SkOwner, Skb};
pub use tcp::{Tcp, TcpFlags, TcpOptions};
pub use time::{HZ, JIFFY, SimTime};
pub use tuple::{L4Key, Tuple};
pub use udp::{Udp, UdpData, Vni};
pub use vlan::{VlanProto, VlanTag, VlanTags};
