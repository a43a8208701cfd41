use super::{WireError, emit_body, parse_body};
use crate::{Body, Frag, Packet, Payload};

/// Cuts `packet` into fragments of at most `mtu` bytes each. A fragment is cut further.
///
/// Options without the copied flag (bit 7 of the type) are blanked in all fragments but the
/// first. Kernel: `net/ipv4/ip_output.c, ip_do_fragment, ip_frag_next`.
pub fn fragment(packet: &Packet, mtu: usize) -> Vec<Packet> {
    let body = match &packet.body {
        Body::Fragment(_, bytes) => bytes.to_vec(),
        Body::Tcp(_) | Body::Udp(_) | Body::Icmp(_) | Body::Ip(_) | Body::Bytes(..) => emit_body(packet),
    };
    let room = mtu.saturating_sub(packet.header_len()).max(8);
    let mut fragments = Vec::with_capacity(body.len() / room + 1);
    let mut at = 0;
    while at < body.len() {
        let left = body.len() - at;
        let len = if left > room { room & !7 } else { left };
        let offset = packet.frag.offset + at as u16;
        let options = match &packet.options {
            Some(options) if at > 0 => Some(Box::new(options_for_fragment(options))),
            options => options.clone(),
        };
        fragments.push(Packet {
            addrs: packet.addrs.clone(),
            options,
            frag: Frag { df: packet.frag.df, mf: packet.frag.mf || left > len, offset },
            body: Body::Fragment(packet.proto(), body[at..at + len].into()),
            ..*packet
        });
        at += len;
    }
    fragments
}

/// Kernel: `net/ipv4/ip_options.c, ip_options_fragment`.
fn options_for_fragment(options: &[u8]) -> Vec<u8> {
    const END: u8 = 0;
    const NOOP: u8 = 1;
    let mut out = options.to_vec();
    let mut at = 0;
    while let Some(&kind) = options.get(at) {
        match kind {
            END => break,
            NOOP => at += 1,
            kind => {
                let len = options.get(at + 1).map_or(0, |&l| usize::from(l));
                if len < 2 || at + len > options.len() {
                    break;
                }
                if kind & 0x80 == 0 {
                    out[at..at + len].fill(NOOP);
                }
                at += len;
            }
        }
    }
    out
}

/// The whole packet: `first`'s header over `bytes`, the data of all fragments in order.
/// Kernel: `net/ipv4/ip_fragment.c, ip_frag_reasm`.
pub fn reassemble(first: &Packet, bytes: Vec<u8>) -> Result<Packet, WireError> {
    let proto = first.proto();
    let body = parse_body(proto, &first.addrs, &bytes).or_else(|error| match bytes.is_empty() {
        true => Ok(Body::Bytes(proto, Payload::EMPTY)),
        false => Err(error),
    })?;
    Ok(Packet {
        addrs: first.addrs.clone(),
        options: first.options.clone(),
        frag: Frag { df: false, mf: false, offset: 0 },
        body,
        ..*first
    })
}
