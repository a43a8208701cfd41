//! `host` of BIND 9.18. Source: `bin/dig/host.c`.

use std::fmt::Write;

use dns::{Message, Name, RData, Record, RecordType, present};
use world::{Args, Next, Program, Registry, Sys};

use super::dig::{Asked, Engine, Exit, Front, Lookup, More, Server, ServerNames, Settings, hash, reverse};
use crate::getopt::{OptError, getopt};
use crate::net::{complain, say};

/// Installs `host`.
pub(super) fn install(registry: &mut Registry) {
    registry.install("host", |args| Box::new(Host { args, state: State::Fresh }));
}

#[derive(Clone, Debug)]
struct Host {
    args: Args,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Fresh,
    /// It looks up the server's name.
    Names(Request, ServerNames),
    Asking(Engine, Face),
}

/// What the arguments ask for.
#[derive(Clone, Debug)]
struct Request {
    lookup: Lookup,
    settings: Settings,
    face: Face,
    server: Option<String>,
}

/// What host prints.
#[derive(Clone, Debug)]
struct Face {
    verbose: bool,
    /// Whether AAAA and MX are asked for, too.
    default_lookups: bool,
    /// Types of DNSSEC are left out (`-A`).
    almost_all: bool,
    /// A server was given, and is not named yet.
    name_server: bool,
    /// Whether an answer came, and whether all were good.
    good: Option<bool>,
    tries: u32,
}

const USAGE: &str = "\
Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]
            [-R number] [-m flag] [-p port] hostname [server]
       -a is equivalent to -v -t ANY
       -A is like -a but omits RRSIG, NSEC, NSEC3
       -c specifies query class for non-IN data
       -C compares SOA records on authoritative nameservers
       -d is equivalent to -v
       -l lists all hosts in a domain, using AXFR
       -m set memory debugging flag (trace|record|usage)
       -N changes the number of dots allowed before root lookup is done
       -p specifies the port on the server to query
       -r disables recursive processing
       -R specifies number of retries for UDP packets
       -s a SERVFAIL response should stop query
       -t specifies the query type
       -T enables TCP/IP mode
       -U enables UDP mode
       -v enables verbose output
       -V print version number and exit
       -w specifies to wait forever for a reply
       -W specifies how long to wait for a reply
       -4 use IPv4 query transport only
       -6 use IPv6 query transport only
";

/// How often a server is asked; resolv.conf doesn't matter.
const TRIES: u32 = 2;

/// Why it ends before it asks.
struct Stop(i32, String);

/// What atoi(3) makes of it.
fn atoi(text: &str) -> u32 {
    let digits = text.find(|c: char| !c.is_ascii_digit()).map_or(text, |end| &text[..end]);
    digits.parse().unwrap_or(0)
}

fn parse(sys: &mut dyn Sys, args: &[String]) -> Result<Request, Stop> {
    let (options, words) = getopt(args, "+46aAc:dilnm:p:rst:vVwCDN:R:TUW:", &[]).map_err(|fault| {
        let text = match fault {
            OptError::Unknown(letter) => format!("illegal option -- {letter}"),
            OptError::NoArgument(letter) => format!("option requires an argument -- {letter}"),
            _ => "illegal option -- -".to_owned(),
        };
        Stop(1, format!("host: {text}\n{USAGE}"))
    })?;
    let mut settings = Settings::load(sys, Some(TRIES)).map_err(|text| Stop(1, format!("host: {text}\n")))?;
    let mut lookup = Lookup::new(TRIES);
    lookup.servfail_stops = false;
    lookup.view.comments = false;
    let mut face = Face {
        verbose: false,
        default_lookups: true,
        almost_all: false,
        name_server: false,
        good: None,
        tries: TRIES,
    };
    for (letter, value) in &options {
        let value = value.as_deref().unwrap_or_default();
        match letter {
            'v' | 'd' => face.verbose = true,
            'r' => lookup.bits.recurse = false,
            't' => {
                let invalid = || Stop(2, format!("host: invalid type: {value}\n\n"));
                let kind = present::parse_record_type(value).ok_or_else(invalid)?;
                if matches!(kind, RecordType::AXFR | RecordType::IXFR) {
                    return Err(Stop(2, "hoplab: host -t axfr is not simulated\n".to_owned()));
                }
                lookup.kind = kind;
                lookup.kind_set = true;
                lookup.tcp |= kind == RecordType::ANY && !lookup.tcp_set;
                face.default_lookups = false;
            }
            'c' => {
                let invalid = || Stop(2, format!("host: invalid class: {value}\n\n"));
                lookup.class = present::parse_class(value).ok_or_else(invalid)?;
                lookup.class_set = true;
                face.default_lookups = false;
            }
            'a' | 'A' => {
                face.almost_all |= *letter == 'A';
                lookup.kind = RecordType::ANY;
                lookup.kind_set = true;
                face.verbose = true;
                face.default_lookups = false;
            }
            // As good as forever.
            'w' => settings.timeout = u32::MAX,
            'W' => settings.timeout = atoi(value).max(1),
            'R' => face.tries = (atoi(value) + 1).max(2),
            'T' | 'U' => {
                lookup.tcp = *letter == 'T';
                lookup.tcp_set = true;
            }
            'N' => settings.ndots = atoi(value) as usize,
            's' => lookup.servfail_stops = true,
            'p' => settings.port = u16::try_from(atoi(value)).unwrap_or(dns::PORT),
            'V' => return Err(Stop(0, "host 9.18.49-1~deb12u3-Debian\n".to_owned())),
            '4' | 'i' | 'n' => {}
            letter => return Err(Stop(2, format!("hoplab: host -{letter} is not simulated\n"))),
        }
    }
    lookup.retries = face.tries;
    let Some(name) = words.first() else { return Err(Stop(1, USAGE.to_owned())) };
    let server = words.get(1).cloned();
    face.name_server = server.is_some();
    settings.check_ra = server.is_none();
    match reverse(name, true) {
        Some(name) => {
            lookup.text = name;
            lookup.kind = RecordType::PTR;
            lookup.kind_set = true;
            face.default_lookups = false;
        }
        None => {
            lookup.text.clone_from(name);
            settings.use_search = true;
        }
    }
    lookup.new_search = true;
    Ok(Request { lookup, settings, face, server })
}

