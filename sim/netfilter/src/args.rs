//! Options of matches and targets, and what is wrong with them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use packet::Proto;

use crate::names;
use crate::selector::AddrMask;

/// An option of a match or target, as getopt needs it.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// Name without dashes.
    pub name: &'static str,
    /// Number of values, 0..=2.
    pub values: usize,
    /// Whether `!` may stand before it.
    pub invert: bool,
    /// Whether it must be given.
    pub mandatory: bool,
    /// Options it can't stand beside.
    pub excludes: &'static [&'static str],
    /// Options it needs beside it.
    pub needs: &'static [&'static str],
}

/// An option without a value.
pub const fn flag(name: &'static str) -> Opt {
    Opt { name, values: 0, invert: false, mandatory: false, excludes: &[], needs: &[] }
}

/// An option with one value.
pub const fn value(name: &'static str) -> Opt {
    Opt { values: 1, ..flag(name) }
}

/// An option with one value that `!` may precede.
pub const fn negatable(name: &'static str) -> Opt {
    value(name).or_not()
}

impl Opt {
    /// `!` may precede it.
    pub const fn or_not(self) -> Self {
        Self { invert: true, ..self }
    }

    /// It must be given. iptables: `XTOPT_MAND`.
    pub const fn mandatory(self) -> Self {
        Self { mandatory: true, ..self }
    }

    /// It can't stand beside these. iptables: `excl`.
    pub const fn excludes(self, excludes: &'static [&'static str]) -> Self {
        Self { excludes, ..self }
    }

    /// It needs these beside it. iptables: `also`.
    pub const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }
}

/// What is wrong with a rule's text: the sentence iptables prints after its name and version.
///
/// Most sentences are an extension's own; some end with a newline, which makes an empty line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgError {
    /// No extension knows the option.
    #[error("unknown option \"{0}\"")]
    UnknownOption(String),
    /// The option lacks its value.
    #[error("option \"{0}\" requires an argument")]
    MissingValue(String),
    /// A port or service that doesn't exist.
    #[error("invalid port/service `{0}' specified")]
    Port(String),
    /// An address that isn't one.
    #[error("host/network `{0}' not found")]
    Host(String),
    /// A mask that isn't one.
    #[error("invalid mask `{0}' specified")]
    Mask(String),
    /// A protocol nobody knows.
    #[error("unknown protocol \"{0}\" specified")]
    Protocol(String),
    /// A match that this program doesn't have.
    #[error("Couldn't load match `{0}':No such file or directory\n")]
    NoMatch(String),
    /// A target that is neither an extension nor a chain.
    #[error("Chain '{0}' does not exist")]
    NoChain(String),
    /// An extension lacks an option.
    #[error("{extension}: option \"--{option}\" must be specified\n")]
    Required {
        /// The extension.
        extension: &'static str,
        /// The option.
        option: &'static str,
    },
    /// An extension's option was given twice.
    #[error("{extension}: option \"--{option}\" can only be used once.\n")]
    Twice {
        /// The extension.
        extension: &'static str,
        /// The option.
        option: &'static str,
    },
    /// `!` stands before an option that can't be negated.
    #[error("{extension}: option \"--{option}\" cannot be inverted.\n")]
    NoInvert {
        /// The extension.
        extension: &'static str,
        /// The option.
        option: &'static str,
    },
    /// A number that is none or out of its range.
    #[error("{extension}: Bad value for \"--{option}\" option: \"{text}\"")]
    Value {
        /// The extension.
        extension: &'static str,
        /// The option.
        option: &'static str,
        /// What was typed.
        text: String,
    },
    /// An extension's number is none or out of its range.
    #[error("{extension}: bad value for option \"--{option}\", or out of range ({min}-{max}).\n")]
    Range {
        /// The extension.
        extension: &'static str,
        /// The option.
        option: &'static str,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// Two options that exclude each other.
    #[error("{extension}: option \"--{option}\" cannot be used together with \"--{other}\".\n")]
    Together {
        /// The extension.
        extension: &'static str,
        /// The option.
        option: &'static str,
        /// The other one.
        other: &'static str,
    },
    /// An option lacks the one it needs.
    #[error("{extension}: option \"--{option}\" also requires \"--{other}\".\n")]
    Needs {
        /// The extension.
        extension: &'static str,
        /// The option.
        option: &'static str,
        /// The missing one.
        other: &'static str,
    },
    /// What an extension itself says.
    #[error("{0}")]
    Said(String),
}

