//! `nslookup` of BIND 9.18. Source: `bin/dig/nslookup.c`.

use std::fmt::Write;

use dns::{DNSClass, Message, Name, RData, Record, RecordType, present};
use world::{Fd, Next, ReadResult, Sys, Wait};

use super::super::dig::{
    Asked, Engine, Exit, Front, Lookup, More, Server, ServerNames, Settings, hash, reverse,
};
use super::super::host::{end_of_aliases, rcode};
use crate::net::{complain, say};

const USAGE: &str = "\
Usage:
   nslookup [-opt ...]             # interactive mode using default server
   nslookup [-opt ...] - server    # interactive mode using 'server'
   nslookup [-opt ...] host        # just look up 'host' using default server
   nslookup [-opt ...] host server # just look up 'host' using 'server'
";

/// `nslookup`.
#[derive(Clone, Debug)]
pub(super) struct Nslookup {
    args: Vec<String>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Fresh,
    /// It looks up the name of the server on the command line.
    Names(ServerNames),
    Asking(Box<Engine>, Face),
}

/// What nslookup prints, and the lines that it reads.
#[derive(Clone, Debug)]
struct Face {
    debug: bool,
    tcp: bool,
    tcp_set: bool,
    recurse: bool,
    no_fail: bool,
    /// Whether AAAA is asked for, too.
    default_lookups: bool,
    /// A had no answer.
    a_no_answer: bool,
    /// As they were given.
    kind: String,
    class: String,
    /// No server was reached, and a name wasn't found.
    query_error: bool,
    print_error: bool,
    /// Reads commands from standard input.
    interactive: bool,
    prompted: bool,
    input: Vec<u8>,
    input_ended: bool,
    /// A server's name that is looked up.
    server: Option<(String, ServerNames)>,
    /// What was said before it began.
    output: String,
}

/// `querytype` of a record, before its data.
fn label(kind: RecordType) -> String {
    const NAMES: [&str; 42] = [
        "rtype_0 = ",
        "internet address = ",
        "nameserver = ",
        "md = ",
        "mf = ",
        "canonical name = ",
        "soa = ",
        "mb = ",
        "mg = ",
        "mr = ",
        "rtype_10 = ",
        "protocol = ",
        "name = ",
        "hinfo = ",
        "minfo = ",
        "mail exchanger = ",
        "text = ",
        "rp = ",
        "afsdb = ",
        "x25 address = ",
        "isdn address = ",
        "rt = ",
        "nsap = ",
        "nsap_ptr = ",
        "signature = ",
        "key = ",
        "px = ",
        "gpos = ",
        "has AAAA address ",
        "loc = ",
        "next = ",
        "rtype_31 = ",
        "rtype_32 = ",
        "service = ",
        "rtype_34 = ",
        "naptr = ",
        "kx = ",
        "cert = ",
        "v6 address = ",
        "dname = ",
        "rtype_40 = ",
        "optional = ",
    ];
    let number = u16::from(kind);
    NAMES.get(usize::from(number)).map_or_else(|| format!("rdata_{number} = "), |name| (*name).to_owned())
}

fn data(record: &Record) -> String {
    present::data(&record.data, record.dns_class, &present::Style::default())
}

/// The lines of an SOA record.
fn soa(record: &Record) -> Option<String> {
    let RData::SOA(soa) = &record.data else { return None };
    Some(format!(
        "\torigin = {}\n\tmail addr = {}\n\tserial = {}\n\trefresh = {}\n\tretry = {}\n\texpire = {}\n\
         \tminimum = {}\n",
        present::plain(&soa.mname),
        present::plain(&soa.rname),
        soa.serial,
        soa.refresh as u32,
        soa.retry as u32,
        soa.expire as u32,
        soa.minimum
    ))
}

