//! /etc/resolv.conf as the C libraries read it. resolv.conf(5); glibc: `resolv/res_init.c`; musl:
//! `src/network/resolvconf.c`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::{Libc, inet_aton};

/// Servers that are asked; further ones count for nothing (`MAXNS`).
pub const MAX_SERVERS: usize = 3;

/// A word of `options` that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// `rotate`: begins with another server each time.
    Rotate,
    /// `edns0`: says that answers up to 1200 bytes may come.
    Edns0,
    /// `single-request`: AAAA is asked when A is answered.
    SingleRequest,
    /// `single-request-reopen`: and by another socket.
    SingleRequestReopen,
    /// `no-tld-query`: no name without a dot is asked as it is.
    NoTldQuery,
    /// `use-vc`: TCP only.
    UseVc,
    /// `trust-ad`: asks for the AD bit and keeps it.
    TrustAd,
    /// `no-aaaa`: A only.
    NoAaaa,
}

/// In the order in which glibc compares them: it asks only how a word begins.
const FLAGS: [(&str, Flag); 9] = [
    ("rotate", Flag::Rotate),
    ("edns0", Flag::Edns0),
    ("single-request-reopen", Flag::SingleRequestReopen),
    ("single-request", Flag::SingleRequest),
    ("no_tld_query", Flag::NoTldQuery),
    ("no-tld-query", Flag::NoTldQuery),
    ("use-vc", Flag::UseVc),
    ("trust-ad", Flag::TrustAd),
    ("no-aaaa", Flag::NoAaaa),
];

/// What stands beside the file and counts as much: glibc's only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `LOCALDOMAIN`: takes the place of `search` and `domain`.
    pub local_domain: Option<String>,
    /// `RES_OPTIONS`: added to `options`.
    pub options: Option<String>,
    /// The host's name: without a search list, names are searched in what follows its first dot.
    pub hostname: String,
}

/// How a resolver asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// `nameserver`, at most three; 127.0.0.1 if none is named.
    pub servers: Vec<IpAddr>,
    /// `search` or `domain`, whichever came last.
    pub search: Vec<String>,
    /// A name with as many dots is asked as it is first.
    pub ndots: usize,
    /// For an answer, in seconds.
    pub timeout: u32,
    /// Times that each server is asked.
    pub attempts: u32,
    /// The other options.
    pub flags: BTreeSet<Flag>,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: 5,
            attempts: 2,
            flags: BTreeSet::new(),
        }
    }
}

