//! dig's arguments. Source: `parse_args`, `dash_option` of `dig.c`.

use std::net::{IpAddr, SocketAddr};

use dns::{DNSClass, RecordType, present};

use super::lookup::{Cookie, Lookup, reverse};
use super::names::ServerNames;
use super::plus;
use super::settings::{Server, Settings};

/// Why dig ends before it asks: its status, and what goes to standard error, with status 0 to
/// standard output.
#[derive(Clone, Debug)]
pub(super) struct Stop(pub i32, pub String);

/// What holds for all of a call.
#[derive(Clone, Debug)]
pub(super) struct Globals {
    pub short: bool,
    pub print_command: bool,
    /// Sections that the options for zone transfers bring back.
    pub show_question: bool,
    pub show_comments: bool,
    /// Whether nothing was greeted yet.
    pub first_greeting: bool,
    /// Of the last `@server`.
    pub address_count: usize,
    /// `-f`.
    pub batch: Option<String>,
    /// What went to standard error on the way.
    pub warnings: String,
    /// What went to standard output on the way.
    pub output: String,
}

/// Reads arguments.
pub(super) struct Parser<'a> {
    pub settings: &'a mut Settings,
    pub globals: &'a mut Globals,
    /// What each lookup begins as.
    pub default: &'a mut Lookup,
    /// The addresses of a server's name.
    pub names: &'a ServerNames,
    /// Whether these are words of a batch file's line.
    pub in_batch: bool,
    pub lookups: Vec<Lookup>,
    /// A lookup of a batch file's line that has no name yet.
    pub pending: Option<Lookup>,
}

pub(super) const VERSION: &str = "9.18.49-1~deb12u3-Debian";

const USAGE: &str = "Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}
            {global-d-opt} host [@local-server] {local-d-opt}
            [ host [@local-server] {local-d-opt} [...]]
";

/// A mistake in the arguments.
pub(super) fn usage(before: &str) -> Stop {
    Stop(1, format!("{before}{USAGE}\nUse \"dig -h\" (or \"dig -h | more\") for complete list of options\n"))
}

pub(super) fn fatal(text: &str) -> Stop {
    Stop(1, format!("dig: {text}\n"))
}

/// What isn't simulated.
pub(super) fn not_simulated(option: &str) -> Stop {
    Stop(2, format!("hoplab: dig {option} is not simulated\n"))
}

impl Globals {
    pub fn new() -> Self {
        Self {
            short: false,
            print_command: true,
            show_question: false,
            show_comments: false,
            first_greeting: true,
            address_count: 0,
            batch: None,
            warnings: String::new(),
            output: String::new(),
        }
    }
}

/// What a lookup of dig's is before its options.
pub(super) fn default_lookup(settings: &Settings) -> Lookup {
    let mut lookup = Lookup::new(settings.tries);
    lookup.bits.authentic = true;
    lookup.edns.version = Some(0);
    lookup.edns.cookie = Cookie::Client;
    lookup
}

/// A number in decimal that is not above `max`. Source: `parse_uint`.
pub(super) fn number(text: &str, max: u32, what: &str, failed: &str) -> Result<u32, Stop> {
    let fault = match text.parse::<u64>() {
        Ok(number) => match u32::try_from(number) {
            Ok(number) if number <= max => return Ok(number),
            _ => "out of range",
        },
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => "out of range",
        Err(_) => "not a valid number",
    };
    Err(Stop(10, format!("invalid {what} '{text}': {fault}\ndig: {failed}\n")))
}

