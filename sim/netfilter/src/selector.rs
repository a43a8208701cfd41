use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use packet::{Packet, Proto, Skb};

use crate::args::{ArgError, hosts_file, inet_aton, number};
use crate::{EvalCx, names};

/// What every rule can ask of a packet without an extension.
/// Kernel: `struct ipt_ip` in `include/uapi/linux/netfilter_ipv4/ip_tables.h`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// `-s`.
    pub src: Option<Not<AddrMask>>,
    /// `-d`.
    pub dst: Option<Not<AddrMask>>,
    /// `-i`.
    pub input: Option<Not<DevPattern>>,
    /// `-o`.
    pub output: Option<Not<DevPattern>>,
    /// `-p`.
    pub proto: Option<Not<Proto>>,
    /// `-f`: `true` for second and later fragments, `false` for `! -f`.
    pub fragment: Option<bool>,
}

/// A value that `!` may precede.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Not<T> {
    /// `!` stands before it.
    pub invert: bool,
    /// The value.
    pub value: T,
}

impl<T> Not<T> {
    /// `! ` or nothing.
    pub const fn bang(&self) -> &'static str {
        if self.invert { "! " } else { "" }
    }
}

/// An address with a mask, which need not be a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddrMask {
    /// Address; bits outside the mask don't count.
    pub addr: IpAddr,
    /// Mask of the same family.
    pub mask: IpAddr,
}

/// A device name; a final `+` stands for any ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevPattern(pub String);

impl AddrMask {
    /// Reads `ADDR`, `ADDR/LEN` or `ADDR/MASK`; the bits outside the mask become zero.
    ///
    /// # Errors
    /// Address or mask aren't any.
    pub fn parse(text: &str) -> Result<Self, ArgError> {
        let (addr_text, mask_text) =
            text.rsplit_once('/').map_or((text, None), |(addr, mask)| (addr, Some(mask)));
        let mask = match mask_text {
            None => u32::MAX,
            Some(mask) if mask.contains('.') => {
                mask.parse::<Ipv4Addr>().map_err(|_| ArgError::Mask(mask.to_owned()))?.to_bits()
            }
            Some(len) => match number(len) {
                Some(len @ 0..=32) => u32::MAX.checked_shl(32 - len as u32).unwrap_or(0),
                _ => return Err(ArgError::Mask(len.to_owned())),
            },
        };
        let addr =
            short_address(addr_text).or_else(|| inet_aton(addr_text)).or_else(|| hosts_file(addr_text));
        let addr = addr.ok_or_else(|| ArgError::Host(addr_text.to_owned()))?;
        Ok(Self { addr: addr.into(), mask: Ipv4Addr::from_bits(mask).into() }.masked())
    }

    /// The same without the bits that don't count.
    pub fn masked(self) -> Self {
        match (self.addr, self.mask) {
            (IpAddr::V4(addr), IpAddr::V4(mask)) => Self { addr: (addr & mask).into(), mask: mask.into() },
            (IpAddr::V6(addr), IpAddr::V6(mask)) => Self { addr: (addr & mask).into(), mask: mask.into() },
            _ => self,
        }
    }

    /// One address.
    pub fn host(addr: IpAddr) -> Self {
        let mask = match addr {
            IpAddr::V4(_) => Ipv4Addr::BROADCAST.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::from_bits(u128::MAX).into(),
        };
        Self { addr, mask }
    }

    /// Whether `addr` is in it.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.addr, self.mask, addr) {
            (IpAddr::V4(net), IpAddr::V4(mask), IpAddr::V4(addr)) => {
                (addr.to_bits() ^ net.to_bits()) & mask.to_bits() == 0
            }
            (IpAddr::V6(net), IpAddr::V6(mask), IpAddr::V6(addr)) => {
                (addr.to_bits() ^ net.to_bits()) & mask.to_bits() == 0
            }
            _ => false,
        }
    }

    /// Whether it holds every address.
    pub fn is_any(&self) -> bool {
        self.mask.is_unspecified()
    }

    /// Length of the prefix, if the mask is one.
    pub fn prefix_len(&self) -> Option<u8> {
        ipnet::ip_mask_to_prefix(self.mask).ok()
    }

    /// As `-L -n` prints it: without the length of a host's address.
    pub fn listed(&self) -> String {
        match self.prefix_len() {
            Some(32) if self.addr.is_ipv4() => self.addr.to_string(),
            _ => self.to_string(),
        }
    }
}

/// `10.0.0.0/8`, or with a mask that is no prefix `10.0.0.0/255.0.255.0`.
impl fmt::Display for AddrMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix_len() {
            Some(len) => write!(f, "{}/{len}", self.addr),
            None => write!(f, "{}/{}", self.addr, self.mask),
        }
    }
}

