//! `ss` of iproute2 6.1: lists sockets.
//!
//! Source: iproute2 `misc/ss.c`, `misc/ssfilter.y`.

use std::net::{IpAddr, Ipv4Addr};

use kernel::dump::SocketInfo;
use world::{Registry, Sys};

use super::tcpdump::Names;
use super::{Refused, complain, say};
use crate::getopt::getopt;

/// Installs `ss`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install_command("ss", run);
}

/// Socket states in the kernel's order; the first is 1.
const STATES: [(&str, &str); 11] = [
    ("ESTAB", "established"),
    ("SYN-SENT", "syn-sent"),
    ("SYN-RECV", "syn-recv"),
    ("FIN-WAIT-1", "fin-wait-1"),
    ("FIN-WAIT-2", "fin-wait-2"),
    ("TIME-WAIT", "time-wait"),
    ("UNCONN", "unconnected"),
    ("CLOSE-WAIT", "close-wait"),
    ("LAST-ACK", "last-ack"),
    ("LISTEN", "listening"),
    ("CLOSING", "closing"),
];
const ESTABLISHED: u32 = 1;
const SYN_SENT: u32 = 1 << 1;
const SYN_RECV: u32 = 1 << 2;
const TIME_WAIT: u32 = 1 << 5;
const CLOSED: u32 = 1 << 6;
const LISTEN: u32 = 1 << 9;
const ALL: u32 = (1 << 11) - 1;
const CONNECTED: u32 = ALL & !(LISTEN | CLOSED | TIME_WAIT | SYN_RECV);

/// The kinds of sockets, in the order in which they are listed.
const KINDS: [&str; 4] = ["p_raw", "raw", "udp", "tcp"];

/// What is listed.
#[derive(Clone, Debug, Default)]
struct Options {
    kinds: Vec<&'static str>,
    states: u32,
    numeric: bool,
    no_header: bool,
    filter: Option<Filter>,
}

/// The expression after the options.
#[derive(Clone, Debug)]
enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Host { remote: bool, net: Option<(Ipv4Addr, u32)>, port: Option<u16> },
    Port { remote: bool, at_least: bool, port: u16 },
    Device(String),
}

const USAGE: &str = "Usage: ss [ OPTIONS ]\n       ss [ OPTIONS ] [ FILTER ]\n   -h, --help          this message\n   -V, --version       output version information\n   -n, --numeric       don't resolve service names\n   -a, --all           display all sockets\n   -l, --listening     display listening sockets\n   -4, --ipv4          display only IP version 4 sockets\n   -0, --packet        display PACKET sockets\n   -t, --tcp           display only TCP sockets\n   -u, --udp           display only UDP sockets\n   -w, --raw           display only RAW sockets\n   -H, --no-header     Suppress header line\n";
const LONG: &[(&str, char)] = &[
    ("numeric", 'n'),
    ("all", 'a'),
    ("listening", 'l'),
    ("ipv4", '4'),
    ("ipv6", '6'),
    ("packet", '0'),
    ("tcp", 't'),
    ("udp", 'u'),
    ("raw", 'w'),
    ("unix", 'x'),
    ("no-header", 'H'),
    ("oneline", 'O'),
    ("help", 'h'),
    ("version", 'V'),
];

fn states_of(word: &str) -> Option<u32> {
    Some(match word.to_ascii_lowercase().as_str() {
        "close" | "closed" => CLOSED,
        "syn-rcv" => SYN_RECV,
        "all" => ALL,
        "connected" => ALL & !(CLOSED | LISTEN),
        "synchronized" => ALL & !(CLOSED | LISTEN | SYN_SENT),
        "bucket" => SYN_RECV | TIME_WAIT,
        "big" => ALL & !(SYN_RECV | TIME_WAIT),
        word => 1 << STATES.iter().position(|(_, name)| *name == word)?,
    })
}

fn state_bit(info: &SocketInfo) -> u32 {
    STATES.iter().position(|(name, _)| *name == info.state).map_or(0, |at| 1 << at)
}

/// Words of a filter; operators may stand beside an operand.
struct Words<'a> {
    words: Vec<String>,
    at: usize,
    names: &'a Names,
    kinds: &'a [&'static str],
}

