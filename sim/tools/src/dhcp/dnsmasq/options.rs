//! The arguments of `dnsmasq`, as far as they concern DHCP. Source: `option.c`.

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, OptionCode};
use packet::MacAddr;

use super::log::duration;
use crate::net::Refused;

/// Addresses to give.
#[derive(Clone, Debug)]
pub(super) struct Range {
    /// First.
    pub start: Ipv4Addr,
    /// Last.
    pub end: Ipv4Addr,
    /// Mask, if it was given; otherwise the interface's.
    pub mask: Option<Ipv4Addr>,
    /// Seconds.
    pub lease: u32,
    /// Added to a client's hash, so that it gets another address than before.
    pub epoch: u32,
}

/// A client that is known.
#[derive(Clone, Debug)]
pub(super) struct KnownHost {
    /// Its hardware address.
    pub mac: MacAddr,
    /// The address it gets.
    pub address: Option<Ipv4Addr>,
    /// The name it gets.
    pub name: Option<String>,
    /// How long, in seconds.
    pub lease: Option<u32>,
    /// It gets nothing.
    pub ignored: bool,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// `--no-daemon`, `--keep-in-foreground`.
    pub foreground: bool,
    /// Logs to standard error.
    pub to_stderr: bool,
    /// `--log-facility`.
    pub log_file: Option<String>,
    /// `--interface`; none is all.
    pub interfaces: Vec<String>,
    /// `--dhcp-range`.
    pub ranges: Vec<Range>,
    /// `--dhcp-option`, the last first.
    pub answers: Vec<Answer>,
    /// `--dhcp-host`.
    pub hosts: Vec<KnownHost>,
    /// `--dhcp-authoritative`.
    pub authoritative: bool,
    /// `--no-ping`: addresses are given without a look whether somebody has them.
    pub no_ping: bool,
    /// `--dhcp-sequential-ip`.
    pub sequential: bool,
    /// `--dhcp-leasefile`.
    pub lease_file: String,
    /// `--pid-file`.
    pub pid_file: String,
}

/// An option that clients get when they ask for it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Which.
    pub code: OptionCode,
    /// Its value; none keeps the server from sending its own.
    pub value: Option<DhcpOption>,
}

const SWITCHES: &[(&str, &str)] = &[
    ("d", "no-daemon"),
    ("k", "keep-in-foreground"),
    ("K", "dhcp-authoritative"),
    ("5", "no-ping"),
    ("z", "bind-interfaces"),
    ("R", "no-resolv"),
    ("h", "no-hosts"),
    ("", "dhcp-sequential-ip"),
    ("", "bind-dynamic"),
];
const VALUED: &[(&str, &str)] = &[
    ("p", "port"),
    ("i", "interface"),
    ("F", "dhcp-range"),
    ("O", "dhcp-option"),
    ("G", "dhcp-host"),
    ("l", "dhcp-leasefile"),
    ("C", "conf-file"),
    ("u", "user"),
    ("x", "pid-file"),
    ("8", "log-facility"),
    ("I", "except-interface"),
];

fn bad(what: &str) -> Refused {
    Refused(1, format!("\ndnsmasq: {what}\n"))
}

/// The long name of an option with its value.
fn take<'a>(
    arg: &'a str,
    rest: &mut impl Iterator<Item = &'a String>,
) -> Result<(&'static str, &'a str), Refused> {
    let usage = || bad("bad command line options: try --help");
    let (is_long, word) = match arg.strip_prefix("--") {
        Some(long) => (true, long),
        None => (false, arg.strip_prefix('-').filter(|word| !word.is_empty()).ok_or_else(usage)?),
    };
    let (name, attached) = if is_long {
        word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)))
    } else {
        let end = word.chars().next().map_or(0, char::len_utf8);
        let (name, value) = word.split_at(end);
        (name, Some(value.strip_prefix('=').unwrap_or(value)).filter(|value| !value.is_empty()))
    };
    let fits = |&&(short, long): &&(&str, &str)| if is_long { long == name } else { short == name };
    if let Some((_, long)) = SWITCHES.iter().find(fits) {
        return Ok((long, ""));
    }
    let Some((_, long)) = VALUED.iter().find(fits) else {
        return Err(bad(&format!("option `{arg}` is not simulated")));
    };
    match attached {
        Some(value) => Ok((long, value)),
        None => Ok((long, rest.next().map(String::as_str).ok_or_else(usage)?)),
    }
}

