use std::fmt;
use std::net::Ipv4Addr;

use packet::Proto;

use super::SetType;
use crate::names;

/// An element as a user gives it, or as the kernel lists it. Kernel: `IPSET_ATTR_*` of
/// `ip_set_adt_policy`. Addresses and ports are in host byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// First address.
    pub ip: Option<u32>,
    /// Last address of a range.
    pub ip_to: Option<u32>,
    /// Prefix length of `ip`.
    pub cidr: Option<u8>,
    /// Protocol of the port.
    pub proto: Option<u8>,
    /// First port, or ICMP type and code.
    pub port: Option<u16>,
    /// Last port of a range.
    pub port_to: Option<u16>,
    /// The second address.
    pub ip2: Option<u32>,
    /// Last address of the second range.
    pub ip2_to: Option<u32>,
    /// Prefix length of `ip2`.
    pub cidr2: Option<u8>,
    /// A set's name.
    pub name: Option<String>,
    /// `before NAME`, `after NAME`.
    pub nameref: Option<String>,
    /// `before`.
    pub before: bool,
    /// `nomatch`.
    pub nomatch: bool,
    /// `timeout`, seconds; 0 is forever.
    pub timeout: Option<u32>,
    /// `packets`.
    pub packets: Option<u64>,
    /// `bytes`.
    pub bytes: Option<u64>,
    /// `comment`.
    pub comment: Option<String>,
    /// `skbmark`, with its mask.
    pub skbmark: Option<(u32, u32)>,
    /// `skbprio`.
    pub skbprio: Option<u32>,
    /// `skbqueue`.
    pub skbqueue: Option<u16>,
}

/// What a set is created with. Kernel: `IPSET_ATTR_*` of `create_policy`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateOptions {
    /// `range`: first address.
    pub ip: Option<u32>,
    /// `range`: last address.
    pub ip_to: Option<u32>,
    /// `range`: prefix length.
    pub cidr: Option<u8>,
    /// `range`: first port.
    pub port: Option<u16>,
    /// `range`: last port.
    pub port_to: Option<u16>,
    /// `hashsize`, buckets.
    pub hashsize: Option<u32>,
    /// `maxelem`, elements.
    pub maxelem: Option<u32>,
    /// `netmask`, bits.
    pub netmask: Option<u8>,
    /// `bitmask`.
    pub bitmask: Option<u32>,
    /// `size` of a list.
    pub size: Option<u32>,
    /// `timeout`, seconds; 0 is forever.
    pub timeout: Option<u32>,
    /// `counters`.
    pub counters: bool,
    /// `comment`.
    pub comment: bool,
    /// `forceadd`.
    pub forceadd: bool,
    /// `skbinfo`.
    pub skbinfo: bool,
    /// `bucketsize`, elements.
    pub bucketsize: Option<u8>,
    /// `initval`.
    pub initval: Option<u32>,
}

/// `tcp:80`, `icmp:8/0`; without protocol `80`, `80-90`.
fn port(f: &mut fmt::Formatter<'_>, entry: &Entry) -> fmt::Result {
    let port = entry.port.unwrap_or(0);
    if let Some(proto) = entry.proto {
        match names::protocol(Proto(proto)) {
            Some(name) => write!(f, "{name}:")?,
            None => write!(f, "{proto}:")?,
        }
        if proto == Proto::ICMP.0 {
            return write!(f, "{}/{}", port >> 8, port & 0xff);
        }
    }
    write!(f, "{port}")?;
    entry.port_to.map_or(Ok(()), |to| write!(f, "-{to}"))
}

fn addr(f: &mut fmt::Formatter<'_>, ip: u32, cidr: Option<u8>, to: Option<u32>) -> fmt::Result {
    write!(f, "{}", Ipv4Addr::from(ip))?;
    cidr.map_or(Ok(()), |cidr| write!(f, "/{cidr}"))?;
    to.map_or(Ok(()), |to| write!(f, "-{}", Ipv4Addr::from(to)))
}

/// The words after `ipset add SETNAME`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            f.write_str(name)?;
        } else {
            if let Some(ip) = self.ip {
                addr(f, ip, self.cidr, self.ip_to)?;
            }
            if self.port.is_some() {
                f.write_str(if self.ip.is_some() { "," } else { "" })?;
                port(f, self)?;
            }
            if let Some(ip2) = self.ip2 {
                f.write_str(",")?;
                addr(f, ip2, self.cidr2, self.ip2_to)?;
            }
        }
        if let Some(other) = &self.nameref {
            write!(f, " {} {other}", if self.before { "before" } else { "after" })?;
        }
        if let Some(timeout) = self.timeout {
            write!(f, " timeout {timeout}")?;
        }
        if self.nomatch {
            f.write_str(" nomatch")?;
        }
        if let Some(packets) = self.packets {
            write!(f, " packets {packets}")?;
        }
        if let Some(bytes) = self.bytes {
            write!(f, " bytes {bytes}")?;
        }
        if let Some(comment) = &self.comment {
            write!(f, " comment \"{comment}\"")?;
        }
        if let Some((mark, mask)) = self.skbmark {
            write!(f, " skbmark {mark:#x}/{mask:#x}")?;
        }
        if let Some(prio) = self.skbprio {
            write!(f, " skbprio {:x}:{:x}", prio >> 16, prio & 0xffff)?;
        }
        self.skbqueue.map_or(Ok(()), |queue| write!(f, " skbqueue {queue}"))
    }
}

impl CreateOptions {
    /// Writes the words after `ipset create SETNAME TYPE`, each with a space before it.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, kind: SetType) -> fmt::Result {
        if let Some(ip) = self.ip {
            f.write_str(" range ")?;
            addr(f, ip, self.cidr, self.ip_to)?;
        }
        if let (Some(from), Some(to)) = (self.port, self.port_to) {
            write!(f, " range {from}-{to}")?;
        }
        if kind.name().starts_with("hash:") {
            f.write_str(" family inet")?;
        }
        let mut number = |name: &str, value: Option<u32>| match value {
            Some(value) => write!(f, " {name} {value}"),
            None => Ok(()),
        };
        number("hashsize", self.hashsize)?;
        number("maxelem", self.maxelem)?;
        number("netmask", self.netmask.map(u32::from))?;
        number("size", self.size)?;
        number("timeout", self.timeout)?;
        number("bucketsize", self.bucketsize.map(u32::from))?;
        if let Some(bitmask) = self.bitmask {
            write!(f, " bitmask {}", Ipv4Addr::from(bitmask))?;
        }
        let flags = [
            (self.counters, "counters"),
            (self.comment, "comment"),
            (self.forceadd, "forceadd"),
            (self.skbinfo, "skbinfo"),
        ];
        for (_, name) in flags.into_iter().filter(|(given, _)| *given) {
            write!(f, " {name}")?;
        }
        self.initval.map_or(Ok(()), |initval| write!(f, " initval {initval:#010x}"))
    }
}
