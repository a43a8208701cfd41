//! What `ifconfig`, `route` and `arp` of net-tools 2.10 share.

use std::net::Ipv4Addr;

use crate::console::Stop;

/// A host as net-tools reads it: there is no resolver, so only numbers are found.
///
/// # Errors
/// The lookup failed; `status` is the exit status then.
pub fn host(word: &str, status: i32) -> Result<Ipv4Addr, Stop> {
    if word == "default" {
        return Ok(Ipv4Addr::UNSPECIFIED);
    }
    word.parse().map_err(|_| {
        let numeric = word.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '/');
        let why = if numeric { "Unknown host" } else { "Host name lookup failure" };
        Stop::exit(status, format!("{word}: {why}"))
    })
}

/// The prefix length of a mask without holes.
pub fn mask_len(mask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let ones = bits.leading_ones();
    if bits.checked_shl(ones).unwrap_or(0) == 0 { u8::try_from(ones).ok() } else { None }
}

/// The mask of a prefix length.
pub fn mask_of(len: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0))
}

/// The prefix length by address class. Kernel: `inet_abc_len`.
pub fn class_len(addr: Ipv4Addr) -> u8 {
    match addr.octets()[0] {
        0 => 0,
        1..=127 => 8,
        128..=191 => 16,
        192..=223 => 24,
        _ => 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_lengths() {
        assert_eq!(mask_len(Ipv4Addr::new(255, 255, 0, 0)), Some(16));
        assert_eq!(mask_len(Ipv4Addr::UNSPECIFIED), Some(0));
        assert_eq!(mask_len(Ipv4Addr::BROADCAST), Some(32));
        assert_eq!(mask_len(Ipv4Addr::new(255, 0, 255, 0)), None);
        assert_eq!(mask_of(20), Ipv4Addr::new(255, 255, 240, 0));
        assert_eq!(mask_of(0), Ipv4Addr::UNSPECIFIED);
    }
}