/// An address whose last numbers may be left out (`10/8`) and are then zero.
/// iptables `xtables_numeric_to_ipaddr`.
pub(crate) fn short_address(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    let mut octets = [0; 4];
    for (octet, part) in octets.iter_mut().zip(parts) {
        *octet = number(part).and_then(|n| u8::try_from(n).ok()).filter(|_| !part.is_empty())?;
    }
    Some(Ipv4Addr::from(octets))
}

impl DevPattern {
    /// Reads a name. iptables: `xtables_parse_interface`.
    ///
    /// # Errors
    /// It is too long.
    pub fn parse(text: &str) -> Result<Self, ArgError> {
        if text.len() > 15 {
            return Err(ArgError::said(format!(
                "interface name `{text}' must be shorter than IFNAMSIZ (15)"
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a device of that name fits; an empty pattern fits all.
    pub fn matches(&self, name: &str) -> bool {
        match self.0.strip_suffix('+') {
            Some(prefix) => name.starts_with(prefix),
            None => name == self.0 || self.0.is_empty(),
        }
    }
}

impl Selector {
    /// Whether the packet fits. Kernel: `ip_packet_match` in `net/ipv4/netfilter/ip_tables.c`.
    pub fn matches(&self, cx: &EvalCx<'_>, skb: &Skb) -> bool {
        let packet = skb.ip();
        let Self { src, dst, input, output, proto, fragment } = self;
        src.as_ref().is_none_or(|s| s.value.contains(packet.src()) != s.invert)
            && dst.as_ref().is_none_or(|d| d.value.contains(packet.dst()) != d.invert)
            && input.as_ref().is_none_or(|i| i.value.matches(cx.in_name) != i.invert)
            && output.as_ref().is_none_or(|o| o.value.matches(cx.out_name) != o.invert)
            && proto.as_ref().is_none_or(|p| (p.value == packet.proto()) != p.invert)
            && fragment.is_none_or(|wanted| is_later_fragment(packet) == wanted)
    }

    /// Number of conditions.
    pub(crate) fn conditions(&self) -> usize {
        let Self { src, dst, input, output, proto, fragment } = self;
        let given = [
            src.is_some(),
            dst.is_some(),
            input.is_some(),
            output.is_some(),
            proto.is_some(),
            fragment.is_some(),
        ];
        given.into_iter().filter(|given| *given).count()
    }

    /// The predicates that the packet fails, each with the packet's own value.
    pub fn failures(&self, cx: &EvalCx<'_>, skb: &Skb) -> Vec<String> {
        let packet = skb.ip();
        let mut failed = Vec::new();
        let mut check = |given: bool, alone: Self, value: String| {
            if given && !alone.matches(cx, skb) {
                failed.push(format!("{} (packet: {value})", alone.to_string().trim_start()));
            }
        };
        let Self { src, dst, input, output, proto, fragment } = self.clone();
        let none = Self::default;
        check(src.is_some(), Self { src, ..none() }, packet.src().to_string());
        check(dst.is_some(), Self { dst, ..none() }, packet.dst().to_string());
        check(input.is_some(), Self { input, ..none() }, dev_or_none(cx.in_name));
        check(output.is_some(), Self { output, ..none() }, dev_or_none(cx.out_name));
        let packet_proto =
            names::protocol(packet.proto()).map_or(packet.proto().0.to_string(), str::to_owned);
        check(proto.is_some(), Self { proto, ..none() }, packet_proto);
        check(fragment.is_some(), Self { fragment, ..none() }, format!("offset {}", packet.frag.offset));
        failed
    }
}

fn dev_or_none(name: &str) -> String {
    if name.is_empty() { "none".to_owned() } else { name.to_owned() }
}

/// Second and later fragments.
fn is_later_fragment(packet: &Packet) -> bool {
    packet.frag.offset != 0
}

/// Each part with a space before it, in the order of `iptables -S`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { src, dst, input, output, proto, fragment } = self;
        if let Some(src) = src {
            write!(f, " {}-s {}", src.bang(), src.value)?;
        }
        if let Some(dst) = dst {
            write!(f, " {}-d {}", dst.bang(), dst.value)?;
        }
        if let Some(input) = input {
            write!(f, " {}-i {}", input.bang(), input.value.0)?;
        }
        if let Some(output) = output {
            write!(f, " {}-o {}", output.bang(), output.value.0)?;
        }
        if let Some(proto) = proto {
            match names::protocol(proto.value) {
                Some(name) => write!(f, " {}-p {name}", proto.bang())?,
                None => write!(f, " {}-p {}", proto.bang(), proto.value.0)?,
            }
        }
        match fragment {
            Some(true) => f.write_str(" -f"),
            Some(false) => f.write_str(" ! -f"),
            None => Ok(()),
        }
    }
}