impl ArgError {
    /// Whether a value alone is wrong, not what options there are.
    pub const fn is_of_a_value(&self) -> bool {
        matches!(
            self,
            Self::Port(_) | Self::Host(_) | Self::Mask(_) | Self::Value { .. } | Self::Range { .. }
        )
    }

    /// A sentence of an extension's own.
    pub fn said(text: impl Into<String>) -> Self {
        Self::Said(text.into())
    }
}

/// One option as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Name without dashes.
    pub name: &'static str,
    /// The protocol that the rule had named before it, with or without `!`.
    pub proto: Option<Proto>,
    /// `!` stood before it.
    pub invert: bool,
    /// Its values.
    pub values: Vec<String>,
}

impl Given {
    /// The first value; empty for an option without values.
    pub fn text(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }
}

/// The options given to one match or target, and what of the rule it may look at.
#[derive(Clone, Debug)]
pub struct Args {
    /// Name of the extension.
    pub extension: &'static str,
    /// Options in the order typed, less those taken.
    pub given: Vec<Given>,
    /// Names of the options typed.
    pub seen: Vec<&'static str>,
    /// The rule's protocol, if it names one without `!`.
    pub proto: Option<Proto>,
    /// The rule's protocol, if it names one, with or without `!`.
    pub named_proto: Option<Proto>,
    /// What iptables says on standard error and goes on.
    pub warnings: Vec<String>,
}

impl Args {
    /// Takes an option that may be given once.
    ///
    /// # Errors
    /// It was given twice.
    pub fn take(&mut self, option: &'static str) -> Result<Option<Given>, ArgError> {
        let Some(at) = self.given.iter().position(|given| given.name == option) else { return Ok(None) };
        let given = self.given.remove(at);
        if self.given.iter().any(|other| other.name == option) {
            return Err(ArgError::Twice { extension: self.extension, option });
        }
        Ok(Some(given))
    }

    /// Whether an option was given once at most. iptables: without `XTOPT_MULTI`.
    ///
    /// # Errors
    /// It was given twice.
    pub fn once(&self, option: &'static str) -> Result<(), ArgError> {
        match self.given.iter().filter(|given| given.name == option).count() {
            0 | 1 => Ok(()),
            _ => Err(ArgError::Twice { extension: self.extension, option }),
        }
    }

    /// Takes an option that must be given.
    ///
    /// # Errors
    /// It was given twice or not at all.
    pub fn require(&mut self, option: &'static str) -> Result<Given, ArgError> {
        self.take(option)?.ok_or(ArgError::Required { extension: self.extension, option })
    }

    /// Whether an option without value was given.
    ///
    /// # Errors
    /// It was given twice.
    pub fn has(&mut self, option: &'static str) -> Result<bool, ArgError> {
        Ok(self.take(option)?.is_some())
    }

    /// The value of an option that can't be read.
    pub fn bad(&self, given: &Given) -> ArgError {
        ArgError::Value { extension: self.extension, option: given.name, text: given.text().to_owned() }
    }