/// The name at the end of an answer's aliases. Source: `chase_cnamechain`.
pub(super) fn end_of_aliases(message: &Message, name: &Name) -> Name {
    let mut name = name.clone();
    for _ in &message.answers {
        let alias = message.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == name => Some(target.0.clone()),
            _ => None,
        });
        match alias {
            Some(target) => name = target,
            None => break,
        }
    }
    name
}

/// The response codes' names; others are numbers.
pub(super) fn rcode(message: &Message) -> (u16, String) {
    let code = u16::from(message.metadata.response_code);
    let name = if code > 16 { format!("?{code}") } else { present::rcode(message.metadata.response_code) };
    (code, name)
}

impl Face {
    /// AAAA and MX of what the name stands for.
    fn further(&self, asked: &Asked<'_>, message: &Message) -> Vec<Lookup> {
        if !self.default_lookups || asked.lookup.kind != RecordType::A {
            return Vec::new();
        }
        let name = present::plain(&end_of_aliases(message, asked.name));
        let further = [RecordType::AAAA, RecordType::MX].map(|kind| {
            let mut lookup = asked.lookup.again();
            lookup.text.clone_from(&name);
            lookup.kind = kind;
            lookup.kind_set = true;
            lookup.origin = None;
            lookup.retries = self.tries;
            lookup.servers.clear();
            lookup
        });
        further.into()
    }

    fn is_shown(&self, record: &Record) -> bool {
        !self.almost_all || !matches!(u16::from(record.record_type()), 46 | 47 | 50)
    }

    /// A record as a sentence.
    fn sentence(record: &Record) -> String {
        let kind = record.record_type();
        let what = match u16::from(kind) {
            1 => "has address".to_owned(),
            2 => "name server".to_owned(),
            5 => "is an alias for".to_owned(),
            11 => "has well known services".to_owned(),
            12 => "domain name pointer".to_owned(),
            13 => "host information".to_owned(),
            15 => "mail is handled by".to_owned(),
            16 => "descriptive text".to_owned(),
            19 => "x25 address".to_owned(),
            20 => "ISDN address".to_owned(),
            24 => "has signature".to_owned(),
            25 => "has key".to_owned(),
            28 => "has IPv6 address".to_owned(),
            29 => "location".to_owned(),
            _ => format!("has {} record", present::record_type(kind)),
        };
        let data = present::data(&record.data, record.dns_class, &present::Style::default());
        format!("{} {what} {data}\n", present::plain(&record.name))
    }

