//! Words of a command line and iproute2's way of reading numbers and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use packet::MacAddr;

use crate::console::Stop;

/// The words of a command, read from the left.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    words: &'a [&'a str],
}

impl<'a> Words<'a> {
    /// All of these words.
    pub const fn new(words: &'a [&'a str]) -> Self {
        Self { words }
    }

    /// The next word, left where it is.
    pub fn peek(&self) -> Option<&'a str> {
        self.words.first().copied()
    }

    /// Takes the next word.
    pub fn next_word(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// Takes the word that must follow.
    pub fn value(&mut self) -> Result<&'a str, Stop> {
        self.next_word().ok_or_else(incomplete)
    }

    /// The words left.
    pub const fn rest(&self) -> &'a [&'a str] {
        self.words
    }

    /// Whether no word is left.
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Whether `word` abbreviates `full`; the empty word abbreviates everything.
/// iproute2: `matches`.
pub fn matches(word: &str, full: &str) -> bool {
    full.starts_with(word)
}

/// Whether `word` abbreviates one of `fulls`.
pub fn matches_any(word: &str, fulls: &[&str]) -> bool {
    fulls.iter().any(|full| matches(word, full))
}

/// `Command line is not complete.`
pub fn incomplete() -> Stop {
    Stop::exit(255, "Command line is not complete. Try option \"help\"")
}

/// iproute2: `invarg`. `message` may end with a newline of its own.
pub fn invarg(message: &str, word: &str) -> Stop {
    Stop::exit(255, format!("Error: argument \"{word}\" is wrong: {message}"))
}

/// iproute2: `duparg`.
pub fn duparg(key: &str, word: &str) -> Stop {
    Stop::exit(255, format!("Error: duplicate \"{key}\": \"{word}\" is the second value."))
}

/// iproute2: `duparg2`.
pub fn duparg2(key: &str, word: &str) -> Stop {
    Stop::exit(255, format!("Error: either \"{key}\" is duplicate, or \"{word}\" is a garbage."))
}

/// iproute2: `nodev`.
pub fn nodev(dev: &str) -> Stop {
    Stop::fail(-1, format!("Cannot find device \"{dev}\""))
}

/// An option that real `tool` knows and this one doesn't carry out.
pub fn not_simulated(tool: &str, option: &str) -> Stop {
    Stop::exit(2, format!("{tool}: option \"{option}\" is not simulated"))
}

/// `on` or `off`, the older check. iproute2: `on_off`.
pub fn on_off(key: &str, word: &str) -> Result<bool, Stop> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Stop::fail(
            -1,
            format!("Error: argument of \"{key}\" must be \"on\" or \"off\", not \"{word}\""),
        )),
    }
}

/// `on` or `off` or an abbreviation, the newer check. iproute2: `parse_on_off`.
pub fn parse_on_off(key: &str, word: &str) -> Result<bool, Stop> {
    if matches(word, "off") {
        return Ok(false);
    }
    if matches(word, "on") {
        return Ok(true);
    }
    Err(Stop::fail(
        -22,
        format!("Error: argument of \"{key}\" must be one of \"off\", \"on\", not \"{word}\""),
    ))
}

/// A number as C's `strtol(word, …, 0)` reads it and the text after it.
pub fn strtol(word: &str) -> Option<(i128, &str)> {
    let text = word.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (radix, digits) = match hex {
        Some(rest) => (16, rest),
        None if digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (number, rest) = digits.split_at(end);
    // A number too long for i128 is out of every range anyway.
    let value = if number.is_empty() {
        return None;
    } else {
        i128::from_str_radix(number, radix).unwrap_or(i128::MAX)
    };
    Some((if negative { -value } else { value }, rest))
}

/// A whole word that is a number. Negative numbers are what `strtoul` makes of them: too big.
fn number(word: &str, max: i128) -> Option<i128> {
    let (value, rest) = strtol(word)?;
    (rest.is_empty() && (0..=max).contains(&value)).then_some(value)
}

/// iproute2: `get_u8`.
pub fn get_u8(word: &str) -> Option<u8> {
    number(word, 0xff)?.try_into().ok()
}

/// iproute2: `get_u16`.
pub fn get_u16(word: &str) -> Option<u16> {
    number(word, 0xffff)?.try_into().ok()
}

/// iproute2: `get_u32`, `get_unsigned`.
pub fn get_u32(word: &str) -> Option<u32> {
    number(word, 0xffff_ffff)?.try_into().ok()
}

/// iproute2: `get_integer`.
pub fn get_integer(word: &str) -> Option<i32> {
    let (value, rest) = strtol(word)?;
    if rest.is_empty() { value.try_into().ok() } else { None }
}

/// C's `atoi`.
pub fn atoi(word: &str) -> i32 {
    let text = word.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    sign * digits.get(..end).and_then(|d| d.parse::<i32>().ok()).unwrap_or(0)
}

/// An address family as an option or an earlier word chose it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// None yet.
    #[default]
    Unspec,
    /// `-4`, `inet`.
    Inet,
    /// `-6`, `inet6`.
    Inet6,
    /// `-0`, `link`.
    Packet,
    /// `-B`, `bridge`.
    Bridge,
    /// `-M`, `mpls`.
    Mpls,
}