    /// A number in `min..=max`, decimal, octal or hexadecimal.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, given: &Given, min: u64, max: u64) -> Result<u64, ArgError> {
        let bad = ArgError::Range { extension: self.extension, option: given.name, min, max };
        number(given.text()).filter(|n| (min..=max).contains(n)).ok_or(bad)
    }

    /// A number that may be missing.
    ///
    /// # Errors
    /// It is none, or given twice.
    pub fn optional_number(
        &mut self,
        option: &'static str,
        min: u64,
        max: u64,
    ) -> Result<Option<u64>, ArgError> {
        self.take(option)?.map(|given| self.number(&given, min, max)).transpose()
    }

    /// Whether an option was typed.
    pub fn saw(&self, option: &str) -> bool {
        self.seen.contains(&option)
    }

    /// Whether the options typed go together. iptables `xtables_options_fcheck`.
    ///
    /// # Errors
    /// One is missing, or excludes another.
    pub fn check(&self, options: &[Opt]) -> Result<(), ArgError> {
        let extension = self.extension;
        for opt in options {
            let option = opt.name;
            if opt.mandatory && !self.saw(option) {
                return Err(ArgError::Required { extension, option });
            }
            if !self.saw(option) {
                continue;
            }
            if let Some(other) = opt.needs.iter().find(|other| !self.saw(other)) {
                return Err(ArgError::Needs { extension, option, other });
            }
            if let Some(other) = opt.excludes.iter().find(|other| self.saw(other)) {
                return Err(ArgError::Together { extension, option, other });
            }
        }
        Ok(())
    }

    /// `MIN[:MAX]`; either side may miss. Without a colon only the first is given.
    /// iptables `xtopt_parse_mint`.
    ///
    /// # Errors
    /// It is no range of numbers up to `max`.
    pub fn bounds(&self, given: &Given, max: u64) -> Result<(u64, Option<u64>), ArgError> {
        let (extension, option) = (self.extension, given.name);
        let mut values = [None; 2];
        let mut rest = given.text();
        for at in 0.. {
            let Some(slot) = values.get_mut(at) else {
                let what = format!("Too many components for option \"--{option}\" (max: 2)");
                return Err(ArgError::said(format!("{extension}: {what}\n")));
            };
            let missing = if at == 0 { 0 } else { max };
            let (value, after) = if rest.is_empty() || rest.starts_with(':') {
                (missing, rest)
            } else {
                let (value, after) = leading_number(rest);
                let what = || {
                    format!("bad value for option \"--{option}\" near \"{rest}\", or out of range (0-{max})")
                };
                let value = value.filter(|value| *value <= max);
                (value.ok_or_else(|| ArgError::said(format!("{extension}: {}.\n", what())))?, after)
            };
            if !after.is_empty() && !after.starts_with(':') {
                let what = format!("Argument to \"--{option}\" has unexpected characters near \"{after}\"");
                return Err(ArgError::said(format!("{extension}: {what}.\n")));
            }
            *slot = Some(value);
            match after.strip_prefix(':') {
                Some(more) => rest = more,
                None => break,
            }
        }
        Ok((values[0].unwrap_or(0), values[1]))
    }

    /// `MIN[:MAX]`; either side may miss, and one number is both.
    ///
    /// # Errors
    /// It is no range of numbers up to `max`.
    pub fn range(&self, given: &Given, max: u64) -> Result<(u64, u64), ArgError> {
        self.bounds(given, max).map(|(min, max)| (min, max.unwrap_or(min)))
    }

    /// Length of a prefix, 0..=128 as the family isn't looked at. iptables `XTTYPE_PLEN`.
    ///
    /// # Errors
    /// It is none.
    pub fn prefix_len(&self, given: &Given) -> Result<u8, ArgError> {
        let (extension, option) = (self.extension, given.name);
        let len = number(given.text()).and_then(|len| u8::try_from(len).ok()).filter(|len| *len <= 128);
        len.ok_or_else(|| {
            let what = "neither a valid network mask nor valid CIDR (0-32)";
            ArgError::said(format!("{extension}: bad value for option \"--{option}\", {what}.\n"))
        })
    }

    /// Length of an IPv4 mask, 0..=32, written so or as an address. iptables `XTTYPE_PLENMASK`.
    ///
    /// # Errors
    /// It is none.
    pub fn network_mask(&self, given: &Given) -> Result<u8, ArgError> {
        let (extension, option) = (self.extension, given.name);
        let len = number(given.text()).and_then(|len| u8::try_from(len).ok()).filter(|len| *len <= 128);
        let len = len.map(|len| len.min(32)).or_else(|| plen_of_mask(given.text()));
        len.ok_or_else(|| {
            let what = "neither a valid network mask nor valid CIDR (0-32)";
            ArgError::said(format!("{extension}: bad value for option \"--{option}\", {what}.\n"))
        })
    }

    /// An address. iptables `XTTYPE_HOST`.
    ///
    /// # Errors
    /// It is none.
    pub fn host(&self, given: &Given) -> Result<Ipv4Addr, ArgError> {
        getaddrinfo(given.text())
    }

    /// `ADDR[/LEN]`, whose length is 32 if its mask isn't one. iptables `XTTYPE_HOSTMASK`.
    ///
    /// # Errors
    /// Address or mask aren't any.
    pub fn host_mask(&self, given: &Given) -> Result<AddrMask, ArgError> {
        let (addr, mask) = given.text().split_once('/').unwrap_or((given.text(), "32"));
        let addr = getaddrinfo(addr)?;
        let mask = Given { values: vec![mask.to_owned()], ..given.clone() };
        let bits = u32::MAX.checked_shl(32 - u32::from(self.network_mask(&mask)?)).unwrap_or(0);
        Ok(AddrMask { addr: addr.into(), mask: Ipv4Addr::from_bits(bits).into() })
    }

    /// A port or the name of a service of any protocol. iptables `XTTYPE_PORT`.
    ///
    /// # Errors
    /// It is neither.
    pub fn any_port(&self, text: &str) -> Result<u16, ArgError> {
        if text.is_empty() {
            return Ok(0);
        }
        let digits = text.trim_start();
        let read = match digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() {
            // `getaddrinfo` keeps 16 bits of a number.
            true => digits.parse::<u64>().ok().map(|n| n as u16),
            false => names::service_port(text, None),
        };
        read.ok_or_else(|| ArgError::said(format!("Port \"{text}\" does not resolve to anything.\n")))
    }

    /// `PORT`, `MIN:MAX`, `MIN:` or `:MAX`. iptables `XTTYPE_PORTRC`.
    ///
    /// # Errors
    /// A port isn't one.
    pub fn any_ports(&self, given: &Given) -> Result<Ports, ArgError> {
        let port = |text: &str, missing| if text.is_empty() { Ok(missing) } else { self.any_port(text) };
        match given.text().split_once(':') {
            None => port(given.text(), 0).map(|port| Ports { min: port, max: port }),
            Some((_, rest)) if rest.contains(':') => {
                let option = given.name;
                let what = format!("Too many components for option \"--{option}\" (max: 2)");
                Err(ArgError::said(format!("{}: {what}\n", self.extension)))
            }
            Some((min, max)) => Ok(Ports { min: port(min, 0)?, max: port(max, u16::MAX)? }),
        }
    }

    /// A text that may not be empty. iptables `XTTYPE_STRING` with a least length.
    ///
    /// # Errors
    /// It is empty.
    pub fn some_text(&self, given: &Given) -> Result<String, ArgError> {
        if given.text().is_empty() {
            return Err(ArgError::said("Argument must have a minimum length of 1 characters\n"));
        }
        Ok(given.text().to_owned())
    }

    /// `VALUE[/MASK]`, 32 bits each; the mask is all ones if not given.
    ///
    /// # Errors
    /// It is none.
    pub fn mark(&self, given: &Given) -> Result<(u32, u32), ArgError> {
        let (extension, option) = (self.extension, given.name);
        let bad = || {
            let text =
                format!("{extension}: bad integer value for option \"--{option}\", or out of range.\n");
            ArgError::said(text)
        };
        let parse = |text| match leading_number(text) {
            (Some(n), rest) => Ok((u32::try_from(n).map_err(|_| bad())?, rest)),
            (None, _) => Err(bad()),
        };
        let (value, rest) = parse(given.text())?;
        let (mask, rest) = match rest.strip_prefix('/') {
            None => (u32::MAX, rest),
            Some(mask) => parse(mask)?,
        };
        if !rest.is_empty() {
            let text = format!("{extension}: trailing garbage after value for option \"--{option}\".\n");
            return Err(ArgError::said(text));
        }
        Ok((value, mask))
    }
}