impl Parser<'_> {
    /// The lookup that options apply to.
    pub fn lookup(&mut self) -> &mut Lookup {
        match (self.pending.as_mut(), self.lookups.last_mut()) {
            (Some(lookup), _) | (None, Some(lookup)) => lookup,
            (None, None) => self.default,
        }
    }

    /// Whether options apply to all lookups.
    pub fn is_global(&self) -> bool {
        self.pending.is_none() && self.lookups.is_empty()
    }

    /// Goes through the arguments.
    pub fn parse(&mut self, args: &[String]) -> Result<(), Stop> {
        if self.in_batch {
            self.pending = Some(self.default.clone());
        }
        let mut open = true;
        let mut greet = true;
        let mut words = args.iter();
        while let Some(word) = words.next() {
            if word.starts_with('%') {
                break;
            }
            if let Some(server) = word.strip_prefix('@') {
                self.server(server)?;
            } else if let Some(option) = word.strip_prefix('+') {
                plus::parse(self, option)?;
            } else if let Some(option) = word.strip_prefix('-') {
                let next = words.as_slice().first();
                if self.dash(option, next, &mut open, &mut greet, args)? {
                    words.next();
                }
            } else if !(open && self.kind_or_class(word)?) {
                self.add(word.clone(), &mut greet, args);
            }
        }
        if self.globals.batch.is_some() && !self.in_batch {
            return Ok(());
        }
        if self.lookups.is_empty() {
            self.lookup().kind = RecordType::NS;
            self.lookup().kind_set = true;
            self.add(".".to_owned(), &mut greet, args);
        }
        Ok(())
    }

    /// A name to look up.
    fn add(&mut self, text: String, greet: &mut bool, args: &[String]) -> &mut Lookup {
        let mut lookup = self.pending.take().unwrap_or_else(|| self.default.clone());
        lookup.text = text;
        lookup.new_search = true;
        if std::mem::take(greet) {
            lookup.greeting = self.greeting(args);
        }
        self.lookups.push(lookup);
        let last = self.lookups.len() - 1;
        &mut self.lookups[last]
    }

    /// Source: `printgreeting`.
    fn greeting(&mut self, args: &[String]) -> String {
        if !self.globals.print_command {
            return String::new();
        }
        let first = std::mem::take(&mut self.globals.first_greeting);
        let words: String = args.iter().map(|word| format!(" {word}")).collect();
        let mut text = format!("{}; <<>> DiG {VERSION} <<>>{words}\n", if first { "\n" } else { "" });
        if first {
            let count = self.globals.address_count;
            if count > 0 {
                text += &format!("; ({count} server{} found)\n", if count > 1 { "s" } else { "" });
            }
            let short = if self.globals.short { " +short" } else { "" };
            text += &format!(";; global options:{short} +cmd\n");
        }
        text
    }

    fn server(&mut self, name: &str) -> Result<(), Stop> {
        let found = self.names.get(name);
        let addrs = found.map_err(|fault| fatal(&format!("couldn't get address for '{name}': {fault}")))?;
        self.globals.address_count = addrs.len();
        let servers = addrs.into_iter().map(|addr| Server::new(addr, name));
        self.lookup().servers = servers.collect();
        Ok(())
    }

    fn warn(&mut self, text: &str) {
        self.globals.warnings += &format!(";; Warning, {text}\n");
    }

    /// Takes a word as type or class; false if it is neither.
    fn kind_or_class(&mut self, word: &str) -> Result<bool, Stop> {
        if word.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("ixfr=")) {
            return Err(not_simulated("ixfr"));
        }
        if let Some(kind) = present::parse_record_type(word) {
            if kind == RecordType::IXFR {
                self.warn("ixfr requires a serial number");
                return Ok(true);
            }
            self.kind(kind)?;
            return Ok(true);
        }
        let Some(class) = present::parse_class(word) else { return Ok(false) };
        if self.lookup().class_set {
            self.warn("extra class option");
        }
        self.class(class);
        Ok(true)
    }

    fn kind(&mut self, kind: RecordType) -> Result<(), Stop> {
        if matches!(kind, RecordType::AXFR | RecordType::IXFR) {
            return Err(not_simulated("axfr"));
        }
        if self.lookup().kind_set {
            self.warn("extra type option");
        }
        let lookup = self.lookup();
        lookup.kind = kind;
        lookup.kind_set = true;
        if kind == RecordType::ANY && !lookup.tcp_set {
            lookup.tcp = true;
        }
        Ok(())
    }

    fn class(&mut self, class: DNSClass) {
        let lookup = self.lookup();
        lookup.class = class;
        lookup.class_set = true;
    }

    /// An option with a hyphen; whether it took the next word.
    fn dash(
        &mut self,
        option: &str,
        next: Option<&String>,
        open: &mut bool,
        greet: &mut bool,
        args: &[String],
    ) -> Result<bool, Stop> {
        let invalid = |option: &str| usage(&format!("Invalid option: -{option}\n"));
        let mut rest = option;
        // Letters without a value, in any number.
        loop {
            let Some(letter) = rest.chars().next() else { return Err(invalid(option)) };
            match letter {
                '4' | 'i' | 'n' | 'r' => {}
                'u' => self.lookup().microseconds = true,
                '6' | 'd' | 'm' => return Err(not_simulated(&format!("-{letter}"))),
                'h' => return Err(Stop(0, include_str!("help.txt").to_owned())),
                'v' => {
                    self.globals.warnings += &format!("DiG {VERSION}\n");
                    return Err(Stop(0, String::new()));
                }
                _ => break,
            }
            rest = &rest[1..];
            if rest.is_empty() {
                return Ok(false);
            }
        }
        let (letter, attached) = rest.split_at(1);
        if !"bcfkpqtyx".contains(letter) {
            return Err(invalid(rest));
        }
        let from_next = attached.is_empty();
        let value = match next {
            _ if !from_next => attached,
            Some(next) => next,
            None => return Err(invalid(rest)),
        };
        match letter {
            "b" => self.source(value)?,
            "c" => {
                if self.lookup().class_set {
                    self.warn("extra class option");
                }
                *open = false;
                match present::parse_class(value) {
                    Some(class) => self.class(class),
                    None => self.warn(&format!("ignoring invalid class {value}")),
                }
            }
            "f" => self.globals.batch = Some(value.to_owned()),
            "p" => {
                let port = number(value, 65535, "port number", "Couldn't parse port number")
                    .map_err(|Stop(_, text)| Stop(1, text))?;
                self.settings.port = u16::try_from(port).unwrap_or(dns::PORT);
            }
            "q" => {
                self.add(value.to_owned(), greet, args);
            }
            "t" => {
                *open = false;
                if value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("ixfr=")) {
                    return Err(not_simulated("ixfr"));
                }
                match present::parse_record_type(value).filter(|kind| *kind != RecordType::IXFR) {
                    Some(kind) => self.kind(kind)?,
                    None => self.warn(&format!("ignoring invalid type {value}")),
                }
            }
            "x" => {
                let Some(name) = reverse(value, false) else {
                    return Err(Stop(1, format!("Invalid IP address {value}\n")));
                };
                let lookup = self.add(name, greet, args);
                if !lookup.kind_set {
                    lookup.kind = RecordType::PTR;
                }
                if !lookup.class_set {
                    lookup.class = DNSClass::IN;
                }
            }
            other => return Err(not_simulated(&format!("-{other}"))),
        }
        Ok(from_next)
    }

    /// `-b address[#port]`.
    fn source(&mut self, value: &str) -> Result<(), Stop> {
        let (addr, port) = match value.split_once('#') {
            Some((addr, port)) => {
                let port = number(port, 65535, "port number", "Couldn't parse port number")
                    .map_err(|Stop(_, text)| Stop(1, text))?;
                (addr, u16::try_from(port).unwrap_or(0))
            }
            None => (value, 0),
        };
        let addr: IpAddr = addr.parse().map_err(|_| fatal(&format!("invalid address {value}")))?;
        self.settings.source = Some(SocketAddr::new(addr, port));
        Ok(())
    }
}