impl Family {
    /// iproute2: `read_family`.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "inet" => Self::Inet,
            "inet6" => Self::Inet6,
            "link" => Self::Packet,
            "mpls" => Self::Mpls,
            "bridge" => Self::Bridge,
            _ => return None,
        })
    }

    /// iproute2: `family_name_verbose`.
    pub const fn verbose(self) -> &'static str {
        match self {
            Self::Unspec => "any valid",
            Self::Inet => "inet",
            Self::Inet6 => "inet6",
            Self::Packet => "link",
            Self::Mpls => "mpls",
            Self::Bridge => "bridge",
        }
    }

    /// The family of an address.
    pub const fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(_) => Self::Inet,
            IpAddr::V6(_) => Self::Inet6,
        }
    }
}

/// What a word says where an address or prefix is expected. iproute2: `inet_prefix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The address; `None` for `default`, `any` and `all`.
    pub addr: Option<IpAddr>,
    /// Prefix length in bits.
    pub len: u8,
    /// Whether a length (or `default`) was given. iproute2: `PREFIXLEN_SPECIFIED`.
    pub len_given: bool,
    /// Its family, unspecified for `default` where none was known.
    pub family: Family,
}

impl Prefix {
    /// The address as a network with host bits, `0.0.0.0` for `default`.
    pub fn net(&self) -> IpNet {
        let addr = self.address();
        IpNet::new(addr, self.len).unwrap_or_else(|_| IpNet::from(addr))
    }

    /// The address, `0.0.0.0` for `default`.
    pub fn address(&self) -> IpAddr {
        self.addr.unwrap_or(match self.family {
            Family::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        })
    }
}

/// Reads an IPv4 address the lenient way: `10.8` is 10.8.0.0. iproute2: `get_addr_ipv4`.
fn get_addr_ipv4(word: &str) -> Option<Ipv4Addr> {
    let mut bytes = [0u8; 4];
    let mut rest = word;
    for (i, byte) in bytes.iter_mut().enumerate() {
        let (value, after) = strtol(rest)?;
        *byte = u8::try_from(value).ok()?;
        if after.is_empty() {
            break;
        }
        if i == 3 {
            return None;
        }
        rest = after.strip_prefix('.')?;
    }
    Some(Ipv4Addr::from(bytes))
}

/// iproute2: `get_addr_1`.
fn get_addr_1(word: &str, family: Family) -> Option<Prefix> {
    let bare = |len_given| Prefix { addr: None, len: 0, len_given, family };
    match word {
        "default" if family != Family::Mpls => return Some(bare(true)),
        "any" | "all" if family != Family::Mpls => return Some(bare(false)),
        _ => {}
    }
    let (addr, len, own) = if word.contains(':') {
        (IpAddr::V6(word.parse().ok()?), 128, Family::Inet6)
    } else {
        (IpAddr::V4(get_addr_ipv4(word)?), 32, Family::Inet)
    };
    (family == Family::Unspec || family == own).then_some(Prefix {
        addr: Some(addr),
        len,
        len_given: false,
        family: own,
    })
}

/// iproute2: `get_prefix_1`.
fn get_prefix_1(word: &str, family: Family) -> Option<Prefix> {
    let Some((head, tail)) = word.split_once('/') else { return get_addr_1(word, family) };
    let prefix = get_addr_1(head, family)?;
    prefix.addr?;
    let len = match get_u32(tail) {
        Some(len) => len,
        None => {
            let mask = u32::from(get_addr_ipv4(tail)?);
            if mask.leading_ones() + mask.trailing_zeros() != 32 && mask != 0 {
                return None;
            }
            mask.leading_ones()
        }
    };
    let len = u8::try_from(len).ok().filter(|&len| len <= prefix.len)?;
    Some(Prefix { len, len_given: true, ..prefix })
}