/// The address of a host as `getaddrinfo(3)` finds it with `/etc/hosts` and no other name service.
fn getaddrinfo(text: &str) -> Result<Ipv4Addr, ArgError> {
    if let Some(addr) = inet_aton(text).or_else(|| hosts_file(text)) {
        return Ok(addr);
    }
    let in_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let what = match text {
        text if text.parse::<Ipv6Addr>().is_ok() => "Address family for hostname not supported",
        text if !text.is_empty() && text.chars().all(in_names) => "Temporary failure in name resolution",
        _ => "Name or service not known",
    };
    Err(ArgError::said(format!("getaddrinfo: {what}\n")))
}

/// The only name of `/etc/hosts` that doesn't depend on the host.
pub fn hosts_file(name: &str) -> Option<Ipv4Addr> {
    name.eq_ignore_ascii_case("localhost").then_some(Ipv4Addr::LOCALHOST)
}

/// The length of a mask written as an address; 32 if it is no prefix.
fn plen_of_mask(text: &str) -> Option<u8> {
    inet_aton(text).map(|mask| ipnet::ipv4_mask_to_prefix(mask).unwrap_or(32))
}

/// Reads names that stand between commas; `take` answers whether it knows one.
///
/// # Errors
/// What is left from the first unknown or empty name on, as iptables quotes it.
pub fn names_between_commas(text: &str, mut take: impl FnMut(&str) -> bool) -> Result<(), &str> {
    let mut rest = text;
    loop {
        let (name, more) = rest.split_once(',').map_or((rest, None), |(name, more)| (name, Some(more)));
        if name.is_empty() || !take(name) {
            return Err(rest);
        }
        match more {
            Some(more) => rest = more,
            None => return Ok(()),
        }
    }
}