/// Records in short. Source: `printsection`.
fn short(records: &[Record], answers: bool) -> String {
    let mut text = String::new();
    for record in records {
        let name = present::plain(&record.name);
        let kind = record.record_type();
        if let Some(soa) = soa(record) {
            let _ = write!(text, "{name}\n{soa}");
        } else if answers && matches!(kind, RecordType::A | RecordType::AAAA) {
            let _ = write!(text, "Name:\t{name}\nAddress: {}\n", data(record));
        } else {
            let _ = writeln!(text, "{name}\t{}{}", label(kind), data(record));
        }
    }
    text
}

/// A whole message. Source: `detailsection`.
fn detail(message: &Message) -> String {
    let mut text = "------------\n    QUESTIONS:\n".to_owned();
    for query in &message.queries {
        let _ = writeln!(
            text,
            "\t{}, type = {}, class = {}",
            present::plain(query.name()),
            present::record_type(query.query_type()),
            present::class(query.query_class())
        );
    }
    for (name, records) in [
        ("ANSWERS", &message.answers),
        ("AUTHORITY RECORDS", &message.authorities),
        ("ADDITIONAL RECORDS", &message.additionals),
    ] {
        let _ = writeln!(text, "    {name}:");
        for record in records {
            let _ = writeln!(text, "    ->  {}", present::plain(&record.name));
            text += &soa(record)
                .unwrap_or_else(|| format!("\t{}{}\n", label(record.record_type()), data(record)));
            let _ = writeln!(text, "\tttl = {}", record.ttl);
        }
    }
    text + "------------\n"
}

impl Face {
    fn new() -> Self {
        Self {
            debug: false,
            tcp: false,
            tcp_set: false,
            recurse: true,
            no_fail: true,
            default_lookups: true,
            a_no_answer: false,
            kind: "A".to_owned(),
            class: "IN".to_owned(),
            query_error: true,
            print_error: false,
            interactive: true,
            prompted: false,
            input: Vec::new(),
            input_ended: false,
            server: None,
            output: String::new(),
        }
    }

    /// An option of the command line or of `set`. Source: `setoption`.
    fn option(&mut self, settings: &mut Settings, option: &str) {
        let lower = option.to_ascii_lowercase();
        if let Some((name, _)) = lower.split_once('=') {
            let value = &option[name.len() + 1..];
            return self.valued(settings, option, name, value);
        }
        // A word, at least as many of its letters.
        let is = |word: &str, least: usize| lower.len() >= least && word.starts_with(&lower);
        match () {
            () if is("all", 3) => self.output += &self.all(settings),
            () if is("recurse", 3) => self.recurse = true,
            () if is("norecurse", 5) => self.recurse = false,
            () if is("defname", 3) || is("search", 3) => settings.use_search = true,
            () if is("nodefname", 5) || is("nosearch", 5) => settings.use_search = false,
            () if is("vc", 2) => (self.tcp, self.tcp_set) = (true, true),
            () if is("novc", 4) => (self.tcp, self.tcp_set) = (false, true),
            () if is("debug", 3) => (self.debug, settings.show_search) = (true, true),
            () if is("nodebug", 5) => (self.debug, settings.show_search) = (false, false),
            () if is("d2", 2) => self.output += "hoplab: nslookup's d2 is not simulated\n",
            () if is("nod2", 4) || is("sil", 3) => {}
            () if is("fail", 3) => self.no_fail = false,
            () if is("nofail", 5) => self.no_fail = true,
            () => {
                let _ = writeln!(self.output, "*** Invalid option: {option}");
            }
        }
    }

