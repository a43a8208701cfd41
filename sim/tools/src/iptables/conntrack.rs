use kernel::request::Request;
use netfilter::AddrMask;
use netfilter::args::number;
use netfilter::conntrack::{Conn, ConntrackChange, ConntrackFilter};
use netfilter::names;
use packet::{Proto, SimTime};
use world::Sys;

use super::run::netfilter;
use crate::console::{Console, Stop};

const NAME: &str = "conntrack v1.4.7 (conntrack-tools)";

/// `conntrack`.
pub fn conntrack(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut console = Console::new(sys);
    let outcome = run(&mut console, args.get(1..).unwrap_or_default());
    console.finish(outcome)
}

fn refuse<T>(text: impl AsRef<str>) -> Result<T, Stop> {
    let tail = "Try `conntrack -h' or 'conntrack --help' for more information.\n";
    Err(Stop::text(2, format!("{NAME}: {}\n{tail}", text.as_ref())))
}

/// What a command line asks for.
#[derive(Clone, Debug, Default)]
struct Parsed {
    command: Option<char>,
    filter: ConntrackFilter,
    extended: bool,
    ids: bool,
}

/// Long options and their letters; upper case letters of the second kind stand for long-only ones.
const LONG: &[(&str, &str)] = &[
    ("dump", "L"),
    ("get", "G"),
    ("delete", "D"),
    ("flush", "F"),
    ("count", "C"),
    ("stats", "S"),
    ("version", "V"),
    ("create", "I"),
    ("update", "U"),
    ("event", "E"),
    ("src", "s"),
    ("orig-src", "s"),
    ("dst", "d"),
    ("orig-dst", "d"),
    ("reply-src", "r"),
    ("reply-dst", "q"),
    ("protonum", "p"),
    ("proto", "p"),
    ("family", "f"),
    ("mark", "m"),
    ("status", "u"),
    ("src-nat", "n"),
    ("dst-nat", "g"),
    ("any-nat", "j"),
    ("output", "o"),
    ("zero", "z"),
    ("sport", "orig-sport"),
    ("orig-port-src", "orig-sport"),
    ("dport", "orig-dport"),
    ("orig-port-dst", "orig-dport"),
    ("reply-port-src", "reply-sport"),
    ("reply-port-dst", "reply-dport"),
    ("state", "state"),
    ("icmp-type", "icmp-type"),
    ("icmp-code", "icmp-code"),
    ("icmp-id", "icmp-id"),
];

fn parse(words: &[String]) -> Result<Parsed, Stop> {
    let mut parsed = Parsed::default();
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        let (option, attached) = if let Some(long) = word.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            match LONG.iter().find(|(known, _)| *known == name) {
                Some((_, option)) => (*option, value),
                None => return refuse(format!("unknown option `{word}'")),
            }
        } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
            let (letter, rest) = short.split_at(short.chars().next().map_or(0, char::len_utf8));
            (letter, Some(rest).filter(|rest| !rest.is_empty()))
        } else {
            return refuse(format!("unknown argument `{word}'"));
        };
        let mut value = || match attached.or_else(|| words.next()) {
            Some(value) => Ok(value),
            None => refuse(format!("option `{word}' requires an argument")),
        };
        let filter = &mut parsed.filter;
        match option {
            "L" | "D" | "F" | "C" | "S" | "V" | "h" => {
                if let Some(command) = parsed.command {
                    return refuse(format!("Cannot use -{command} with -{option}"));
                }
                parsed.command = option.chars().next();
                // The table's name may follow; there is no other table.
                if matches!(words.peek(), Some(&"conntrack")) {
                    words.next();
                }
            }
            "G" | "I" | "U" | "E" | "A" => {
                return Err(Stop::exit(1, format!("{NAME}: option {word} is not simulated")));
            }
            "s" => filter.orig_src = Some(address(value()?)?),
            "d" => filter.orig_dst = Some(address(value()?)?),
            "r" => filter.reply_src = Some(address(value()?)?),
            "q" => filter.reply_dst = Some(address(value()?)?),
            "p" => {
                let text = value()?;
                match names::protocol_number(text) {
                    Some(proto) => filter.proto = Some(proto),
                    None => return refuse(format!("`{text}' unsupported protocol")),
                }
            }
            "m" => {
                let text = value()?;
                let (mark, mask) = text.split_once('/').unwrap_or((text, "0xffffffff"));
                let read = |text: &str| number(text).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
                filter.mark = Some((read(mark), read(mask)));
            }
            "u" => filter.status = value()?.split(',').map(str::to_ascii_uppercase).collect(),
            "n" | "g" | "j" => {
                filter.src_nat |= option != "g";
                filter.dst_nat |= option != "n";
                // An address may follow.
                if words.peek().is_some_and(|next| !next.starts_with('-'))
                    && let Some(text) = words.next()
                {
                    let addr = Some(address(text)?);
                    if option == "n" {
                        filter.reply_dst = addr;
                    } else {
                        filter.reply_src = addr;
                    }
                }
            }
            "o" => {
                for kind in value()?.split(',') {
                    match kind {
                        "extended" => parsed.extended = true,
                        "id" => parsed.ids = true,
                        "ktimestamp" | "timestamp" | "labels" => {}
                        _ => return Err(Stop::exit(1, format!("{NAME}: output {kind} is not simulated"))),
                    }
                }
            }
            "f" => {
                value()?;
            }
            "z" => {}
            "orig-sport" => filter.orig_sport = Some(port(value()?)?),
            "orig-dport" => filter.orig_dport = Some(port(value()?)?),
            "reply-sport" => filter.reply_sport = Some(port(value()?)?),
            "reply-dport" => filter.reply_dport = Some(port(value()?)?),
            "state" => filter.state = Some(value()?.to_owned()),
            "icmp-type" => filter.icmp_type = u8::try_from(port(value()?)?).ok(),
            "icmp-code" => filter.icmp_code = u8::try_from(port(value()?)?).ok(),
            "icmp-id" => filter.icmp_id = Some(port(value()?)?),
            _ => return refuse(format!("unknown option `{word}'")),
        }
    }
    let ports = parsed.filter.orig_sport.is_some() || parsed.filter.orig_dport.is_some();
    if ports
        && !matches!(
            parsed.filter.proto,
            Some(Proto::TCP | Proto::UDP | Proto::SCTP | Proto(33) | Proto(136))
        )
    {
        return refuse("unknown option `--sport'");
    }
    Ok(parsed)
}

