//! `netstat` of net-tools 2.10: sockets; its `-r` is `route`'s listing.
//!
//! Source: net-tools `netstat.c`. Simplified: there are no Unix sockets, and `-i`, `-s`, `-p`, `-e`,
//! `-c` and `-g` are refused.

use kernel::dump::SocketInfo;

use crate::console::{Console, Stop};
use crate::net::Names;

/// What is listed.
#[derive(Clone, Debug, Default)]
struct Options {
    kinds: Vec<&'static str>,
    all: bool,
    listening: bool,
    numeric: bool,
}

const LONG: [(&str, char); 8] = [
    ("tcp", 't'),
    ("udp", 'u'),
    ("raw", 'w'),
    ("all", 'a'),
    ("listening", 'l'),
    ("numeric", 'n'),
    ("wide", 'W'),
    ("inet", '4'),
];

impl Options {
    fn parse(words: &[&str]) -> Result<Self, Stop> {
        let mut parsed = Self::default();
        for word in words {
            let refuse = || Stop::exit(2, format!("netstat: option \"{word}\" is not simulated"));
            let letters: Vec<char> = match (word.strip_prefix("--"), word.strip_prefix('-')) {
                (Some(long), _) => {
                    let found = LONG.iter().find(|(name, _)| *name == long).ok_or_else(refuse)?;
                    vec![found.1]
                }
                (None, Some(letters)) if !letters.is_empty() => letters.chars().collect(),
                (None, _) => return Err(refuse()),
            };
            for letter in letters {
                match letter {
                    't' => parsed.kinds.push("tcp"),
                    'u' => parsed.kinds.push("udp"),
                    'w' => parsed.kinds.push("raw"),
                    'a' => parsed.all = true,
                    'l' => parsed.listening = true,
                    'n' => parsed.numeric = true,
                    'W' | '4' | 'v' => {}
                    _ => return Err(refuse()),
                }
            }
        }
        Ok(parsed)
    }

    /// Source: `tcp_do_one`, `udp_do_one`, `raw_do_one`.
    fn lists(&self, info: &SocketInfo) -> bool {
        let serves = match info.kind {
            "tcp" => info.state == "LISTEN",
            _ => info.remote.1 == 0,
        };
        self.all || serves == self.listening
    }
}

/// Runs `netstat` without `-r`.
///
/// # Errors
/// An option that is not simulated.
pub fn run(console: &mut Console<'_>, words: &[&str]) -> Result<i32, Stop> {
    let options = Options::parse(words)?;
    let names = Names::read(console.sys);
    let which = match (options.all, options.listening) {
        (true, _) => "(servers and established)",
        (false, true) => "(only servers)",
        (false, false) => "(w/o servers)",
    };
    console.line(&format!("Active Internet connections {which}"));
    console.line("Proto Recv-Q Send-Q Local Address           Foreign Address         State      ");
    let netns = console.sys.netns();
    let sockets = console.sys.kernel().socket_list(netns);
    for kind in ["tcp", "udp", "raw"] {
        if !options.kinds.is_empty() && !options.kinds.contains(&kind) {
            continue;
        }
        let of_kind = sockets.iter().filter(|info| info.kind == kind);
        // /proc/net/tcp begins with the listeners.
        let (first, rest): (Vec<_>, Vec<_>) = of_kind.partition(|info| info.state == "LISTEN");
        for info in first.into_iter().chain(rest).filter(|info| options.lists(info)) {
            console.line(&line(info, &options, &names));
        }
    }
    if options.kinds.is_empty() {
        console.line(&format!("Active UNIX domain sockets {which}"));
        console.line("Proto RefCnt Flags       Type       State         I-Node   Path");
    }
    Ok(0)
}

/// A socket. Source: `addr_do_one`, and the format of `tcp_do_one`.
fn line(info: &SocketInfo, options: &Options, names: &Names) -> String {
    let end = |(addr, port): (std::net::IpAddr, u16)| {
        let port = match port {
            0 => "*".to_owned(),
            port if options.numeric => port.to_string(),
            port => names.service(port, info.kind).map_or_else(|| port.to_string(), str::to_owned),
        };
        format!("{addr}:{port}")
    };
    let state = match (info.kind, info.state) {
        (_, "ESTAB") => "ESTABLISHED",
        ("udp" | "raw", _) => "",
        (_, "SYN-SENT") => "SYN_SENT",
        (_, "SYN-RECV") => "SYN_RECV",
        (_, "FIN-WAIT-1") => "FIN_WAIT1",
        (_, "FIN-WAIT-2") => "FIN_WAIT2",
        (_, "TIME-WAIT") => "TIME_WAIT",
        (_, "CLOSE-WAIT") => "CLOSE_WAIT",
        (_, "LAST-ACK") => "LAST_ACK",
        (_, "UNCONN") => "CLOSE",
        (_, state) => state,
    };
    // A listener's backlog is not in /proc/net/tcp.
    let send_q = if info.state == "LISTEN" { 0 } else { info.send_q };
    format!(
        "{:<4}  {:>6} {send_q:>6} {:<23} {:<23} {state:<11}",
        info.kind,
        info.recv_q,
        end(info.local),
        end(info.remote)
    )
}
