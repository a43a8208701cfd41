//! The commands that send packets, and the servers that answer them.

mod arping;
mod curl;
mod fabric;
pub mod flannel_udp;
pub mod http_client;
mod http_echo;
pub mod http_response;
pub mod http_server;
mod lookups;
mod nc;
mod nmap;
mod nping;
mod ping;
pub mod relay;
mod ss;
mod tcpdump;
mod telnet;
pub mod trace;
mod tracepath;
mod traceroute;
mod udp_echo;
mod udp_probe;

pub(crate) use dns::inet_aton;
pub(crate) use tcpdump::Names;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use world::{Fd, Next, OpenMode, ReadResult, Sys, Wait};

/// Installs all of them.
pub fn install(registry: &mut world::Registry) {
    arping::install(registry);
    curl::install(registry);
    fabric::install(registry);
    flannel_udp::install(registry);
    http_echo::install(registry);
    nc::install(registry);
    nmap::install(registry);
    nping::install(registry);
    ping::install(registry);
    ss::install(registry);
    tcpdump::install(registry);
    telnet::install(registry);
    trace::install(registry);
    tracepath::install(registry);
    traceroute::install(registry);
    udp_echo::install(registry);
    udp_probe::install(registry);
}

/// Why a tool doesn't begin: its exit status and what it says, with status 0 on standard output.
pub(crate) struct Refused(pub i32, pub String);

/// A tool at work that has its turn whenever something happens.
trait Turns {
    /// Does what can be done now; answers what it waits for, or `None` at its end.
    fn turn(&mut self, sys: &mut dyn Sys) -> Option<Wait>;
    /// Says its last words.
    fn finish(&self, sys: &mut dyn Sys);
}

/// Begins with the first turn, and ends after the last. Before it begins it may wait, e.g. for a name.
fn take_turn<S: Turns>(
    state: &mut Option<S>,
    sys: &mut dyn Sys,
    start: impl FnOnce(&mut dyn Sys) -> Result<Result<S, Wait>, Refused>,
) -> Next {
    let state = match state {
        Some(state) => state,
        None => match start(sys) {
            Ok(Ok(begun)) => state.insert(begun),
            Ok(Err(wait)) => return Next::Wait(wait),
            Err(Refused(0, text)) => {
                say(sys, &text);
                return Next::Exit(0);
            }
            Err(Refused(status, text)) => {
                complain(sys, &text);
                return Next::Exit(status);
            }
        },
    };
    if let Some(wait) = state.turn(sys) {
        return Next::Wait(wait);
    }
    state.finish(sys);
    Next::Exit(0)
}

/// Writes to standard output. Who reads it may be gone; that ends the process by itself.
pub(crate) fn say(sys: &mut dyn Sys, text: &str) {
    let _ = sys.write(Fd::STDOUT, text.as_bytes());
}

/// Writes to standard error.
pub(crate) fn complain(sys: &mut dyn Sys, text: &str) {
    let _ = sys.write(Fd::STDERR, text.as_bytes());
}

/// The whole of a file, as text.
pub fn read_file(sys: &mut dyn Sys, path: &str) -> Option<String> {
    let fd = sys.open(path, OpenMode::Read).ok()?;
    let mut bytes = Vec::new();
    while let Ok(ReadResult::Data(more)) = sys.read(fd, 1 << 16) {
        bytes.extend(more);
    }
    sys.close(fd);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The address of a host by number or by /etc/hosts, without asking anybody.
pub fn resolve(sys: &mut dyn Sys, name: &str) -> Option<Ipv4Addr> {
    if let Some(addr) = inet_aton(name) {
        return Some(addr);
    }
    let hosts = read_file(sys, "/etc/hosts")?;
    hosts.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let addr: Ipv4Addr = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(addr)
    })
}

/// `ADDR:PORT`; an empty ADDR is 0.0.0.0.
pub fn socket_addr(text: &str) -> Option<SocketAddr> {
    let (addr, port) = text.rsplit_once(':')?;
    let addr = if addr.is_empty() { Ipv4Addr::UNSPECIFIED } else { addr.parse().ok()? };
    Some(SocketAddr::new(IpAddr::V4(addr), port.parse().ok()?))
}

/// Options of the form `-name value` and `-name`, as Go's flag package takes them.
#[derive(Clone, Debug, Default)]
pub struct GoFlags {
    /// The flags in order, without hyphens, and their values.
    pub values: Vec<(String, String)>,
    /// What follows the flags.
    pub words: Vec<String>,
}

impl GoFlags {
    /// Takes `args` apart; flags named in `switches` have no value.
    ///
    /// # Errors
    /// In the flag package's words.
    pub fn parse(args: &[String], valued: &[&str], switches: &[&str]) -> Result<Self, String> {
        let mut flags = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(name) =
                arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')).filter(|n| !n.is_empty())
            else {
                flags.words.push(arg.clone());
                flags.words.extend(args.cloned());
                break;
            };
            let (name, attached) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            if switches.contains(&name) {
                flags.values.push((name.to_owned(), attached.unwrap_or_else(|| "true".to_owned())));
            } else if valued.contains(&name) {
                let value = match attached {
                    Some(value) => value,
                    None => args.next().cloned().ok_or_else(|| format!("flag needs an argument: -{name}"))?,
                };
                flags.values.push((name.to_owned(), value));
            } else {
                return Err(format!("flag provided but not defined: -{name}"));
            }
        }
        Ok(flags)
    }

    /// The last value of a flag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether a switch is on.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "true")
    }
}

/// A decimal number of seconds, e.g. `0.5`, to the nanosecond.
pub(crate) fn seconds(text: &str) -> Option<std::time::Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if (whole.is_empty() && fraction.is_empty()) || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Some(std::time::Duration::new(whole, digits.parse().ok()?))
}