    fn valued(&mut self, settings: &mut Settings, option: &str, name: &str, value: &str) {
        let mut number = |what: &str, max: u32| match value.parse::<u32>() {
            Ok(number) if number <= max => Some(number),
            fault => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let fault = if fault.is_ok() || digits { "out of range" } else { "not a valid number" };
                let _ = writeln!(self.output, "invalid {what} '{value}': {fault}");
                None
            }
        };
        match name {
            "class" | "cl" => match present::parse_class(value) {
                Some(_) => value.clone_into(&mut self.class),
                None => {
                    let _ = writeln!(self.output, "unknown query class: {value}");
                }
            },
            "type" | "ty" | "querytype" | "query" | "qu" | "q" => match present::parse_record_type(value) {
                Some(_) => {
                    value.clone_into(&mut self.kind);
                    self.default_lookups = false;
                }
                None => {
                    let _ = writeln!(self.output, "unknown query type: {value}");
                }
            },
            "domain" | "do" => {
                settings.search = vec![value.to_owned()];
                settings.use_search = true;
            }
            "port" | "po" => {
                let port = number("port", 65535).and_then(|port| u16::try_from(port).ok());
                settings.port = port.unwrap_or(settings.port);
            }
            "timeout" | "t" => settings.timeout = number("timeout", u32::MAX).unwrap_or(settings.timeout),
            "retry" | "ret" => settings.tries = number("tries", 0x7fff_ffff).unwrap_or(settings.tries),
            "ndots" => {
                let dots = number("ndots", 128).map(|dots| dots as usize);
                settings.ndots = dots.unwrap_or(settings.ndots);
            }
            _ => {
                let _ = writeln!(self.output, "*** Invalid option: {option}");
            }
        }
    }

    /// The servers, as `server` and `set all` show them.
    fn servers(settings: &Settings) -> String {
        let line = |server: &Server| {
            format!("Default server: {}\nAddress: {}#{}\n", server.user_arg, server.addr, settings.port)
        };
        settings.servers.iter().map(line).collect()
    }

    /// `set all`.
    fn all(&self, settings: &Settings) -> String {
        let mut text = Self::servers(settings);
        let no = |on: bool, word: &str| if on { word.to_owned() } else { format!("no{word}") };
        let _ = writeln!(
            text,
            "\nSet options:\n  {}\t\t\t{}\t\tnod2\n  {}\t\t{}",
            no(self.tcp, "vc"),
            no(self.debug, "debug"),
            no(settings.use_search, "search"),
            no(self.recurse, "recurse")
        );
        let _ = writeln!(
            text,
            "  timeout = {}\t\tretry = {}\tport = {}\tndots = {}\n  querytype = {:<8}\tclass = {}\n  \
             srchlist = {}",
            settings.timeout,
            settings.tries,
            settings.port,
            settings.ndots,
            self.kind,
            self.class,
            settings.search.join("/")
        );
        text
    }

    /// Source: `addlookup`.
    fn lookup(&mut self, settings: &Settings, text: &str) -> Lookup {
        self.a_no_answer = false;
        let mut lookup = Lookup::new(settings.tries);
        match reverse(text, true) {
            Some(name) => {
                lookup.text = name;
                lookup.kind = RecordType::PTR;
            }
            None => {
                text.clone_into(&mut lookup.text);
                lookup.kind = present::parse_record_type(&self.kind).unwrap_or(RecordType::A);
            }
        }
        lookup.kind_set = true;
        lookup.class = present::parse_class(&self.class).unwrap_or(DNSClass::IN);
        lookup.class_set = true;
        lookup.bits.recurse = self.recurse;
        lookup.tcp = self.tcp || (lookup.kind == RecordType::ANY && !self.tcp_set);
        lookup.new_search = true;
        lookup.servfail_stops = !self.no_fail;
        lookup
    }

    /// A line of input; answers what is to be looked up.
    fn command(&mut self, settings: &mut Settings, line: &str) -> Option<Lookup> {
        let mut words = line.split_whitespace();
        let first = words.next()?;
        let argument = words.next();
        match (first.to_ascii_lowercase().as_str(), argument) {
            ("set", Some(option)) => self.option(settings, option),
            ("server" | "lserver", Some(name)) => {
                self.server = Some((name.to_owned(), ServerNames::new(vec![name.to_owned()])));
            }
            ("server" | "lserver", None) => self.output += &Self::servers(settings),
            ("exit", _) => self.interactive = false,
            ("help" | "?", _) => {
                let _ = writeln!(self.output, "The '{first}' command is not yet implemented.");
            }
            ("finger" | "root" | "ls" | "view", _) => {
                let _ = writeln!(self.output, "The '{first}' command is not implemented.");
            }
            _ => return Some(self.lookup(settings, first)),
        }
        None
    }

    /// The next line of input.
    fn line(&mut self, sys: &mut dyn Sys) -> Result<Option<String>, Wait> {
        loop {
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                self.prompted = false;
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if self.input_ended {
                return Ok(None);
            }
            if sys.is_terminal(Fd::STDIN) && !std::mem::replace(&mut self.prompted, true) {
                say(sys, "> ");
            }
            match sys.read(Fd::STDIN, 1 << 16) {
                Ok(ReadResult::Data(bytes)) => self.input.extend(bytes),
                Ok(ReadResult::WouldBlock) => {
                    return Err(Wait { fds: vec![Fd::STDIN], ..Wait::default() });
                }
                Ok(ReadResult::Eof) | Err(_) => {
                    self.input_ended = true;
                    if !self.input.is_empty() {
                        self.input.push(b'\n');
                    }
                }
            }
        }
    }

    /// Its last words and its status.
    fn end(&self, sys: &mut dyn Sys) -> More {
        say(sys, "\n");
        More::Exit(i32::from(self.query_error || self.print_error))
    }
}

