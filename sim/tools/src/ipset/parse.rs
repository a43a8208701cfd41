//! How ipset reads words. libipset `parse.c`.

use std::fmt::Display;
use std::net::Ipv4Addr;

use netfilter::names;
use netfilter::set::SetType;
use packet::Proto;

use super::data::{Data, Opt};
use super::icmp;
use super::types::{Reads, Type};

/// What a command line must know beside itself.
pub trait Known {
    /// The type of a set that exists.
    fn kind(&self, set: &str) -> Option<SetType>;
    /// The address of a host's name.
    fn resolve(&self, host: &str) -> Option<Ipv4Addr>;
}

/// How grave a report is, in ipset's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing to say.
    #[default]
    Nothing,
    /// All is well, but.
    Warning,
    /// A test failed.
    Notice,
    /// The command failed.
    Error,
}

/// What ipset is going to say. libipset `ipset_session_report`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Line of the input of `restore`; 0 outside.
    pub line: u32,
    /// Text, with its newlines.
    pub text: String,
    /// How grave it is.
    pub grade: Grade,
}

/// The report says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// Bytes that a report holds. libipset `IPSET_ERRORBUFLEN`, less its ends.
const REPORT: usize = 1022;

impl Report {
    /// Adds a sentence.
    pub fn add(&mut self, grade: Grade, text: impl Display) {
        if self.grade < grade {
            self.text.clear();
        }
        if self.line != 0 && grade == Grade::Error {
            self.text = format!("Error in line {}: ", self.line);
        }
        self.text.push_str(&text.to_string());
        let mut end = self.text.len().min(REPORT);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        self.text.truncate(end);
        self.text.push('\n');
        self.grade = grade;
    }

    /// Fails with a sentence.
    pub fn fail<T>(&mut self, text: impl Display) -> Result<T, Failed> {
        self.add(Grade::Error, text);
        Err(Failed)
    }

    /// Fails with a syntax error.
    pub fn syntax<T>(&mut self, text: impl Display) -> Result<T, Failed> {
        self.fail(format_args!("Syntax error: {text}"))
    }

    /// Forgets everything said.
    pub fn reset(&mut self) {
        self.text.clear();
        self.grade = Grade::Nothing;
    }
}

/// Reads the words of one command into its [`Data`].
pub struct Reader<'a> {
    /// What is read.
    pub data: Data,
    /// What is wrong.
    pub report: &'a mut Report,
    /// Sets and hosts.
    pub known: &'a dyn Known,
    /// The command.
    pub command: &'static str,
}

/// C's `strtoull` with base 0, of the whole text; `None` for what is no number, an error for one
/// that is too large.
fn strtoull(text: &str) -> Option<Result<u64, ()>> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = u64::from_str_radix(digits, radix).map_err(|_| ());
    Some(number.map(|number| if negative { number.wrapping_neg() } else { number }))
}

/// The first place of a separator that stands neither first nor last. libipset `ipset_strchr`.
fn separator(text: &str, sep: char) -> Option<(&str, &str)> {
    if text.starts_with(sep) || text.ends_with(sep) { None } else { text.split_once(sep) }
}

/// Whether a range's dash stands outside `[]`. libipset `escape_range_separator`.
fn has_range(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(rest) => rest.find(']').is_some_and(|end| separator(&rest[end..], '-').is_some()),
        None => separator(text, '-').is_some(),
    }
}