/// Reads an address; `any` and `default` count. iproute2: `get_addr`.
pub fn get_addr(word: &str, family: Family) -> Result<Prefix, Stop> {
    get_addr_1(word, family).ok_or_else(|| {
        Stop::exit(1, format!("Error: {} address is expected rather than \"{word}\".", family.verbose()))
    })
}

/// Reads a prefix. iproute2: `get_prefix`.
pub fn get_prefix(word: &str, family: Family) -> Result<Prefix, Stop> {
    if family == Family::Packet {
        return Err(Stop::exit(
            1,
            format!("Error: \"{word}\" may be inet prefix, but it is not allowed in this context."),
        ));
    }
    get_prefix_1(word, family).ok_or_else(|| {
        Stop::exit(1, format!("Error: {} prefix is expected rather than \"{word}\".", family.verbose()))
    })
}

/// Reads a link-layer address of any length. iproute2: `ll_addr_a2n`.
pub fn ll_addr(word: &str) -> Result<Vec<u8>, Stop> {
    let invalid = |part: &str| Stop::fail(-1, format!("\"{part}\" is invalid lladdr."));
    if word.contains('.') {
        return Ok(get_addr_ipv4(word).ok_or_else(|| invalid(word))?.octets().to_vec());
    }
    let mut bytes = Vec::new();
    for part in word.split(':').take(32) {
        // As sscanf("%x"): a prefix of hexadecimal digits is enough.
        let text = part.trim_start();
        let text = text.strip_prefix("0x").unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
        let digits = text.get(..end).unwrap_or_default();
        let byte = u32::from_str_radix(digits, 16).ok().and_then(|v| u8::try_from(v).ok());
        bytes.push(byte.ok_or_else(|| invalid(part))?);
    }
    Ok(bytes)
}

/// The six bytes of an Ethernet address, if it has six.
pub fn as_mac(bytes: &[u8]) -> Option<MacAddr> {
    Some(MacAddr(bytes.try_into().ok()?))
}

/// Whether the kernel's and iproute2's rules allow this device name.
pub fn is_ifname(name: &str) -> bool {
    name.len() < 16 && is_altname(name)
}

/// Whether iproute2 takes this as an alternative name.
pub fn is_altname(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '/' || c.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts are those of iproute2 6.1.0.
    #[test]
    fn prefixes_are_read_as_iproute2_does() {
        let ok = |word: &str| get_prefix(word, Family::Unspec).map(|p| p.net().to_string());
        assert_eq!(ok("10.8"), Ok("10.8.0.0/32".to_owned()));
        assert_eq!(ok("10.0.0/24"), Ok("10.0.0.0/24".to_owned()));
        assert_eq!(ok("10.0.0.1/255.255.0.0"), Ok("10.0.0.1/16".to_owned()));
        assert_eq!(ok("0x0a.010.0.1"), Ok("10.8.0.1/32".to_owned()));
        assert_eq!(ok("default"), Ok("0.0.0.0/0".to_owned()));
        for bad in
            ["10.0.0.0/33", "10.0.0.256/24", "foo", "", "10.0.0.1.2", "default/0", "10.0.0.1/255.0.255.0"]
        {
            let stop = get_prefix(bad, Family::Unspec).expect_err(bad);
            assert_eq!(stop.text, format!("Error: any valid prefix is expected rather than \"{bad}\".\n"));
        }
    }

    #[test]
    fn numbers_are_read_as_strtol_does() {
        assert_eq!(get_u32("0x10"), Some(16));
        assert_eq!(get_u32("010"), Some(8));
        assert_eq!(get_u32("0"), Some(0));
        assert_eq!(get_u32("-1"), None);
        assert_eq!(get_u32("4294967296"), None);
        assert_eq!(get_integer("-1"), Some(-1));
        assert_eq!(get_u32("5x"), None);
        assert_eq!(get_u32(""), None);
    }

    #[test]
    fn link_layer_addresses_name_the_bad_part() {
        assert_eq!(ll_addr("2:0:0:0:a:c"), Ok(vec![2, 0, 0, 0, 10, 12]));
        assert_eq!(ll_addr("02-00-00"), Ok(vec![2]));
        assert_eq!(ll_addr("02:zz").expect_err("bad").text, "\"zz\" is invalid lladdr.\n");
    }
}
