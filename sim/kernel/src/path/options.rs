//! IPv4 options on the way: record route and source route.
//!
//! Simplified: timestamps are passed on as they are.

use std::net::IpAddr;

use packet::Packet;

const END: u8 = 0;
const NOOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;

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

/// Writes `addr` into the next free slot of a record route.
/// Kernel: `net/ipv4/ip_options.c, ip_options_compile, ip_forward_options`.
pub(crate) fn record_route(packet: &mut Packet, addr: IpAddr) {
    let (Some(options), IpAddr::V4(addr)) = (&mut packet.options, addr) else { return };
    let found = each(options).find(|&(kind, _, len)| kind == RECORD_ROUTE && len >= 3);
    let Some((_, start, len)) = found else { return };
    // The pointer counts from 1.
    let slot = usize::from(options[start + 2]);
    if slot >= 4 && slot + 3 <= len {
        options[start + slot - 1..start + slot + 3].copy_from_slice(&addr.octets());
        options[start + 2] += 4;
    }
}

/// The options of an answer: the record route goes on. Kernel: `net/ipv4/ip_options.c, __ip_options_echo`.
#[allow(clippy::box_collection)] // The type of `Packet::options`.
pub(super) fn ip_options_echo(packet: &Packet) -> Option<Box<Vec<u8>>> {
    let options = packet.options.as_ref()?;
    let (_, start, len) = each(options).find(|&(kind, ..)| kind == RECORD_ROUTE)?;
    let mut echo = options[start..start + len].to_vec();
    echo.resize(len.next_multiple_of(4), END);
    Some(Box::new(echo))
}

/// Replaces the address that [`record_route`] wrote last: a forwarder records the address it
/// sends by. Kernel: `net/ipv4/ip_options.c, ip_forward_options`.
pub(super) fn rewrite_last(packet: &mut Packet, addr: IpAddr) {
    let (Some(options), IpAddr::V4(addr)) = (&mut packet.options, addr) else { return };
    let found = each(options).find(|&(kind, _, len)| kind == RECORD_ROUTE && len >= 3);
    let Some((_, start, len)) = found else { return };
    let slot = usize::from(options[start + 2]);
    if slot >= 8 && slot - 1 <= len {
        options[start + slot - 5..start + slot - 1].copy_from_slice(&addr.octets());
    }
}