/// An address of digits and dots, some left out, as the C library takes it. glibc `inet_aton`.
fn dotted(text: &str) -> Option<u32> {
    let parts: Vec<&str> = text.split('.').collect();
    let (last, first) = parts.split_last()?;
    if parts.len() > 4 {
        return None;
    }
    let number = |part: &str| {
        let radix = if part.starts_with('0') && part.len() > 1 { 8 } else { 10 };
        u32::from_str_radix(part, radix).ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut addr = 0_u32;
    for (at, part) in first.iter().enumerate() {
        addr |= number(part).filter(|n| *n <= 255)? << (24 - 8 * at);
    }
    let last = number(last)?;
    let room = 32 - 8 * first.len() as u32;
    (u64::from(last) < 1 << room).then_some(addr | last)
}

impl Reader<'_> {
    fn number(&mut self, text: &str, max: u64, grade: Grade) -> Result<u64, Failed> {
        let wrong = match strtoull(text) {
            Some(Ok(number)) if number <= max => return Ok(number),
            Some(_) => format!("Syntax error: '{text}' is out of range 0-{max}"),
            None => format!("Syntax error: '{text}' is invalid as number"),
        };
        self.report.add(grade, wrong);
        Err(Failed)
    }

    fn u32(&mut self, text: &str) -> Result<u32, Failed> {
        self.number(text, u64::from(u32::MAX), Grade::Error).map(|n| n as u32)
    }

    fn u16(&mut self, text: &str) -> Result<u16, Failed> {
        self.number(text, u64::from(u16::MAX), Grade::Error).map(|n| n as u16)
    }

    fn u8(&mut self, text: &str, grade: Grade) -> Result<u8, Failed> {
        self.number(text, u64::from(u8::MAX), grade).map(|n| n as u8)
    }

    fn cidr(&mut self, text: &str, min: u8) -> Result<u8, Failed> {
        let cidr = self.u8(text, Grade::Error)?;
        if (min..=32).contains(&cidr) {
            return Ok(cidr);
        }
        self.report.syntax(format_args!("'{text}' is out of range {min}-32"))
    }

    /// libipset `find_range_separator`.
    fn split_range<'t>(&mut self, text: &'t str) -> Result<(&'t str, Option<&'t str>), Failed> {
        if text.starts_with('[') {
            let Some(end) = text.find(']') else {
                return self
                    .report
                    .syntax(format_args!("cannot find closing escape character ']' in {text}"));
            };
            let (head, tail) = text.split_at(end + 1);
            return match tail.strip_prefix('-') {
                _ if tail.is_empty() => Ok((text, None)),
                Some(rest) => Ok((head, Some(rest))),
                None => self.report.syntax(format_args!("range separator expected after '{head}'")),
            };
        }
        Ok(separator(text, '-').map_or((text, None), |(from, to)| (from, Some(to))))
    }

    /// libipset `strip_escape`.
    fn strip_escape<'t>(&mut self, text: &'t str) -> Result<&'t str, Failed> {
        let Some(rest) = text.strip_prefix('[') else { return Ok(text) };
        match rest.strip_suffix(']') {
            Some(inner) => Ok(inner),
            None => self.report.syntax(format_args!("cannot find closing escape character ']' in {text}")),
        }
    }

    /// libipset `get_hostbyname2`.
    fn host(&mut self, text: &str) -> Result<u32, Failed> {
        let name = self.strip_escape(text)?;
        let numeric = name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let addr = if numeric { dotted(name) } else { self.known.resolve(name).map(Ipv4Addr::to_bits) };
        match addr {
            Some(addr) => Ok(addr),
            None => self.report.syntax(format_args!("cannot parse {name}: resolving to IPv4 address failed")),
        }
    }

    /// libipset `parse_ipaddr`.
    fn address(&mut self, opt: Opt, text: &str) -> Result<(), Failed> {
        let (host, cidr) = separator(text, '/').map_or((text, None), |(host, cidr)| (host, Some(cidr)));
        let cidr = cidr.map(|cidr| self.cidr(cidr, 0)).transpose()?;
        let (from, to) = if cidr.is_some() { (host, None) } else { self.split_range(host)? };
        let from = self.host(from)?;
        let to = to.map(|to| self.host(to)).transpose()?;
        let second = opt == Opt::Ip2;
        let (cidr_opt, to_opt) = if second { (Opt::Cidr2, Opt::Ip2To) } else { (Opt::Cidr, Opt::IpTo) };
        let entry = &mut self.data.entry;
        if second {
            entry.ip2 = Some(from);
            (entry.cidr2, entry.ip2_to) = (cidr.or(entry.cidr2), to.or(entry.ip2_to));
        } else if opt == Opt::IpTo {
            entry.ip_to = Some(from);
        } else {
            entry.ip = Some(from);
            (entry.cidr, entry.ip_to) = (cidr.or(entry.cidr), to.or(entry.ip_to));
        }
        self.data.set(opt);
        if cidr.is_some() {
            self.data.set(cidr_opt);
        }
        if to.is_some() {
            self.data.set(to_opt);
        }
        Ok(())
    }

    /// libipset `ipset_parse_port`.
    fn port(&mut self, text: &str, proto: &str) -> Result<u16, Failed> {
        if let Ok(port) = self.number(text, u64::from(u16::MAX), Grade::Warning) {
            return Ok(port as u16);
        }
        let name = self.strip_escape(text)?;
        // The protocol is tried as a number first, which leaves its mark in the message.
        let number = self.u8(proto, Grade::Warning).is_ok();
        match names::service_port(name, None) {
            Some(port) if !number => {
                self.report.reset();
                Ok(port)
            }
            _ => {
                self.report.add(Grade::Warning, format_args!("cannot parse '{text}' as a {proto} port"));
                self.report.grade = Grade::Error;
                Err(Failed)
            }
        }
    }

    /// libipset `ipset_parse_tcpudp_port`.
    fn ports(&mut self, text: &str, proto: &str) -> Result<(), Failed> {
        let (from, to) = self.split_range(text)?;
        if let Some(to) = to {
            self.data.entry.port_to = Some(self.port(to, proto)?);
            self.data.set(Opt::PortTo);
        }
        self.data.entry.port = Some(self.port(from, proto)?);
        self.data.set(Opt::Port);
        Ok(())
    }

    fn set_proto(&mut self, proto: u8) {
        self.data.entry.proto = Some(proto);
        self.data.set(Opt::Proto);
    }

    /// libipset `ipset_parse_proto`.
    fn proto(&mut self, text: &str) -> Result<u8, Failed> {
        if let Ok(proto) = self.u8(text, Grade::Warning) {
            return Ok(proto);
        }
        self.report.reset();
        if text == "ip" {
            return self.report.syntax(format_args!("Unsupported protocol '{text}'"));
        }
        match names::protocol_number(text).filter(|proto| proto.0 != 0) {
            Some(proto) => Ok(proto.0),
            None => self.report.syntax(format_args!("cannot parse '{text}' as a protocol")),
        }
    }

    /// libipset `ipset_parse_proto_port`.
    fn proto_port(&mut self, text: &str, inet: bool) -> Result<(), Failed> {
        let Some((name, port)) = separator(text, ':') else {
            self.set_proto(Proto::TCP.0);
            return self.ports(text, "tcp");
        };
        let proto = self.proto(name)?;
        self.set_proto(proto);
        match proto {
            6 | 17 | 132 | 136 => self.ports(port, name),
            1 if inet => self.icmp(port),
            1 => self.report.syntax("Protocol ICMP can be used with family inet only"),
            58 => {
                // The real program goes on without its data, and finds that out later.
                self.report
                    .add(Grade::Error, "Syntax error: Protocol ICMPv6 can be used with family inet6 only");
                self.report.fail(format_args!("Invalid {} command: missing setname", self.command))
            }
            _ if port == "0" => {
                self.data.entry.port = Some(0);
                self.data.set(Opt::Port);
                Ok(())
            }
            _ => {
                self.report.syntax(format_args!("Protocol {name} can be used with pseudo port value 0 only."))
            }
        }
    }

    /// libipset `ipset_parse_icmp`.
    fn icmp(&mut self, text: &str) -> Result<(), Failed> {
        let number = match icmp::number(text) {
            Some(number) => number,
            None => {
                let Some((kind, code)) = separator(text, '/') else {
                    return self.report.fail(format_args!("Cannot parse {text} as an ICMP type/code."));
                };
                let kind = self.u8(kind, Grade::Error)?;
                u16::from(kind) << 8 | u16::from(self.u8(code, Grade::Error)?)
            }
        };
        self.data.entry.port = Some(number);
        self.data.set(Opt::Port);
        Ok(())
    }

    /// A set's name. libipset `check_setname`.
    pub fn set_name(&mut self, text: &str) -> Result<String, Failed> {
        if text.len() > 31 {
            return self.report.syntax(format_args!("setname '{text}' is longer than 31 characters"));
        }
        Ok(text.to_owned())
    }

    fn nameref(&mut self, text: &str, before: bool) -> Result<(), Failed> {
        self.data.entry.nameref = Some(self.set_name(text)?);
        self.data.entry.before = before;
        self.data.set(Opt::Nameref);
        Ok(())
    }

    fn family(&mut self, text: &str) -> Result<(), Failed> {
        match text {
            "inet" | "ipv4" | "-4" => {
                self.data.set(Opt::Family);
                self.data.ignored &= !Opt::Family.bit();
                Ok(())
            }
            "inet6" | "ipv6" | "-6" => self.report.fail("Family inet6 is not simulated"),
            "any" | "unspec" => self.report.fail("Protocol family not supported by the set type"),
            _ => self.report.syntax(format_args!("unknown inet family {text}")),
        }
    }

    /// libipset `ipset_parse_skbmark`: two hexadecimal numbers, and anything after them.
    fn skbmark(&mut self, text: &str) -> Result<(), Failed> {
        let hex = |text: &str| {
            let digits = text.strip_prefix("0x")?;
            let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
            let number = u64::from_str_radix(digits.get(..end)?, 16).ok()?;
            Some((number as u32, digits.get(end..)?.to_owned()))
        };
        let Some((mark, rest)) = hex(text) else {
            return self
                .report
                .syntax("Invalid skbmark format, it should be:  MARK/MASK or MARK (see manpage)");
        };
        let mask = rest.strip_prefix('/').and_then(hex).map_or(u32::MAX, |(mask, _)| mask);
        self.data.entry.skbmark = Some((mark, mask));
        self.data.set(Opt::Skbmark);
        Ok(())
    }

    /// libipset `ipset_parse_skbprio`.
    fn skbprio(&mut self, text: &str) -> Result<(), Failed> {
        let hex = |text: &str| {
            let text = text.strip_prefix("0x").unwrap_or(text);
            let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
            u32::from_str_radix(text.get(..end)?, 16).ok()
        };
        let parts = text.split_once(':').and_then(|(major, minor)| Some((hex(major)?, hex(minor)?)));
        let Some((major, minor)) = parts else {
            return self.report.syntax("Invalid skbprio format, it should be:MAJOR:MINOR (see manpage)");
        };
        self.data.entry.skbprio = Some(major << 16 | minor & 0xffff);
        self.data.set(Opt::Skbprio);
        Ok(())
    }

    fn netmask(&mut self, text: &str) -> Result<(), Failed> {
        if self.data.has(Opt::Bitmask) {
            return self.exclusive();
        }
        let Ok(cidr) = self.cidr(text, 1) else {
            return self.report.syntax("netmask is out of the inclusive range of 1-32");
        };
        self.data.create.netmask = Some(cidr);
        self.data.set(Opt::Netmask);
        Ok(())
    }

    fn bitmask(&mut self, text: &str) -> Result<(), Failed> {
        if self.data.has(Opt::Netmask) {
            return self.exclusive();
        }
        let Ok(mask) = self.host(text) else {
            return self.report.syntax("bitmask is not valid for family = inet");
        };
        self.data.create.bitmask = Some(mask);
        self.data.set(Opt::Bitmask);
        Ok(())
    }

    fn exclusive(&mut self) -> Result<(), Failed> {
        self.report.syntax("bitmask and netmask are mutually exclusive, provide only one")
    }

    fn comment(&mut self, text: &str) -> Result<(), Failed> {
        if text.contains('"') {
            return self.report.syntax("\" character is not permitted in comments");
        }
        if text.len() > 255 {
            return self.report.syntax("Comment is longer than the maximum allowed 255 characters");
        }
        self.data.entry.comment = Some(text.to_owned());
        self.data.set(Opt::AdtComment);
        Ok(())
    }

    /// Reads one value.
    pub fn read(&mut self, opt: Opt, reads: Reads, name: &str, text: &str) -> Result<(), Failed> {
        match reads {
            Reads::Family => return self.family(text),
            Reads::Timeout => {
                let seconds = self.number(text, u64::from(u32::MAX >> 1) / 1000, Grade::Error)?;
                self.data.entry.timeout = Some(seconds as u32);
            }
            Reads::Netmask => return self.netmask(text),
            Reads::Bitmask => return self.bitmask(text),
            Reads::Comment => return self.comment(text),
            Reads::Skbmark => return self.skbmark(text),
            Reads::Skbprio => return self.skbprio(text),
            Reads::Before | Reads::After => return self.nameref(text, reads == Reads::Before),
            Reads::SetName => self.data.entry.name = Some(self.set_name(text)?),
            Reads::Ignored => {
                if self.data.ignored & opt.bit() == 0 {
                    self.data.ignored |= opt.bit();
                    let what = format!("Option '--{name} {text}' is ignored. Please upgrade your syntax.");
                    self.report.add(Grade::Warning, what);
                }
                return Ok(());
            }
            Reads::Ip => return self.address(opt, text),
            Reads::SingleIp => {
                let prefix = separator(text, '/').is_some_and(|(_, cidr)| cidr != "32");
                if has_range(text) || prefix {
                    return self.report.syntax(format_args!("plain IP address must be supplied: {text}"));
                }
                return self.address(opt, text);
            }
            Reads::Net => {
                if separator(text, '/').is_none() || has_range(text) {
                    return self.report.syntax(format_args!("IP/netblock must be supplied: {text}"));
                }
                return self.address(opt, text);
            }
            Reads::NetRange => {
                if separator(text, '/').is_none() && !has_range(text) {
                    return self
                        .report
                        .syntax(format_args!("IP/cidr or IP-IP range must be specified: {text}"));
                }
                return self.address(opt, text);
            }
            Reads::ProtoPort => return self.proto_port(text, true),
            Reads::TcpUdpPort => {
                self.proto_port(text, false)?;
                if !matches!(self.data.entry.proto, Some(6 | 17)) {
                    return self.report.syntax("Only protocols TCP and UDP are valid");
                }
                self.data.entry.proto = None;
                self.data.bits &= !Opt::Proto.bit();
                return Ok(());
            }
            Reads::TcpPort => {
                let port = self.port(text, "tcp")?;
                match opt {
                    Opt::PortTo => self.data.entry.port_to = Some(port),
                    _ => self.data.entry.port = Some(port),
                }
            }
            Reads::Flag | Reads::U8 | Reads::U16 | Reads::U32 | Reads::U64 => return self.plain(opt, text),
        }
        self.data.set(opt);
        Ok(())
    }

    /// Flags and numbers.
    fn plain(&mut self, opt: Opt, text: &str) -> Result<(), Failed> {
        match opt {
            Opt::Counters => self.data.create.counters = true,
            Opt::CreateComment => self.data.create.comment = true,
            Opt::Forceadd => self.data.create.forceadd = true,
            Opt::Skbinfo => self.data.create.skbinfo = true,
            Opt::Nomatch => self.data.entry.nomatch = true,
            Opt::Hashsize => self.data.create.hashsize = Some(self.u32(text)?),
            Opt::Maxelem => self.data.create.maxelem = Some(self.u32(text)?),
            Opt::Size => self.data.create.size = Some(self.u32(text)?),
            Opt::Initval => self.data.create.initval = Some(self.u32(text)?),
            Opt::Bucketsize => self.data.create.bucketsize = Some(self.u8(text, Grade::Error)?),
            Opt::Skbqueue => self.data.entry.skbqueue = Some(self.u16(text)?),
            Opt::Packets => self.data.entry.packets = Some(self.number(text, u64::MAX - 1, Grade::Error)?),
            Opt::Bytes => self.data.entry.bytes = Some(self.number(text, u64::MAX - 1, Grade::Error)?),
            _ => {}
        }
        self.data.set(opt);
        Ok(())
    }

    /// Reads an element, whose parts are joined by commas. libipset `ipset_parse_elem`.
    pub fn element(&mut self, kind: &Type, text: &str) -> Result<(), Failed> {
        let name = kind.kind.name();
        let dim = kind.elem.len();
        let (first, rest) = separator(text, ',').map_or((text, None), |(first, rest)| (first, Some(rest)));
        if dim == 1 && rest.is_some() {
            if kind.kind == SetType::ListSet {
                return self.list_element(text);
            }
            return self
                .report
                .syntax(format_args!("Elem separator in {text}, but settype {name} supports none."));
        }
        let Some(rest) = rest else {
            if dim > 1 {
                return self.report.syntax(format_args!("Second element is missing from {text}."));
            }
            return self.parts(kind, &[first]);
        };
        let (second, third) =
            separator(rest, ',').map_or((rest, None), |(second, third)| (second, Some(third)));
        match third {
            None if dim > 2 => self.report.syntax(format_args!("Third element is missing from {text}.")),
            Some(_) if dim < 3 => self
                .report
                .syntax(format_args!("Two elem separators in {text}, but settype {name} supports one.")),
            Some(third) if separator(third, ',').is_some() => self
                .report
                .syntax(format_args!("Three elem separators in {text}, but settype {name} supports two.")),
            Some(third) => self.parts(kind, &[first, second, third]),
            None => self.parts(kind, &[first, second]),
        }
    }

    fn parts(&mut self, kind: &Type, parts: &[&str]) -> Result<(), Failed> {
        for ((opt, reads), part) in kind.elem.iter().zip(parts) {
            self.read(*opt, *reads, "", part)?;
        }
        Ok(())
    }

    /// `NAME,before|after,NAME`. libipset `ipset_parse_name_compat`.
    fn list_element(&mut self, text: &str) -> Result<(), Failed> {
        let parts: Vec<&str> = text.splitn(3, ',').collect();
        let [name, place @ ("before" | "after"), other] = parts.as_slice() else {
            return self.report.fail("you must specify elements as setname,[before|after],setname");
        };
        self.data.entry.name = Some(self.set_name(name)?);
        self.data.set(Opt::Name);
        self.nameref(other, *place == "before")
    }
}