impl Options {
    /// Takes the arguments apart.
    pub fn parse(args: &[String]) -> Result<Self, Refused> {
        let mut parsed = Self {
            foreground: false,
            to_stderr: false,
            log_file: None,
            interfaces: Vec::new(),
            ranges: Vec::new(),
            answers: Vec::new(),
            hosts: Vec::new(),
            authoritative: false,
            no_ping: false,
            sequential: false,
            lease_file: "/var/lib/misc/dnsmasq.leases".to_owned(),
            pid_file: "/run/dnsmasq/dnsmasq.pid".to_owned(),
        };
        let mut port = None;
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (name, value) = take(arg, &mut args)?;
            match name {
                "no-daemon" => (parsed.foreground, parsed.to_stderr) = (true, true),
                "keep-in-foreground" => parsed.foreground = true,
                "dhcp-authoritative" => parsed.authoritative = true,
                "no-ping" => parsed.no_ping = true,
                "dhcp-sequential-ip" => parsed.sequential = true,
                "port" => port = Some(value.to_owned()),
                "interface" => parsed.interfaces.extend(value.split(',').map(str::to_owned)),
                "dhcp-range" => parsed.ranges.push(range(value)?),
                "dhcp-option" => parsed.answers.insert(0, answer(value)?),
                "dhcp-host" => parsed.hosts.push(known_host(value)?),
                "dhcp-leasefile" => parsed.lease_file = value.to_owned(),
                "pid-file" => parsed.pid_file = value.to_owned(),
                "log-facility" if value == "-" => parsed.to_stderr = true,
                "log-facility" if value.contains('/') => parsed.log_file = Some(value.to_owned()),
                "log-facility" => return Err(bad(&format!("log facility `{value}` is not simulated"))),
                "conf-file" if value != "/dev/null" => {
                    return Err(bad("configuration files are not simulated"));
                }
                "except-interface" => return Err(bad("option `--except-interface` is not simulated")),
                // What a simulated host has none of: users, other resolvers.
                _ => {}
            }
        }
        if port.as_deref() != Some("0") {
            return Err(bad("only DHCP is simulated, no DNS: give --port=0"));
        }
        Ok(parsed)
    }
}

/// `START,END[,MASK[,BROADCAST]][,LEASE]`. Source: `one_opt`, case `F`.
fn range(text: &str) -> Result<Range, Refused> {
    let refuse = || bad("bad dhcp-range");
    let words: Vec<&str> = text.split(',').collect();
    let [start, end, rest @ ..] = words.as_slice() else { return Err(refuse()) };
    let mut range = Range {
        start: start.parse().map_err(|_| refuse())?,
        end: end.parse().map_err(|_| bad(&format!("`{end}` in a dhcp-range is not simulated")))?,
        mask: None,
        lease: 3600,
        epoch: 0,
    };
    let mut rest = rest.iter();
    let mut next = rest.next();
    if let Some(mask) = next.and_then(|word| word.parse().ok()) {
        range.mask = Some(mask);
        next = rest.next();
        // The broadcast address follows from the mask, unless someone says nonsense.
        if next.is_some_and(|word| word.parse::<Ipv4Addr>().is_ok()) {
            next = rest.next();
        }
    }
    if let Some(time) = next {
        range.lease = lease_time(time).ok_or_else(refuse)?;
    }
    let backwards = range.start > range.end;
    if backwards || rest.next().is_some() {
        return Err(refuse());
    }
    Ok(range)
}

/// `12h`, `45m`, `120`, `infinite`; at least two minutes.
fn lease_time(text: &str) -> Option<u32> {
    if text == "infinite" {
        return Some(u32::MAX);
    }
    let (digits, factor) = match text.char_indices().last()? {
        (at, 'w' | 'W') => (&text[..at], 7 * 24 * 3600),
        (at, 'd' | 'D') => (&text[..at], 24 * 3600),
        (at, 'h' | 'H') => (&text[..at], 3600),
        (at, 'm' | 'M') => (&text[..at], 60),
        (at, 's' | 'S') => (&text[..at], 1),
        _ => (text, 1),
    };
    let seconds = digits.parse::<u32>().ok()?.checked_mul(factor)?;
    Some(seconds.max(120))
}

