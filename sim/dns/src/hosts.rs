//! /etc/hosts as the C libraries read it. hosts(5); glibc: `nss/nss_files/files-hosts.c`; musl:
//! `name_from_hosts` in `src/network/lookup_name.c`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Addresses, Family, Libc, inet_aton};

/// The lines of the file that name something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    lines: Vec<Line>,
}

/// An address as it is written, and its names; the first is the canonical one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    address: String,
    names: Vec<String>,
}

impl Line {
    fn canonical(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }
}

/// What the file says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its addresses.
    Addresses(Addresses),
    /// Only addresses of the other family: musl asks no further.
    OtherFamily,
    /// Nothing.
    Nothing,
}

impl Hosts {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let mut words = line.split('#').next()?.split_whitespace().map(str::to_owned);
            let address = words.next()?;
            let names: Vec<String> = words.collect();
            (!names.is_empty()).then_some(Line { address, names })
        };
        Self { lines: text.lines().filter_map(line).collect() }
    }

    /// The addresses of a name.
    ///
    /// Simplified: glibc takes all of its lines together, as with `multi on` in /etc/host.conf, which
    /// is what Debian writes there.
    pub fn find(&self, libc: Libc, name: &str, family: Family) -> Found {
        let mut found = Addresses::default();
        let mut other = false;
        for line in &self.lines {
            let same = |known: &String| match libc {
                Libc::Glibc => known.eq_ignore_ascii_case(name),
                Libc::Musl => known == name,
            };
            if !line.names.iter().any(same) {
                continue;
            }
            let Some(address) = address(libc, &line.address) else { continue };
            let Some(address) = wanted(libc, address, family) else {
                other = true;
                continue;
            };
            found.aliases.extend(line.names.iter().skip(1).cloned());
            match (&found.canonical, line.canonical()) {
                (None, canonical) => found.canonical = canonical.map(str::to_owned),
                (Some(first), Some(other)) if first != other => found.aliases.push(other.to_owned()),
                (Some(_), _) => {}
            }
            found.addrs.push(address);
        }
        match (found.addrs.is_empty(), other, libc) {
            (false, ..) => Found::Addresses(found),
            (true, true, Libc::Musl) => Found::OtherFamily,
            (true, ..) => Found::Nothing,
        }
    }

    /// All lines: address and names. IPv6's loopback address comes as IPv4's, other IPv6 addresses not at
    /// all, as gethostent(3) answers.
    pub fn entries(&self) -> impl Iterator<Item = (IpAddr, &[String])> {
        self.lines.iter().filter_map(|line| {
            let address = address(Libc::Glibc, &line.address)?;
            Some((wanted(Libc::Glibc, address, Family::V4)?, &line.names[..]))
        })
    }

    /// The names of an address, the canonical one first.
    pub fn names(&self, addr: IpAddr) -> Option<&[String]> {
        let line = self.lines.iter().find(|line| address(Libc::Glibc, &line.address) == Some(addr))?;
        Some(&line.names)
    }
}

fn address(libc: Libc, text: &str) -> Option<IpAddr> {
    match libc {
        Libc::Glibc => text.parse().ok(),
        Libc::Musl => inet_aton(text).map(IpAddr::V4).or_else(|| text.parse().ok()),
    }
}

/// The address in that family. To who asks for IPv4, glibc gives those of IPv6 that stand for one.
fn wanted(libc: Libc, address: IpAddr, family: Family) -> Option<IpAddr> {
    match (family, address, libc) {
        (Family::Any, ..) | (Family::V4, IpAddr::V4(_), _) | (Family::V6, IpAddr::V6(_), _) => Some(address),
        (Family::V4, IpAddr::V6(Ipv6Addr::LOCALHOST), Libc::Glibc) => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        (Family::V4, IpAddr::V6(v6), Libc::Glibc) => v6.to_ipv4_mapped().map(IpAddr::V4),
        (Family::V4, IpAddr::V6(_), Libc::Musl) | (Family::V6, IpAddr::V4(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_names_of_its_first_line() {
        let hosts = Hosts::parse("# 10.0.0.1 old\n10.0.0.1\n10.0.0.1\tweb.test web # now\n10.0.0.1 other\n");
        let names = |addr: &str| hosts.names(addr.parse().expect("an address")).map(|names| names.join(" "));
        assert_eq!(names("10.0.0.1").as_deref(), Some("web.test web"));
        assert_eq!(names("10.0.0.2"), None);
    }
}