impl ResolvConf {
    /// Reads the file's text; a file that isn't there is an empty text.
    pub fn parse(libc: Libc, text: &str, around: &Surroundings) -> Self {
        let mut conf = Self::default();
        match libc {
            Libc::Glibc => conf.glibc(text, around),
            Libc::Musl => conf.musl(text),
        }
        conf.servers.truncate(MAX_SERVERS);
        if conf.servers.is_empty() {
            conf.servers.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        conf
    }

    /// Whether an option is on.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    fn glibc(&mut self, text: &str, around: &Surroundings) {
        const BLANK: [char; 2] = [' ', '\t'];
        let words = |text: &str| -> Vec<String> {
            text.split(BLANK).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        for line in text.lines() {
            let Some((keyword, rest)) = line.split_once(BLANK) else { continue };
            match keyword {
                "domain" => {
                    if let Some(domain) = words(rest).into_iter().next() {
                        self.search = vec![domain];
                    }
                }
                "search" => {
                    let domains = words(rest);
                    if !domains.is_empty() {
                        self.search = domains;
                    }
                }
                "nameserver" => {
                    self.servers.extend(words(rest).first().and_then(|word| server(word)));
                }
                "options" => self.set_options(rest),
                _ => {}
            }
        }
        if let Some(domains) = &around.local_domain {
            self.search = words(domains.lines().next().unwrap_or_default());
        }
        if self.search.is_empty() {
            self.search.extend(around.hostname.split_once('.').map(|(_, domain)| domain.to_owned()));
        }
        if let Some(options) = &around.options {
            self.set_options(options);
        }
    }

    fn set_options(&mut self, text: &str) {
        const MAX_NDOTS: u32 = 15;
        const MAX_TIMEOUT: u32 = 30;
        const MAX_ATTEMPTS: u32 = 5;
        for word in text.split([' ', '\t']) {
            if let Some(value) = word.strip_prefix("ndots:") {
                self.ndots = number(value).min(MAX_NDOTS) as usize;
            } else if let Some(value) = word.strip_prefix("timeout:") {
                self.timeout = number(value).min(MAX_TIMEOUT);
            } else if let Some(value) = word.strip_prefix("attempts:") {
                self.attempts = number(value).min(MAX_ATTEMPTS);
            } else {
                self.flags
                    .extend(FLAGS.iter().find(|(name, _)| word.starts_with(name)).map(|(_, flag)| *flag));
            }
        }
    }

    fn musl(&mut self, text: &str) {
        /// Bytes of a line, with its end; a longer one is skipped.
        const MAX_LINE: usize = 255;
        let value = |line: &str, name: &str, most: u32| -> Option<u32> {
            let digits = line.split_once(name)?.1;
            digits.starts_with(|c: char| c.is_ascii_digit()).then(|| number(digits).min(most))
        };
        for line in text.split_inclusive('\n').filter(|line| line.len() <= MAX_LINE) {
            let Some((keyword, rest)) = line.split_once(|c: char| c.is_ascii_whitespace()) else { continue };
            match keyword {
                "options" => {
                    self.ndots = value(line, "ndots:", 15).map_or(self.ndots, |n| n as usize);
                    self.attempts = value(line, "attempts:", 10).unwrap_or(self.attempts);
                    self.timeout = value(line, "timeout:", 60).unwrap_or(self.timeout);
                }
                "nameserver" => {
                    self.servers.extend(rest.split_ascii_whitespace().next().and_then(server));
                }
                "domain" | "search" => {
                    self.search = rest.split_ascii_whitespace().map(str::to_owned).collect();
                }
                _ => {}
            }
        }
    }
}

/// The address of a server; an IPv6 address may name its device.
fn server(word: &str) -> Option<IpAddr> {
    let v6 = || word.split('%').next().unwrap_or(word).parse().ok().map(IpAddr::V6);
    inet_aton(word).map(IpAddr::V4).or_else(v6)
}

/// What atoi(3) makes of it; less than nothing is nothing.
fn number(text: &str) -> u32 {
    let digits = text.find(|c: char| !c.is_ascii_digit()).map_or(text, |end| &text[..end]);
    if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(libc: Libc, text: &str, around: &Surroundings, expected: &str) {
        let conf = ResolvConf::parse(libc, text, around);
        let servers: Vec<String> = conf.servers.iter().map(ToString::to_string).collect();
        let seen = format!(
            "{} | {} | {} {} {} {:?}",
            servers.join(" "),
            conf.search.join(" "),
            conf.ndots,
            conf.timeout,
            conf.attempts,
            conf.flags,
        );
        assert_eq!(seen, expected, "{libc:?} {text:?}");
    }

    #[test]
    fn limits_defaults_and_what_stands_around() {
        let none = Surroundings::default();
        let hostname = Surroundings { hostname: "h1.example.com".to_owned(), ..none.clone() };
        let options = "nameserver 10.0.0.1\noptions ndots:99 timeout:99 attempts:99 rotated edns0 single-request-reopen\n";
        for (libc, text, around, expected) in [
            (Libc::Glibc, "", &none, "127.0.0.1 |  | 1 5 2 {}"),
            (Libc::Glibc, "", &hostname, "127.0.0.1 | example.com | 1 5 2 {}"),
            (Libc::Musl, "", &hostname, "127.0.0.1 |  | 1 5 2 {}"),
            (Libc::Glibc, options, &none, "10.0.0.1 |  | 15 30 5 {Rotate, Edns0, SingleRequestReopen}"),
            (Libc::Musl, options, &none, "10.0.0.1 |  | 15 60 10 {}"),
            (Libc::Glibc, "options timeout: attempts:x ndots:-1", &none, "127.0.0.1 |  | 0 0 0 {}"),
            (Libc::Musl, "options timeout: attempts:x ndots:-1", &none, "127.0.0.1 |  | 1 5 2 {}"),
            (
                Libc::Glibc,
                "nameserver fe80::1%eth0\nnameserver 10.1\n",
                &none,
                "fe80::1 10.0.0.1 |  | 1 5 2 {}",
            ),
        ] {
            check(libc, text, around, expected);
        }
    }
}