const NAMES: &[(&str, u8)] = &[
    ("netmask", 1),
    ("router", 3),
    ("dns-server", 6),
    ("domain-name", 15),
    ("mtu", 26),
    ("broadcast", 28),
    ("ntp-server", 42),
];

/// `3,192.168.1.1`, `option:router,192.168.1.1`, `3` alone.
fn answer(text: &str) -> Result<Answer, Refused> {
    let refuse = || bad(&format!("bad dhcp-option: `{text}`"));
    let (key, values) = text.split_once(',').map_or((text, None), |(key, values)| (key, Some(values)));
    let code = match key.strip_prefix("option:") {
        Some(name) => NAMES.iter().find(|(known, _)| *known == name).ok_or_else(refuse)?.1,
        None => key.parse().map_err(|_| refuse())?,
    };
    let Some(values) = values else { return Ok(Answer { code: code.into(), value: None }) };
    let addrs = || values.split(',').map(str::parse).collect::<Result<Vec<Ipv4Addr>, _>>();
    let one = || values.parse().map_err(|_| refuse());
    let value = match code {
        1 => DhcpOption::SubnetMask(one()?),
        3 => DhcpOption::Router(addrs().map_err(|_| refuse())?),
        6 => DhcpOption::DomainNameServer(addrs().map_err(|_| refuse())?),
        15 => DhcpOption::DomainName(values.to_owned()),
        26 => DhcpOption::InterfaceMtu(values.parse().map_err(|_| refuse())?),
        28 => DhcpOption::BroadcastAddr(one()?),
        42 => DhcpOption::NtpServers(addrs().map_err(|_| refuse())?),
        _ => return Err(bad(&format!("dhcp-option {code} is not simulated"))),
    };
    Ok(Answer { code: code.into(), value: Some(value) })
}

/// `MAC,ADDRESS[,NAME][,LEASE]`, `MAC,ignore`.
fn known_host(text: &str) -> Result<KnownHost, Refused> {
    let refuse = || bad(&format!("bad dhcp-host: `{text}`"));
    let mut words = text.split(',');
    let mac = words.next().and_then(|word| word.parse().ok()).ok_or_else(refuse)?;
    let mut host = KnownHost { mac, address: None, name: None, lease: None, ignored: false };
    for word in words {
        if let Ok(address) = word.parse() {
            host.address = Some(address);
        } else if word == "ignore" {
            host.ignored = true;
        } else if let Some(seconds) = lease_time(word) {
            host.lease = Some(seconds);
        } else if word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !word.is_empty() {
            host.name = Some(word.to_owned());
        } else {
            return Err(refuse());
        }
    }
    Ok(host)
}

impl Range {
    /// As it is announced at the start.
    pub fn announce(&self) -> String {
        format!("DHCP, IP range {} -- {}, lease time {}", self.start, self.end, duration(self.lease))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read() {
        let read = Options::parse(&words(
            "-d --port=0 -i eth0 --dhcp-range=10.0.0.10,10.0.0.20,255.255.255.0,30m --dhcp-option=3 \
             --dhcp-option=option:dns-server,10.0.0.1 --dhcp-host=02:00:00:00:00:07,10.0.0.7,seven",
        ));
        let read = read.map_err(|Refused(_, text)| text);
        let read = read.as_ref().map(|read| {
            let answers: Vec<bool> = read.answers.iter().map(|answer| answer.value.is_some()).collect();
            (read.ranges[0].lease, answers, read.hosts[0].name.as_deref())
        });
        assert_eq!(read, Ok((1800, vec![true, false], Some("seven"))));
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for text in [
            "--dhcp-range=10.0.0.1,10.0.0.9",
            "--port=53",
            "--port=0 --dhcp-range=10.0.0.9",
            "--port=0 --dhcp-range=10.0.0.9,10.0.0.1",
            "--port=0 --dhcp-range=10.0.0.1,10.0.0.9,soon",
            "--port=0 --dhcp-option=3,x",
            "--port=0 --dhcp-host=x",
            "--port=0 --address=/x/1.2.3.4",
            "--port=0 stray",
        ] {
            assert!(Options::parse(&words(text)).is_err(), "{text}");
        }
    }
}