fn address(text: &str) -> Result<AddrMask, Stop> {
    match AddrMask::parse(text) {
        Ok(addr) => Ok(addr),
        Err(_) => refuse(format!("Invalid IP address `{text}'")),
    }
}

fn port(text: &str) -> Result<u16, Stop> {
    match number(text).and_then(|n| u16::try_from(n).ok()) {
        Some(port) => Ok(port),
        None => refuse(format!("invalid number `{text}'")),
    }
}

fn run(console: &mut Console<'_>, words: &[String]) -> Result<i32, Stop> {
    let parsed = parse(words)?;
    let (netns, now) = (console.sys.netns(), console.sys.now());
    match parsed.command {
        Some('L') => {
            let lines = lines(console.sys, &parsed, now);
            for line in &lines {
                console.line(line);
            }
            console.error(&format!("{NAME}: {} flow entries have been shown.\n", lines.len()));
            Ok(0)
        }
        Some('D') => {
            let lines = lines(console.sys, &parsed, now);
            let delete = Request::Conntrack(ConntrackChange::Delete(parsed.filter));
            let _ = console.sys.request(netns, delete);
            for line in &lines {
                console.line(line);
            }
            console.error(&format!("{NAME}: {} flow entries have been deleted.\n", lines.len()));
            Ok(i32::from(lines.is_empty()))
        }
        Some('F') => {
            let _ = console.sys.request(netns, Request::Conntrack(ConntrackChange::Flush));
            console.error(&format!("{NAME}: connection tracking table has been emptied.\n"));
            Ok(0)
        }
        Some('C') => {
            let count = netfilter(console.sys, netns).conntrack().map_or(0, |table| table.len(now));
            console.line(&count.to_string());
            Ok(0)
        }
        Some('S') => {
            for cpu in 0..2 {
                console.line(&format!(
                    "cpu={cpu}   \tfound=0 invalid=0 insert=0 insert_failed=0 drop=0 early_drop=0 error=0 \
                     search_restart=0 clash_resolve=0 chaintoolong=0 "
                ));
            }
            Ok(0)
        }
        Some('V') => {
            console.line(NAME);
            Ok(0)
        }
        _ => {
            console.line("Command line interface for the connection tracking system. Version 1.4.7");
            console.line("Usage: conntrack [commands] [options]");
            Ok(0)
        }
    }
}

/// Lines of the connections that fit, oldest first.
fn lines(sys: &dyn Sys, parsed: &Parsed, now: SimTime) -> Vec<String> {
    let Some(table) = netfilter(sys, sys.netns()).conntrack() else { return Vec::new() };
    let line = |conn: &Conn| {
        let mut line = conn.line(Some(conn.seconds_left(now)));
        if parsed.extended {
            line.insert_str(0, "ipv4     2 ");
        }
        if parsed.ids {
            line += &format!(" id={}", conn.id);
        }
        line
    };
    table.iter(now).filter(|conn| parsed.filter.matches(conn)).map(line).collect()
}