impl Front for Face {
    fn trying(&mut self, _sys: &mut dyn Sys, _name: &Name) {}

    fn message(
        &mut self,
        sys: &mut dyn Sys,
        asked: &Asked<'_>,
        message: &Message,
        _sent: bool,
    ) -> Vec<Lookup> {
        self.query_error = false;
        let kind = asked.lookup.kind;
        let first = !self.default_lookups || kind == RecordType::A;
        let mut text = String::new();
        if first {
            let _ =
                writeln!(text, "Server:\t\t{}\nAddress:\t{}\n", asked.server.user_arg, hash(asked.address));
        }
        if self.debug {
            text += &detail(message);
        }
        let (code, word) = rcode(message);
        if code != 0 {
            let _ = writeln!(text, "** server can't find {}: {word}", present::plain(asked.name));
            self.print_error = true;
            say(sys, &text);
            return Vec::new();
        }
        let mut further = Vec::new();
        if self.default_lookups && kind == RecordType::A {
            let mut lookup = asked.lookup.again();
            lookup.text = present::plain(&end_of_aliases(message, asked.name));
            lookup.kind = RecordType::AAAA;
            lookup.origin = None;
            lookup.retries = asked.settings.tries;
            lookup.servers.clear();
            further.push(lookup);
        }
        let authoritative = message.metadata.authoritative;
        if !authoritative && first {
            text += "Non-authoritative answer:\n";
        }
        if !message.answers.is_empty() {
            text += &short(&message.answers, true);
        } else if self.default_lookups && kind == RecordType::A {
            self.a_no_answer = true;
        } else if !self.default_lookups || (kind == RecordType::AAAA && self.a_no_answer) {
            let _ = writeln!(text, "*** Can't find {}: No answer", asked.lookup.text);
        }
        if !authoritative && !matches!(kind, RecordType::A | RecordType::AAAA) {
            text += "\nAuthoritative answers can be found from:\n";
            text += &short(&message.authorities, false);
            text += &short(&message.additionals, false);
        }
        say(sys, &text);
        further
    }

