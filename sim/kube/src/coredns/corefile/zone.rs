//! Zones as Corefiles name them: names, with ports, or prefixes of addresses.
//! CoreDNS: `plugin/normalize.go`, `plugin/pkg/cidr`.

use std::net::IpAddr;

use dns::Name;
use ipnet::IpNet;

use super::error::Error;

/// The transports that a key or an upstream may name, but for plain DNS.
const SCHEMES: [&str; 5] = ["tls", "quic", "grpc", "https", "unix"];

/// A name's labels; none if it is no domain name. It may end with a dot. Of escapes `\.` and
/// `\DDD` are known. Go: `dns.IsDomainName`.
pub(super) fn name(text: &str) -> Option<Name> {
    if text == "." {
        return Some(Name::root());
    }
    let mut labels: Vec<Vec<u8>> = vec![Vec::new()];
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let (byte, is_escaped) = match byte {
            b'\\' => (escaped(&mut bytes)?, true),
            other => (other, false),
        };
        match labels.last_mut() {
            Some(label) if is_escaped || byte != b'.' => label.push(byte.to_ascii_lowercase()),
            Some(label) if label.is_empty() => return None,
            _ => labels.push(Vec::new()),
        }
    }
    labels.pop_if(|label| label.is_empty());
    let name = Name::from_labels(labels).ok()?;
    Some(name).filter(|name| !name.is_root())
}

fn escaped(bytes: &mut std::str::Bytes<'_>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let digits = [first, bytes.next()?, bytes.next()?];
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// The transport before `://`, or none for DNS, and what follows it.
pub(super) fn transport(text: &str) -> (Option<&str>, &str) {
    if let Some(rest) = text.strip_prefix("dns://") {
        return (None, rest);
    }
    match text.split_once("://") {
        Some((scheme, rest)) if SCHEMES.contains(&scheme) => (Some(scheme), rest),
        _ => (None, text),
    }
}

/// The zones that a key names, several for a prefix between two octets, and its port.
pub(super) fn zones_and_port(text: &str) -> Result<(Vec<Name>, Option<u16>), Error> {
    let (host, port) = match text.rsplit_once(':') {
        Some((_, "")) => {
            return Err(Error::refused(format_args!("expecting data after last colon: {text:?}")));
        }
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number =
                port.parse().map_err(|_| Error::refused(format_args!("address {port}: invalid port")))?;
            (host, Some(number))
        }
        _ => (text, None),
    };
    if host.len() > 255 {
        return Err(Error::refused(format_args!("specified zone is too long: {} > 255", host.len())));
    }
    // `:53` is the root, as an empty name is.
    let zone = if host.is_empty() { Some(Name::root()) } else { name(host) };
    let zone = zone.ok_or_else(|| Error::refused(format_args!("zone is not a valid domain name: {host}")))?;
    let Ok(net) = host.parse::<IpNet>() else { return Ok((vec![zone], port)) };
    if host.starts_with(':') || (host.starts_with('0') && host.contains(':')) {
        return Err(Error::refused(format_args!("invalid CIDR {host}")));
    }
    Ok((reverse_zones(net.trunc()), port))
}

/// The zones of an argument, without port; none if it is no zone.
pub(super) fn zones(text: &str) -> Vec<Name> {
    let (_, text) = transport(text);
    zones_and_port(text).map(|(zones, _)| zones).unwrap_or_default()
}

/// The zones of arguments; those of the server block if there are none.
pub(super) fn zones_or(args: &[String], block: &[Name]) -> Vec<Name> {
    if args.is_empty() { block.to_vec() } else { args.iter().flat_map(|arg| zones(arg)).collect() }
}

/// Whether a zone is one of addresses' names.
pub(super) fn is_reverse(zone: &Name) -> bool {
    let labels: Vec<&[u8]> = zone.iter().collect();
    matches!(labels[..], [.., _, b"in-addr" | b"ip6", b"arpa"])
}

/// The reverse zones that a prefix covers.
fn reverse_zones(net: IpNet) -> Vec<Name> {
    let step = if net.addr().is_ipv4() { 8 } else { 4 };
    let Ok(subnets) = net.subnets(net.prefix_len().next_multiple_of(step)) else { return Vec::new() };
    subnets.filter_map(|subnet| reverse_zone(subnet.addr(), subnet.prefix_len())).collect()
}

/// Of an address's name, what `bits` bits stand for.
fn reverse_zone(address: IpAddr, bits: u8) -> Option<Name> {
    let (mut labels, suffix, step) = match address {
        IpAddr::V4(address) => (address.octets().map(|octet| octet.to_string()).to_vec(), "in-addr", 8),
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 15]);
            (nibbles.map(|nibble| format!("{nibble:x}")).collect(), "ip6", 4)
        }
    };
    labels.truncate(usize::from(bits) / step);
    labels.reverse();
    labels.extend([suffix.to_owned(), "arpa".to_owned()]);
    name(&labels.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_zones() {
        let v6 = |first: &str, rest: &str| -> String {
            first.chars().map(|c| format!("{c}.{rest}")).collect::<Vec<_>>().join(" ")
        };
        let long = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.";
        let cases = [
            (".:53", ".".to_owned()),
            (":53", ".".to_owned()),
            ("Example.ORG:53", "example.org.".to_owned()),
            ("dns://example.org.", "example.org.".to_owned()),
            ("10.0.0.0/8:53", "10.in-addr.arpa.".to_owned()),
            ("10.0.0.0/15", "0.10.in-addr.arpa. 1.10.in-addr.arpa.".to_owned()),
            (
                "10.96.0.0/12",
                (96..112).map(|n| format!("{n}.10.in-addr.arpa.")).collect::<Vec<_>>().join(" "),
            ),
            ("2001:db8::/29", v6("89abcdef", "b.d.0.1.0.0.2.ip6.arpa.")),
            ("2001:db8::/30", v6("89ab", "b.d.0.1.0.0.2.ip6.arpa.")),
            ("2001:db8::/114", v6("0123", long)),
            ("2001:db8::/112", long.to_owned()),
            ("10.0.0.1/33", "10.0.0.1\\/33.".to_owned()),
            ("::fFFF:B:F/115", String::new()),
            ("a..b", String::new()),
        ];
        for (text, expected) in cases {
            let found: Vec<String> = zones(text).iter().map(Name::to_string).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}
