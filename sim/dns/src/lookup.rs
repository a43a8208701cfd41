//! What every resolver's question and answer are made of.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// The C library of a process: how it reads its files and asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Libc {
    /// glibc 2.36.
    Glibc,
    /// musl 1.2.4.
    Musl,
}

/// The addresses that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `AF_UNSPEC`: both.
    Any,
    /// `AF_INET`.
    V4,
    /// `AF_INET6`.
    V6,
}

impl Family {
    /// Whether an address is of it.
    pub fn includes(self, addr: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => addr.is_ipv4(),
            Self::V6 => addr.is_ipv6(),
        }
    }
}

/// What a name stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Addresses in the order in which they are tried.
    pub addrs: Vec<IpAddr>,
    /// The name at the end of its aliases.
    pub canonical: Option<String>,
    /// Its other names.
    pub aliases: Vec<String>,
}

impl Addresses {
    /// Those of IPv4.
    pub fn v4(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.addrs.iter().filter_map(|addr| match addr {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        })
    }
}

/// Why there are none (`EAI_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaiError {
    /// `EAI_NONAME`.
    NoName,
    /// `EAI_AGAIN`.
    Again,
    /// `EAI_NODATA`.
    NoData,
    /// `EAI_FAIL`.
    Fail,
    /// `EAI_ADDRFAMILY`.
    AddrFamily,
    /// `EAI_SYSTEM`.
    System,
}

impl GaiError {
    /// What gai_strerror(3) says.
    pub fn text(self, libc: Libc) -> &'static str {
        match (self, libc) {
            (Self::NoName, Libc::Glibc) => "Name or service not known",
            (Self::NoName, Libc::Musl) => "Name does not resolve",
            (Self::Again, Libc::Glibc) => "Temporary failure in name resolution",
            (Self::Again, Libc::Musl) => "Try again",
            (Self::NoData, Libc::Glibc) => "No address associated with hostname",
            (Self::NoData, Libc::Musl) => "Name has no usable address",
            (Self::Fail, Libc::Glibc) => "Non-recoverable failure in name resolution",
            (Self::Fail, Libc::Musl) => "Non-recoverable error",
            (Self::AddrFamily, Libc::Glibc) => "Address family for hostname not supported",
            (Self::AddrFamily, Libc::Musl) => "Unrecognized address family or invalid length",
            (Self::System, _) => "System error",
        }
    }
}

impl fmt::Display for GaiError {
    /// As glibc says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(Libc::Glibc))
    }
}

impl std::error::Error for GaiError {}

/// An IPv4 address as inet_aton(3) reads it: `10.0.0.1`, `10.1`, `0x7f.1`, `017700000001`.
pub fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let number = |part: &str| -> Option<u32> {
        let lower = part.to_ascii_lowercase();
        match lower.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok(),
            None if part.starts_with(|c: char| c.is_ascii_digit()) => part.parse().ok(),
            None => None,
        }
    };
    let mut addr = 0_u32;
    for (i, part) in first.iter().enumerate() {
        addr |= number(part).filter(|&n| n < 256)? << (24 - 8 * i);
    }
    let low_bits = 32 - 8 * first.len() as u32;
    let low = number(last).filter(|&n| low_bits == 32 || n < 1 << low_bits)?;
    Some(Ipv4Addr::from(addr | low))
}
