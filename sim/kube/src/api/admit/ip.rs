//! What the API server takes for an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Invalid;

/// What is wrong with a text that is no address. Kubernetes: `validation.IsValidIP`.
pub const NO_IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// The families that Services and EndpointSlices know.
pub const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];

/// An address; leading zeros are passed over as `ParseIPSloppy` does.
pub fn parse(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let mut octets = [0; 4];
    let mut words = text.split('.');
    for octet in &mut octets {
        let word =
            words.next().filter(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()))?;
        *octet = word.parse().ok()?;
    }
    words.next().is_none().then(|| Ipv4Addr::from(octets).into())
}

/// The family of an address: `IPv4`, `IPv6`.
pub fn family_of(ip: IpAddr) -> &'static str {
    if ip.is_ipv4() { FAMILIES[0] } else { FAMILIES[1] }
}

/// Addresses that nothing is reached by from elsewhere. Kubernetes: `ValidateNonSpecialIP`.
pub fn special(path: &str, text: &str) -> Vec<Invalid> {
    let Some(ip) = parse(text) else {
        return vec![Invalid::value(path, text, "must be a valid IP address")];
    };
    let (link_local, multicast) = match ip {
        IpAddr::V4(ip) => (ip.is_link_local(), ip.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(ip) => (ip.segments()[0] & 0xffc0 == 0xfe80, ip.segments()[0] & 0xff0f == 0xff02),
    };
    let mut found = Vec::new();
    let mut is = |wrong: bool, why: &str| {
        if wrong {
            found.push(Invalid::value(path, text, why));
        }
    };
    is(ip.is_unspecified(), &format!("may not be unspecified ({text})"));
    is(ip.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    is(link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    is(multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
    found
}

/// An address that others reach.
pub fn reachable(path: &str, text: &str) -> Vec<Invalid> {
    match parse(text) {
        Some(_) => special(path, text),
        None => vec![Invalid::value(path, text, NO_IP)],
    }
}
