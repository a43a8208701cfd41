//! In which order a name's addresses are tried: RFC 6724, as far as the C libraries follow it. glibc:
//! `rfc3484_sort` in `sysdeps/posix/getaddrinfo.c`; musl: `__lookup_name` in
//! `src/network/lookup_name.c`.

use std::cmp::{Ordering, Reverse};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use dns::{Family, Libc};
use kernel::socket::SocketKind;
use world::Sys;

/// An address, and from where it would be reached.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    addr: IpAddr,
    /// The source, and the length of its subnet's prefix.
    source: Option<(Ipv4Addr, u8)>,
}

/// Sorts addresses as the library does.
pub(super) fn sort(sys: &mut dyn Sys, libc: Libc, family: Family, addrs: &mut Vec<IpAddr>) {
    if addrs.len() < 2 {
        return;
    }
    let v4_only = family == Family::V4 || addrs.iter().all(IpAddr::is_ipv4);
    if libc == Libc::Musl && v4_only {
        return;
    }
    let mut candidates: Vec<Candidate> =
        addrs.iter().map(|addr| Candidate { addr: *addr, source: source(sys, *addr) }).collect();
    match libc {
        Libc::Glibc => candidates.sort_by(glibc),
        Libc::Musl => candidates.sort_by_key(|candidate| Reverse(musl_key(candidate))),
    }
    *addrs = candidates.iter().map(|candidate| candidate.addr).collect();
}

/// The address a datagram would leave from: a socket is connected, nothing is sent.
fn source(sys: &mut dyn Sys, addr: IpAddr) -> Option<(Ipv4Addr, u8)> {
    let fd = sys.socket(SocketKind::Udp).ok()?;
    let connected = sys.connect(fd, SocketAddr::new(addr, dns::PORT)).is_ok();
    let own = sys.local_addr(fd).filter(|_| connected);
    sys.close(fd);
    let IpAddr::V4(own) = own?.ip() else { return None };
    let addrs = sys.kernel().addrs(sys.netns());
    let prefix = addrs.iter().find(|known| known.addr.local.addr() == IpAddr::V4(own));
    Some((own, prefix.map_or(32, |known| known.addr.local.prefix_len())))
}

/// Rules 1, 2, 6, 8 and 9. For IPv4 common bits count only within a subnet.
fn glibc(a: &Candidate, b: &Candidate) -> Ordering {
    let matches = |candidate: &Candidate| {
        candidate.source.is_some_and(|(source, _)| scope(source.into()) == scope(candidate.addr))
    };
    let precedence = |addr: IpAddr| match addr {
        IpAddr::V4(_) => 10,
        IpAddr::V6(Ipv6Addr::LOCALHOST) => 50,
        IpAddr::V6(v6) if v6.segments()[0] == 0x2002 => 30,
        IpAddr::V6(_) => 40,
    };
    let common = |candidate: &Candidate| match (candidate.addr, candidate.source) {
        (IpAddr::V4(addr), Some((source, prefix))) => {
            let differ = (u32::from(addr) ^ u32::from(source)).leading_zeros();
            if differ >= u32::from(prefix) { differ } else { 0 }
        }
        _ => 0,
    };
    let by_source = || match (a.source, b.source) {
        (Some(_), Some(_)) => matches(b).cmp(&matches(a)),
        _ => Ordering::Equal,
    };
    b.source
        .is_some()
        .cmp(&a.source.is_some())
        .then_with(by_source)
        .then_with(|| precedence(b.addr).cmp(&precedence(a.addr)))
        .then_with(|| scope(a.addr).cmp(&scope(b.addr)))
        .then_with(|| common(b).cmp(&common(a)))
}

/// musl's sort key; equal ones keep their order.
fn musl_key(candidate: &Candidate) -> u32 {
    const USABLE: u32 = 0x4000_0000;
    const MATCHING_SCOPE: u32 = 0x2000_0000;
    const MATCHING_LABEL: u32 = 0x1000_0000;
    let precedence = match candidate.addr {
        IpAddr::V4(_) => 35,
        IpAddr::V6(Ipv6Addr::LOCALHOST) => 50,
        IpAddr::V6(v6) => match v6.segments()[0] {
            0x2002 => 30,
            0x2001 if v6.segments()[1] == 0 => 5,
            first if first & 0xfe00 == 0xfc00 => 3,
            _ => 40,
        },
    };
    let mut key = precedence << 20 | (15 - scope(candidate.addr)) << 16;
    if let (IpAddr::V4(addr), Some((source, _))) = (candidate.addr, candidate.source) {
        // Both are compared as IPv6 addresses that stand for them.
        key |= USABLE | MATCHING_LABEL | (96 + (u32::from(addr) ^ u32::from(source)).leading_zeros()) << 8;
        if scope(candidate.addr) == scope(source.into()) {
            key |= MATCHING_SCOPE;
        }
    }
    key
}

/// Link-local 2, site-local 5, global 14.
fn scope(addr: IpAddr) -> u32 {
    match addr {
        IpAddr::V4(v4) if v4.is_link_local() || v4.is_loopback() => 2,
        IpAddr::V4(_) => 14,
        IpAddr::V6(v6) if v6.is_multicast() => u32::from(v6.segments()[0] & 15),
        IpAddr::V6(v6) if v6.is_loopback() || v6.segments()[0] & 0xffc0 == 0xfe80 => 2,
        IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfec0 => 5,
        IpAddr::V6(_) => 14,
    }
}
