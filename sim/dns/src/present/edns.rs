//! The OPT record as dig shows it. Source: BIND's `dns_message_pseudosectiontotext`.

use std::fmt::Write;
use std::net::IpAddr;

use hickory_proto::op::Edns;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};

/// The option codes of cookies and extended errors.
pub const COOKIE: u16 = 10;
const EXPIRE: u16 = 9;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;
const EXTENDED_ERROR: u16 = 15;

/// Extended errors by their numbers. RFC 8914 §4.
const ERRORS: [&str; 25] = [
    "Other",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
];

/// The bytes of the cookie option.
pub fn cookie(edns: &Edns) -> Option<&[u8]> {
    match edns.option(EdnsCode::Cookie) {
        Some(EdnsOption::Unknown(_, bytes)) => Some(bytes),
        _ => None,
    }
}

/// The lines of the pseudosection. `sent` is the cookie of the query that is answered.
pub(super) fn pseudosection(edns: &Edns, sent: Option<&[u8]>) -> String {
    let flags = edns.flags();
    let mut text = format!("; EDNS: version: {}, flags:", edns.version());
    if flags.dnssec_ok {
        text += " do";
    }
    // Compact answers OK.
    if flags.z & 0x4000 != 0 {
        text += " co";
    }
    match flags.z & !0x4000 {
        0 => text += "; udp: ",
        other => {
            let _ = write!(text, "; MBZ: 0x{other:04x}, udp: ");
        }
    }
    let _ = writeln!(text, "{}", edns.max_payload());
    for (code, option) in edns.options().as_ref() {
        text += &line(u16::from(*code), option, sent);
        text.push('\n');
    }
    text
}

fn line(code: u16, option: &EdnsOption, sent: Option<&[u8]>) -> String {
    let bytes = match option {
        EdnsOption::Subnet(subnet) => {
            let address = match subnet.addr() {
                IpAddr::V6(ip) => ip.to_string(),
                // The bytes that the prefix doesn't reach are not sent.
                IpAddr::V4(ip) => ip.to_string(),
            };
            return format!(
                "; CLIENT-SUBNET: {address}/{}/{}",
                subnet.source_prefix(),
                subnet.scope_prefix()
            );
        }
        EdnsOption::NSID(payload) => payload.as_ref(),
        EdnsOption::Unknown(_, bytes) => bytes,
        _ => &[],
    };
    match (code, bytes) {
        (COOKIE, []) => "; COOKIE:".to_owned(),
        (COOKIE, bytes) => {
            let verdict = match sent {
                None => "",
                Some(sent) if bytes.get(..8) != sent.get(..8) => " (bad)",
                Some(_) if bytes.len() >= 16 => " (good)",
                Some(_) => " (echoed)",
            };
            format!("; COOKIE: {}{verdict}", hex(bytes, ""))
        }
        (EXPIRE, [a, b, c, d]) => {
            let seconds = u32::from_be_bytes([*a, *b, *c, *d]);
            format!("; EXPIRE: {seconds} ({})", super::data::ttl_words(seconds))
        }
        (KEEPALIVE, [a, b]) => {
            let tenths = u16::from_be_bytes([*a, *b]);
            format!("; TCP KEEPALIVE: {}.{} secs", tenths / 10, tenths % 10)
        }
        (PADDING, []) => "; PAD:".to_owned(),
        (PADDING, bytes) => format!("; PAD: ({} bytes)", bytes.len()),
        (EXTENDED_ERROR, [a, b, words @ ..]) => {
            let number = u16::from_be_bytes([*a, *b]);
            let mut text = format!("; EDE: {number}");
            if let Some(name) = ERRORS.get(usize::from(number)) {
                let _ = write!(text, " ({name})");
            }
            match std::str::from_utf8(words) {
                _ if words.is_empty() => {}
                Ok(words) => {
                    let shown = words.chars().map(|c| if c.is_ascii_control() { '.' } else { c });
                    let _ = write!(text, ": ({})", shown.collect::<String>());
                }
                Err(_) => {
                    let _ = write!(text, ": {} ({})", hex(words, " ").trim_end(), printable(words));
                }
            }
            text
        }
        (code, bytes) => {
            let name = if code == 3 { "; NSID:".to_owned() } else { format!("; OPT={code}:") };
            match bytes {
                [] => name,
                bytes => format!("{name} {}(\"{}\")", hex(bytes, " "), printable(bytes)),
            }
        }
    }
}

/// Each byte as two digits with `end` after it.
fn hex(bytes: &[u8], end: &str) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}{end}");
        text
    })
}

fn printable(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect()
}