    fn received(&mut self, _sys: &mut dyn Sys, _asked: &Asked<'_>, _bytes: usize) {}

    fn more(&mut self, sys: &mut dyn Sys, settings: &mut Settings) -> More {
        loop {
            if let Some((name, mut names)) = self.server.take() {
                if let Some(wait) = names.poll(sys) {
                    self.server = Some((name, names));
                    return More::Wait(wait);
                }
                match names.get(&name) {
                    Ok(addrs) => {
                        settings.servers = addrs.into_iter().map(|addr| Server::new(addr, &name)).collect();
                        settings.check_ra = false;
                        say(sys, &Self::servers(settings));
                    }
                    Err(fault) => {
                        complain(sys, &format!("nslookup: couldn't get address for '{name}': {fault}\n"));
                        return More::Exit(1);
                    }
                }
            }
            if !self.interactive {
                return self.end(sys);
            }
            match self.line(sys) {
                Ok(Some(line)) => {
                    let lookup = self.command(settings, &line);
                    say(sys, &std::mem::take(&mut self.output));
                    if let Some(lookup) = lookup {
                        return More::Lookups(vec![lookup]);
                    }
                }
                Ok(None) => return self.end(sys),
                Err(wait) => return More::Wait(wait),
            }
        }
    }
}

/// Why it ends before it asks.
struct Stop(i32, String);

impl Nslookup {
    pub fn new(args: Vec<String>) -> Self {
        Self { args, state: State::Fresh }
    }

    /// The server on the command line: the second word that is no option.
    fn server(&self) -> Option<&String> {
        let mut words = self.args.iter().skip(1).filter(|arg| *arg == "-" || !arg.starts_with('-'));
        words.nth(1)
    }

    /// Source: `parse_args`.
    fn start(&self, sys: &mut dyn Sys, names: &ServerNames) -> Result<(Engine, Face), Stop> {
        let mut settings =
            Settings::load(sys, None).map_err(|text| Stop(1, format!("nslookup: {text}\n")))?;
        settings.use_search = true;
        settings.check_ra = true;
        let mut face = Face::new();
        let mut lookups = Vec::new();
        let mut have_lookup = false;
        let args = &self.args[1..];
        for (at, arg) in args.iter().enumerate() {
            if let Some(option) = arg.strip_prefix('-') {
                if option.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("ver")) {
                    return Err(Stop(0, "nslookup 9.18.49-1~deb12u3-Debian\n".to_owned()));
                }
                if option.is_empty() {
                    have_lookup = true;
                } else {
                    face.option(&mut settings, option);
                }
            } else if !have_lookup {
                have_lookup = true;
                face.interactive = false;
                lookups.push(face.lookup(&settings, arg));
            } else {
                if at + 1 < args.len() {
                    return Err(Stop(1, USAGE.to_owned()));
                }
                let addrs = names.get(arg).map_err(|fault| {
                    Stop(1, format!("nslookup: couldn't get address for '{arg}': {fault}\n"))
                })?;
                settings.servers = addrs.into_iter().map(|addr| Server::new(addr, arg)).collect();
                settings.check_ra = false;
            }
        }
        say(sys, &std::mem::take(&mut face.output));
        let mut engine = Engine::new(settings);
        engine.lookups.extend(lookups);
        Ok((engine, face))
    }

    pub fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        loop {
            match &mut self.state {
                State::Fresh => {
                    let names = ServerNames::new(self.server().cloned().into_iter().collect());
                    self.state = State::Names(names);
                }
                State::Names(names) => {
                    if let Some(wait) = names.poll(sys) {
                        return Next::Wait(wait);
                    }
                    let names = names.clone();
                    match self.start(sys, &names) {
                        Ok((engine, face)) => self.state = State::Asking(Box::new(engine), face),
                        Err(Stop(status, text)) => {
                            complain(sys, &text);
                            return Next::Exit(status);
                        }
                    }
                }
                State::Asking(engine, face) => {
                    return match engine.turn(sys, "nslookup", face) {
                        Ok(wait) => Next::Wait(wait),
                        Err(Exit(status)) => Next::Exit(status),
                    };
                }
            }
        }
    }
}