    fn verbose(&self, message: &Message) -> String {
        let head = &message.metadata;
        let mut text = format!(
            ";; ->>HEADER<<- opcode: {}, status: {}, id: {}\n;; flags: ",
            present::opcode(head.op_code),
            rcode(message).1,
            head.id
        );
        let flags: Vec<&str> = [
            (super::dig::is_response(message), "qr"),
            (head.authoritative, "aa"),
            (head.truncation, "tc"),
            (head.recursion_desired, "rd"),
            (head.recursion_available, "ra"),
            (head.authentic_data, "ad"),
            (head.checking_disabled, "cd"),
        ]
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
        .collect();
        let additional = message.additionals.len() + usize::from(message.edns.is_some());
        let _ = writeln!(
            text,
            "{}; QUERY: {}, ANSWER: {}, AUTHORITY: {}, ADDITIONAL: {additional}",
            flags.join(" "),
            message.queries.len(),
            message.answers.len(),
            message.authorities.len()
        );
        if let Some(edns) = &message.edns {
            let _ = writeln!(text, ";; EDNS: version: {}, udp={}", edns.version(), edns.max_payload());
        }
        if !message.queries.is_empty() {
            text += "\n;; QUESTION SECTION:\n";
            for query in &message.queries {
                text += &present::question(query, &present::Style::default());
                text.push('\n');
            }
        }
        for (name, records) in [
            ("ANSWER", &message.answers),
            ("AUTHORITY", &message.authorities),
            ("ADDITIONAL", &message.additionals),
        ] {
            if records.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n;; {name} SECTION:");
            for record in records.iter().filter(|record| self.is_shown(record)) {
                text += &present::record(record, &present::Style::default());
                text.push('\n');
            }
        }
        text.push('\n');
        text
    }
}

impl Front for Face {
    fn trying(&mut self, sys: &mut dyn Sys, name: &Name) {
        if self.verbose {
            say(sys, &format!("Trying \"{}\"\n", present::plain(name)));
        }
    }

    fn message(
        &mut self,
        sys: &mut dyn Sys,
        asked: &Asked<'_>,
        message: &Message,
        _sent: bool,
    ) -> Vec<Lookup> {
        if std::mem::take(&mut self.name_server) {
            let text = format!(
                "Using domain server:\nName: {}\nAddress: {}\nAliases: \n\n",
                asked.server.user_arg,
                hash(asked.address)
            );
            say(sys, &text);
        }
        let (code, word) = rcode(message);
        if code != 0 {
            const NXDOMAIN: u16 = 3;
            let name = if code == NXDOMAIN { asked.lookup.text.clone() } else { present::plain(asked.name) };
            say(sys, &format!("Host {name} not found: {code}({word})\n"));
            self.good = Some(false);
            return Vec::new();
        }
        let mut text = if self.verbose { self.verbose(message) } else { String::new() };
        if !self.verbose {
            for record in &message.answers {
                text += &Self::sentence(record);
            }
            if !self.default_lookups && message.answers.is_empty() {
                let kind = present::record_type(asked.lookup.kind);
                let _ = writeln!(text, "{} has no {kind} record", present::plain(asked.name));
            }
        }
        say(sys, &text);
        self.good.get_or_insert(true);
        self.further(asked, message)
    }

    fn received(&mut self, sys: &mut dyn Sys, asked: &Asked<'_>, bytes: usize) {
        if self.verbose {
            let (server, took) = (hash(asked.address), asked.took.as_millis());
            say(sys, &format!("Received {bytes} bytes from {server} in {took} ms\n"));
        }
    }

    fn more(&mut self, _sys: &mut dyn Sys, _settings: &mut Settings) -> More {
        More::Exit(if self.good == Some(true) { 0 } else { 1 })
    }
}

impl Program for Host {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        loop {
            match &mut self.state {
                State::Fresh => match parse(sys, &self.args[1..]) {
                    Ok(request) => {
                        let names = ServerNames::new(request.server.iter().cloned().collect());
                        self.state = State::Names(request, names);
                    }
                    Err(Stop(status, text)) => {
                        complain(sys, &text);
                        return Next::Exit(status);
                    }
                },
                State::Names(request, names) => {
                    if let Some(wait) = names.poll(sys) {
                        return Next::Wait(wait);
                    }
                    if let Some(server) = &request.server {
                        match names.get(server) {
                            Ok(addrs) => {
                                let servers = addrs.into_iter().map(|addr| Server::new(addr, server));
                                request.settings.servers = servers.collect();
                            }
                            Err(fault) => {
                                complain(
                                    sys,
                                    &format!("host: couldn't get address for '{server}': {fault}\n"),
                                );
                                return Next::Exit(1);
                            }
                        }
                    }
                    let mut engine = Engine::new(request.settings.clone());
                    engine.lookups.push_back(request.lookup.clone());
                    self.state = State::Asking(engine, request.face.clone());
                }
                State::Asking(engine, face) => {
                    return match engine.turn(sys, "host", face) {
                        Ok(wait) => Next::Wait(wait),
                        // A name that is none is fatal to host.
                        Err(Exit(status)) => Next::Exit(status.min(1)),
                    };
                }
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
