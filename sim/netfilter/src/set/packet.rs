use packet::{Packet, Proto, Skb};
use std::net::IpAddr;

use super::SetType;
use super::elem::{Elem, mask};
use super::ext::{Ext, Extensions, Jiffies, SkbInfo};
use crate::transport;

/// Which of a packet's addresses and ports are looked up, in order: `src,dst`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirs {
    /// How many, at most 6.
    pub dim: u8,
    /// Bit N is set if number N, from 0, is the source.
    pub src: u8,
}

impl Dirs {
    const fn is_src(self, dim: u8) -> bool {
        self.src & 1 << dim != 0
    }
}

/// `--packets-eq` and kin. Kernel: `IPSET_COUNTER_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterOp {
    /// `-eq`.
    Eq,
    /// `! …-eq`.
    Ne,
    /// `-lt`.
    Lt,
    /// `-gt`.
    Gt,
}

/// A condition on an element's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterMatch {
    /// How.
    pub op: CounterOp,
    /// With what.
    pub value: u64,
}

impl CounterMatch {
    /// Kernel: `ip_set_match_counter`.
    const fn holds(self, counter: u64) -> bool {
        match self.op {
            CounterOp::Eq => counter == self.value,
            CounterOp::Ne => counter != self.value,
            CounterOp::Lt => counter < self.value,
            CounterOp::Gt => counter > self.value,
        }
    }
}

/// What a rule asks of a set. Kernel: `struct ip_set_adt_opt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketOptions {
    /// What is looked up.
    pub dirs: Dirs,
    /// `--return-nomatch`.
    pub return_nomatch: bool,
    /// `! --update-counters`.
    pub skip_counters: bool,
    /// `! --update-subcounters`.
    pub skip_subcounters: bool,
    /// `--packets-…`.
    pub packets: Option<CounterMatch>,
    /// `--bytes-…`.
    pub bytes: Option<CounterMatch>,
    /// `--exist`.
    pub exist: bool,
    /// `--timeout`, seconds; 0 is forever.
    pub timeout: Option<u32>,
}

/// The answer to a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tested {
    /// Whether the packet is in the set.
    pub hit: bool,
    /// What its element says of the packet.
    pub skb: SkbInfo,
}

/// A lookup on its way through a set.
pub(super) struct Probe<'a> {
    /// The rule's; `None` for a user's test, which counts nothing.
    pub(super) options: Option<&'a PacketOptions>,
    /// Bytes of the packet.
    pub(super) len: u64,
    /// What the element says of the packet.
    pub(super) skb: SkbInfo,
}

impl Probe<'_> {
    /// A user's test.
    pub(super) fn of_user() -> Self {
        Self { options: None, len: 0, skb: SkbInfo::default() }
    }

    /// Kernel: `ip_set_match_extensions`.
    pub(super) fn fits(&mut self, exts: &Extensions, ext: &mut Ext, now: Jiffies) -> bool {
        if exts.timeout.is_some() && ext.is_expired(now) {
            return false;
        }
        if let Some(options) = self.options.filter(|_| exts.counters) {
            if !options.skip_counters {
                ext.packets = ext.packets.wrapping_add(1);
                ext.bytes = ext.bytes.wrapping_add(self.len);
            }
            let holds = |wanted: Option<CounterMatch>, counter| wanted.is_none_or(|m| m.holds(counter));
            if !holds(options.packets, ext.packets) || !holds(options.bytes, ext.bytes) {
                return false;
            }
        }
        if exts.skbinfo {
            self.skb = ext.skb;
        }
        true
    }
}

fn address(packet: &Packet, src: bool) -> Option<u32> {
    match if src { packet.src() } else { packet.dst() } {
        IpAddr::V4(addr) => Some(addr.to_bits()),
        IpAddr::V6(_) => None,
    }
}

/// Kernel: `ip_set_get_ip4_port`.
fn port(packet: &Packet, src: bool) -> Option<(u16, u8)> {
    let proto = packet.proto();
    let port = match proto {
        Proto::TCP | Proto::UDP | Proto::SCTP | Proto(136) => {
            let (sport, dport) = transport::ports(packet)?;
            if src { sport } else { dport }
        }
        Proto::ICMP => {
            let (kind, code) = transport::icmp_type(packet)?;
            u16::from(kind) << 8 | u16::from(code)
        }
        Proto(0) => return None,
        _ => 0,
    };
    Some((port, proto.0))
}

/// The element that a packet stands for; `cidr` is the prefix length of a network.
/// Kernel: `hash_ip4_kadt` and kin.
pub(super) fn elem(skb: &Skb, kind: SetType, dirs: Dirs, bitmask: u32, cidr: u8) -> Option<Elem> {
    let packet = skb.ip();
    let ip = address(packet, dirs.is_src(0))?;
    let mut elem = Elem { ip, ..Elem::default() };
    if kind.dimension() > 1 {
        (elem.port, elem.proto) = port(packet, dirs.is_src(1))?;
    }
    match kind {
        SetType::HashIp | SetType::HashIpPort => {
            elem.ip &= bitmask;
            (elem.ip != 0).then_some(elem)
        }
        SetType::HashNet | SetType::HashNetPort => Some(Elem { ip: ip & mask(cidr), cidr, ..elem }),
        SetType::HashIpPortIp => Some(Elem { ip2: address(packet, dirs.is_src(2))?, ..elem }),
        SetType::HashIpPortNet => {
            Some(Elem { ip2: address(packet, dirs.is_src(2))? & mask(cidr), cidr, ..elem })
        }
        SetType::BitmapIp => Some(elem),
        SetType::BitmapPort => {
            let (port, proto) = port(packet, dirs.is_src(0))?;
            matches!(Proto(proto), Proto::TCP | Proto::UDP)
                .then_some(Elem { ip: u32::from(port), ..Elem::default() })
        }
        SetType::ListSet => None,
    }
}