/// The first of `names` that begins with `text`, in any case. iptables `strncasecmp`.
pub fn abbreviated<T>(names: &[(&str, T)], text: &str) -> Option<usize> {
    names
        .iter()
        .position(|(name, _)| name.get(..text.len()).is_some_and(|part| part.eq_ignore_ascii_case(text)))
}

/// A number as `strtoul(…, 0)` reads it, blanks before it included: decimal, `0` octal,
/// `0x` hexadecimal. iptables `xtables_strtoul`.
pub fn number(text: &str) -> Option<u64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok();
    }
    if text.len() > 1 && text.starts_with('0') {
        return u64::from_str_radix(&text[1..], 8).ok();
    }
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The number that `text` begins with, as `strtoul(…, 0)` reads it, and what follows it.
pub fn leading_number(text: &str) -> (Option<u64>, &str) {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if hex.starts_with(|c: char| c.is_ascii_hexdigit()) => (hex, 16),
        _ if text.starts_with('0') => (text, 8),
        _ => (text, 10),
    };
    let len = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    (u64::from_str_radix(&digits[..len], radix).ok(), &digits[len..])
}

/// An inclusive range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// First port.
    pub min: u16,
    /// Last port.
    pub max: u16,
}

impl Ports {
    /// Whether `port` is in the range.
    pub const fn contains(self, port: u16) -> bool {
        self.min <= port && port <= self.max
    }

    /// Reads `PORT`, `MIN:MAX`, `MIN:` or `:MAX`; the name of a service stands for its port.
    ///
    /// # Errors
    /// A port isn't one.
    pub fn parse(text: &str) -> Result<Self, ArgError> {
        Self::parse_of(text, None)
    }

    /// The same, with services over `proto` only. iptables `xtables_parse_port`.
    ///
    /// # Errors
    /// A port isn't one.
    pub fn parse_of(text: &str, proto: Option<Proto>) -> Result<Self, ArgError> {
        let port = |text: &str| port_of(text, proto);
        match text.split_once(':') {
            None => port(text).map(|port| Self { min: port, max: port }),
            Some((min, max)) => {
                let min = if min.is_empty() { 0 } else { port(min)? };
                let max = if max.is_empty() { u16::MAX } else { port(max)? };
                if min > max {
                    return Err(ArgError::said("invalid portrange (min > max)"));
                }
                Ok(Self { min, max })
            }
        }
    }
}

/// `80` or `1000:2000`.
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{}:{}", self.min, self.max) }
    }
}

/// A port number or service name.
///
/// # Errors
/// It is neither.
pub fn port(text: &str) -> Result<u16, ArgError> {
    port_of(text, None)
}

/// A port number, or a service over `proto`.
///
/// # Errors
/// It is neither.
pub fn port_of(text: &str, proto: Option<Proto>) -> Result<u16, ArgError> {
    match number(text) {
        Some(n) => u16::try_from(n).map_err(|_| ArgError::Port(text.to_owned())),
        None => names::service_port(text, proto).ok_or_else(|| ArgError::Port(text.to_owned())),
    }
}

/// An IPv4 address as `inet_aton(3)` reads it: with one to four numbers.
pub fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts = text.split('.').map(number).collect::<Option<Vec<u64>>>()?;
    let (last, firsts) = parts.split_last()?;
    let room = 32u32.checked_sub(8 * u32::try_from(firsts.len()).ok()?).filter(|room| *room > 0)?;
    let mut bits = u32::try_from(*last).ok().filter(|last| room == 32 || last >> room == 0)?;
    for (at, part) in firsts.iter().enumerate() {
        bits |= u32::from(u8::try_from(*part).ok()?) << (24 - 8 * at);
    }
    (!text.is_empty()).then(|| Ipv4Addr::from_bits(bits))
}

/// An IPv4 address.
///
/// # Errors
/// It is none.
pub fn address(text: &str) -> Result<IpAddr, ArgError> {
    text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| ArgError::Host(text.to_owned()))
}

/// Writes `text` as iptables-save does: in double quotes if it holds anything but plain characters.
/// Kernel side none; iptables `xtables_save_string`.
pub fn quoted(text: &str) -> String {
    const PLAIN: &str = "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if !text.is_empty() && text.chars().all(|c| PLAIN.contains(c)) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '\\' | '"' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