impl Words<'_> {
    fn take(&mut self, options: &[&str]) -> bool {
        let found = self.words.get(self.at).is_some_and(|word| options.contains(&word.as_str()));
        self.at += usize::from(found);
        found
    }

    fn usage<T>() -> Result<T, Refused> {
        Err(Refused(255, format!("ss: bison bellows (while parsing filter): \"syntax error!\"{USAGE}")))
    }

    fn list(&mut self) -> Result<Filter, Refused> {
        let mut filter = self.one()?;
        while self.words.get(self.at).is_some_and(|word| word != ")") {
            if self.take(&["|", "||", "or"]) {
                filter = Filter::Or(Box::new(filter), Box::new(self.one()?));
            } else {
                self.take(&["&", "&&", "and"]);
                filter = Filter::And(Box::new(filter), Box::new(self.one()?));
            }
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, Refused> {
        if self.take(&["!", "not"]) {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        if self.take(&["("]) {
            let filter = self.list()?;
            return if self.take(&[")"]) { Ok(filter) } else { Self::usage() };
        }
        let Some(word) = self.words.get(self.at).cloned() else { return Self::usage() };
        self.at += 1;
        match word.as_str() {
            "src" | "dst" => {
                self.take(&["=", "==", "eq"]);
                self.host(word == "dst")
            }
            "sport" | "dport" => self.port_condition(word == "dport"),
            "dev" => {
                let differs = self.take(&["!=", "ne", "neq"]);
                if !differs {
                    self.take(&["=", "==", "eq"]);
                }
                let Some(name) = self.words.get(self.at).cloned() else { return Self::usage() };
                self.at += 1;
                let filter = Filter::Device(name);
                Ok(if differs { Filter::Not(Box::new(filter)) } else { filter })
            }
            // Any other word is taken for a peer's address.
            _ => {
                self.at -= 1;
                self.host(true)
            }
        }
    }

    fn port(&self, text: &str) -> Result<Option<u16>, Refused> {
        if text.is_empty() || text == "*" {
            return Ok(None);
        }
        let by_name = || self.kinds.iter().find_map(|kind| self.names.port(text, kind));
        match text.parse().ok().or_else(by_name) {
            Some(port) => Ok(Some(port)),
            None => Err(Refused(
                1,
                format!("Error: \"{text}\" does not look like a port.\nCannot parse dst/src address.\n"),
            )),
        }
    }

    fn port_condition(&mut self, remote: bool) -> Result<Filter, Refused> {
        const OPERATORS: [(&[&str], &str); 6] = [
            (&[">=", "ge", "geq"], ">="),
            (&["<=", "le", "leq"], "<="),
            (&["!=", "ne", "neq"], "!="),
            (&[">", "gt"], ">"),
            (&["<", "lt"], "<"),
            (&["=", "==", "eq"], "="),
        ];
        let operator = OPERATORS.iter().find(|(words, _)| self.take(words)).map_or("=", |(_, name)| name);
        let Some(word) = self.words.get(self.at).cloned() else { return Self::usage() };
        self.at += 1;
        let port = self.port(word.strip_prefix(':').unwrap_or(&word))?;
        let exact = Filter::Host { remote, net: None, port };
        let Some(port) = port else { return Ok(exact) };
        let limit = |at_least| Filter::Port { remote, at_least, port };
        Ok(match operator {
            ">=" => limit(true),
            "<=" => limit(false),
            ">" => Filter::Not(Box::new(limit(false))),
            "<" => Filter::Not(Box::new(limit(true))),
            "!=" => Filter::Not(Box::new(exact)),
            _ => exact,
        })
    }

    fn host(&mut self, remote: bool) -> Result<Filter, Refused> {
        let Some(word) = self.words.get(self.at).cloned() else { return Self::usage() };
        self.at += 1;
        let word = word.strip_prefix("inet:").unwrap_or(&word);
        let (addr, port) = word.rsplit_once(':').unwrap_or((word, ""));
        let port = self.port(port)?;
        if addr.is_empty() || addr == "*" {
            return Ok(Filter::Host { remote, net: None, port });
        }
        let (text, len) = addr.split_once('/').unwrap_or((addr, "32"));
        let net = self.names.address(text).zip(len.parse::<u32>().ok().filter(|len| *len <= 32));
        match net {
            Some((addr, len)) => Ok(Filter::Host {
                remote,
                net: Some((addr, u32::MAX.checked_shl(32 - len).unwrap_or(0))),
                port,
            }),
            None => Err(Refused(
                1,
                format!(
                    "Error: an inet prefix is expected rather than \"{addr}\".\nCannot parse dst/src address.\n"
                ),
            )),
        }
    }
}

impl Filter {
    fn passes(&self, info: &SocketInfo) -> bool {
        let end = |remote: bool| if remote { info.remote } else { info.local };
        match self {
            Self::And(a, b) => a.passes(info) && b.passes(info),
            Self::Or(a, b) => a.passes(info) || b.passes(info),
            Self::Not(a) => !a.passes(info),
            Self::Host { remote, net, port } => {
                let (addr, own_port) = end(*remote);
                let in_net = net.is_none_or(|(net, mask)| match addr {
                    IpAddr::V4(addr) => u32::from(addr) & mask == u32::from(net) & mask,
                    IpAddr::V6(_) => false,
                });
                in_net && port.is_none_or(|port| port == own_port)
            }
            Self::Port { remote, at_least: true, port } => end(*remote).1 >= *port,
            Self::Port { remote, at_least: false, port } => end(*remote).1 <= *port,
            Self::Device(name) => info.dev.as_deref() == Some(name),
        }
    }
}

impl Options {
    fn parse(args: &[String], names: &Names) -> Result<Self, Refused> {
        // As in ss, options may follow the filter's words.
        let (options, words) = getopt(args, "hVnraloempTisbEZzN:460tMSudwxf:KHOA:D:F:", LONG)
            .map_err(|error| Refused(255, format!("ss: {error}\n{USAGE}")))?;
        let mut parsed = Self::default();
        let mut state_filter = 0;
        for (letter, value) in options {
            match letter {
                'a' => state_filter = ALL,
                'l' => state_filter = LISTEN | CLOSED,
                'n' => parsed.numeric = true,
                'H' => parsed.no_header = true,
                't' => parsed.kinds.push("tcp"),
                'u' => parsed.kinds.push("udp"),
                'w' => parsed.kinds.push("raw"),
                '0' => parsed.kinds.push("p_raw"),
                'A' => {
                    for word in value.unwrap_or_default().split(',') {
                        match word {
                            "all" => parsed.kinds.extend(KINDS),
                            "inet" => parsed.kinds.extend(["raw", "udp", "tcp"]),
                            "packet" | "packet_raw" => parsed.kinds.push("p_raw"),
                            "tcp" => parsed.kinds.push("tcp"),
                            "udp" => parsed.kinds.push("udp"),
                            "raw" => parsed.kinds.push("raw"),
                            other => {
                                return Err(Refused(
                                    255,
                                    format!("ss: \"{other}\" is illegal socket table id\n{USAGE}"),
                                ));
                            }
                        }
                    }
                }
                // Nothing of these families or of these details is simulated.
                '4' | 'r' | 'O' => {}
                'h' => return Err(Refused(0, USAGE.to_owned())),
                'V' => return Err(Refused(0, "ss utility, iproute2-6.1.0\n".to_owned())),
                other => return Err(Refused(1, format!("ss: option -{other} is not simulated\n"))),
            }
        }
        if parsed.kinds.is_empty() {
            parsed.kinds.extend(KINDS);
        }
        let default = parsed.kinds.iter().fold(0, |states, kind| {
            states
                | match *kind {
                    "tcp" => CONNECTED,
                    "p_raw" => CLOSED,
                    _ => ESTABLISHED,
                }
        });
        parsed.states = if state_filter == 0 { default } else { state_filter };
        let mut rest = words.as_slice();
        let mut chosen = 0;
        while let [word, more @ ..] = rest {
            let (state, exclude) = match word.as_str() {
                "state" => (true, false),
                "exclude" | "excl" => (true, true),
                _ => (false, false),
            };
            if !state {
                break;
            }
            let [name, more @ ..] = more else {
                return Err(Refused(255, "ss: missing state name\n".to_owned()));
            };
            let states =
                states_of(name).ok_or_else(|| Refused(255, format!("ss: wrong state name: {name}\n")))?;
            if exclude {
                chosen = if chosen == 0 { ALL } else { chosen } & !states;
            } else {
                chosen |= states;
            }
            rest = more;
        }
        if chosen != 0 {
            parsed.states = chosen;
        }
        // An argument may hold several words.
        let words: Vec<String> =
            rest.iter().flat_map(|word| word.split_whitespace()).map(str::to_owned).collect();
        if !words.is_empty() {
            let kinds = parsed.kinds.clone();
            let mut words = Words { words, at: 0, names, kinds: &kinds };
            parsed.filter = Some(words.list()?);
            if words.at < words.words.len() {
                return Words::usage();
            }
        }
        Ok(parsed)
    }
}

/// A column: what stands before it, its header, and whether it is set right.
const COLUMNS: [(&str, &str, bool); 9] = [
    ("", "Netid", false),
    (" ", "State", false),
    (" ", "Recv-Q", false),
    (" ", "Send-Q", false),
    (" ", "Local Address:", true),
    ("", "Port", false),
    (" ", "Peer Address:", true),
    ("", "Port", false),
    ("", "Process", false),
];

/// Lines with columns as wide as their longest field. Source: `render`.
fn render(rows: &[Vec<String>], shown: &[bool; 9]) -> String {
    let mut widths = [0; 9];
    for row in rows {
        for (width, field) in widths.iter_mut().zip(row) {
            *width = field.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut started = false;
        for (column, field) in row.iter().enumerate().filter(|(column, _)| shown[*column]) {
            let (delimiter, _, right) = COLUMNS[column];
            if started {
                text.push_str(delimiter);
            }
            started = true;
            let width = widths[column];
            text.push_str(&if right { format!("{field:>width$}") } else { format!("{field:<width$}") });
        }
        text.push('\n');
    }
    text
}

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let names = Names::read(sys);
    let options = match Options::parse(&args[1..], &names) {
        Ok(options) => options,
        Err(Refused(0, text)) => {
            say(sys, &text);
            return 0;
        }
        Err(Refused(status, text)) => {
            complain(sys, &text);
            return status;
        }
    };
    let mut kinds: Vec<&str> = KINDS.into_iter().filter(|kind| options.kinds.contains(kind)).collect();
    kinds.dedup();
    let mut shown = [true; 9];
    shown[0] = kinds.len() > 1;
    shown[1] = !options.states.is_power_of_two();
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !options.no_header {
        rows.push(COLUMNS.iter().map(|(_, header, _)| (*header).to_owned()).collect());
    }
    let netns = sys.netns();
    let sockets = sys.kernel().socket_list(netns);
    for kind in kinds {
        let of_kind =
            sockets.iter().filter(|info| info.kind == kind || (kind == "udp" && info.kind == "icmp"));
        for info in of_kind {
            let passes = options.filter.as_ref().is_none_or(|filter| filter.passes(info));
            if state_bit(info) & options.states == 0 || !passes {
                continue;
            }
            rows.push(row(info, &options, &names));
        }
    }
    say(sys, &render(&rows, &shown));
    0
}

/// The fields of a socket. Source: `inet_stats_print`.
fn row(info: &SocketInfo, options: &Options, names: &Names) -> Vec<String> {
    let port = |port: u16| match port {
        0 => "*".to_owned(),
        port if options.numeric => port.to_string(),
        port => names.service(port, info.kind).map_or_else(|| port.to_string(), str::to_owned),
    };
    let (local, remote) = match info.kind {
        "p_raw" => (
            [("*".to_owned()), info.dev.clone().unwrap_or_else(|| "*".to_owned())],
            ["*".to_owned(), String::new()],
        ),
        _ => {
            let device = info.dev.as_ref().map_or_else(String::new, |dev| format!("%{dev}"));
            (
                [format!("{}{device}", info.local.0), port(info.local.1)],
                [info.remote.0.to_string(), port(info.remote.1)],
            )
        }
    };
    let ([local, local_port], [remote, remote_port]) = (local, remote);
    let delimiter = if info.kind == "p_raw" { "" } else { ":" };
    vec![
        info.kind.to_owned(),
        info.state.to_owned(),
        format!("{:<6}", info.recv_q),
        format!("{:<6}", info.send_q),
        format!("{local}:"),
        local_port,
        format!("{remote}{delimiter}"),
        remote_port,
        String::new(),
    ]
}

#[cfg(test)]
mod tests {
    use super::render;

    /// Lines of a recording: columns follow the header, the last ones are filled with blanks.
    #[test]
    fn columns_follow_their_longest_field() {
        let row = |fields: [&str; 9]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<String>>();
        let header = row([
            "Netid",
            "State",
            "Recv-Q",
            "Send-Q",
            "Local Address:",
            "Port",
            "Peer Address:",
            "Port",
            "Process",
        ]);
        let listener = row(["tcp", "LISTEN", "0     ", "64    ", "10.0.0.2:", "8080", "0.0.0.0:", "*", ""]);
        let mut shown = [true; 9];
        shown[0] = false;
        assert_eq!(
            render(&[header, listener.clone()], &shown),
            "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n\
             LISTEN 0      64          10.0.0.2:8080      0.0.0.0:*          \n"
        );
        assert_eq!(render(&[listener], &shown), "LISTEN 0      64     10.0.0.2:8080 0.0.0.0:*\n");
    }
}
