//! IPv4 options on the way: record route, timestamp and source route.
//!
//! Simplified: a malformed option is left alone, not answered with a parameter problem.

use std::net::{IpAddr, Ipv4Addr};

use packet::Packet;

const END: u8 = 0;
const NOOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;
/// Kernel: `IPOPT_TS_TSANDADDR`; any other but the next is time only.
const TSANDADDR: u8 = 1;
/// Kernel: `IPOPT_TS_PRESPEC`.
const PRESPEC: u8 = 3;

/// Type, offset and length of each option, up to the end or the first malformed one.
fn each(options: &[u8]) -> impl Iterator<Item = (u8, usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while options.get(at) == Some(&NOOP) {
            at += 1;
        }
        let kind = *options.get(at).filter(|&&kind| kind != END)?;
        let len = usize::from(*options.get(at + 1)?);
        if len < 2 || at + len > options.len() {
            return None;
        }
        let start = at;
        at += len;
        Some((kind, start, len))
    })
}

/// Whether the packet names the hosts it wants to go by. Kernel: `opt->srr`.
pub(super) fn is_source_routed(packet: &Packet) -> bool {
    let options = packet.options.as_ref().map_or(&[][..], |o| o);
    each(options).any(|(kind, ..)| matches!(kind, LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE))
}

/// What a host writes into options that have room for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// Its address.
    pub addr: Ipv4Addr,
    /// Milliseconds since midnight. Kernel: `inet_current_timestamp`.
    pub millis: u32,
    /// The address that the next timestamp asks of is its own.
    pub own: bool,
}

/// Whether a host has just written its address into a record route.
/// Kernel: `rr_needaddr` of `struct ip_options`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    record_route: bool,
}

/// Whose timestamp is wanted next, if the sender named the hosts (`tsprespec`).
pub(crate) fn prespecified(packet: &Packet) -> Option<IpAddr> {
    let options = packet.options.as_deref()?;
    let (_, start, len) = each(options).find(|&(kind, ..)| kind == TIMESTAMP)?;
    let option = options.get(start..start + len)?;
    let slot = usize::from(*option.get(2)?);
    let addr: [u8; 4] = option.get(slot.checked_sub(1)?..slot + 3)?.try_into().ok()?;
    (option.get(3)? & 0xf == PRESPEC).then(|| IpAddr::from(addr))
}

/// Writes address and time into the next free slots of a record route and a timestamp.
/// Kernel: `net/ipv4/ip_options.c, ip_options_compile, ip_options_build`.
pub(crate) fn stamp(packet: &mut Packet, stamp: Stamp) -> Written {
    let Some(options) = &mut packet.options else { return Written::default() };
    let found: Vec<_> = each(options).collect();
    let mut written = Written::default();
    for (kind, start, len) in found {
        let option = &mut options[start..start + len];
        match kind {
            RECORD_ROUTE => written.record_route = record_route(option, stamp.addr),
            TIMESTAMP => timestamp(option, stamp),
            _ => {}
        }
    }
    written
}

/// True if there was room. The pointer counts from 1.
fn record_route(option: &mut [u8], addr: Ipv4Addr) -> bool {
    let Some(&slot) = option.get(2) else { return false };
    let at = usize::from(slot);
    if at < 4 || at + 3 > option.len() {
        return false;
    }
    option[at - 1..at + 3].copy_from_slice(&addr.octets());
    option[2] += 4;
    true
}

fn timestamp(option: &mut [u8], stamp: Stamp) {
    let Some(&[_, _, slot, flags]) = option.first_chunk::<4>() else { return };
    let (at, kind) = (usize::from(slot), flags & 0xf);
    let with_addr = matches!(kind, TSANDADDR | PRESPEC);
    let need = if with_addr { 8 } else { 4 };
    if at < 5 || at + need - 1 > option.len() || (kind == PRESPEC && !stamp.own) {
        return;
    }
    if kind == TSANDADDR {
        option[at - 1..at + 3].copy_from_slice(&stamp.addr.octets());
    }
    option[at + need - 5..at + need - 1].copy_from_slice(&stamp.millis.to_be_bytes());
    option[2] += need as u8;
}

/// Counts a host that found the timestamp full. Kernel: `net/ipv4/ip_options.c, ip_options_compile`.
pub(super) fn count_overflow(packet: &mut Packet) {
    let Some(options) = &mut packet.options else { return };
    let found = each(options).find(|&(kind, ..)| kind == TIMESTAMP);
    let Some((_, start, len)) = found.filter(|&(_, _, len)| len >= 4) else { return };
    let option = &mut options[start..start + len];
    if usize::from(option[2]) > len && option[3] & 0xf != PRESPEC && option[3] >> 4 < 15 {
        option[3] += 0x10;
    }
}

/// The options of an answer: what was recorded goes on.
/// Kernel: `net/ipv4/ip_options.c, __ip_options_echo`.
#[allow(clippy::box_collection)] // The type of `Packet::options`.
pub(super) fn ip_options_echo(packet: &Packet) -> Option<Box<Vec<u8>>> {
    let options = packet.options.as_ref()?;
    let mut echo = Vec::new();
    for wanted in [RECORD_ROUTE, TIMESTAMP] {
        if let Some((_, start, len)) = each(options).find(|&(kind, ..)| kind == wanted) {
            echo.extend_from_slice(&options[start..start + len]);
        }
    }
    echo.resize(echo.len().next_multiple_of(4), END);
    (!echo.is_empty()).then(|| Box::new(echo))
}

/// Replaces the address that [`stamp`] has written: a forwarder records the address it sends by,
/// but leaves a timestamp's as it is. Kernel: `net/ipv4/ip_options.c, ip_forward_options`.
pub(super) fn ip_forward_options(packet: &mut Packet, written: Written, addr: IpAddr) {
    let (Some(options), IpAddr::V4(addr)) = (&mut packet.options, addr) else { return };
    let found = each(options).find(|&(kind, ..)| kind == RECORD_ROUTE && written.record_route);
    let Some((_, start, len)) = found else { return };
    let option = &mut options[start..start + len];
    if let Some(at) = usize::from(option[2]).checked_sub(5)
        && let Some(place) = option.get_mut(at..at + 4)
    {
        place.copy_from_slice(&addr.octets());
    }
}
