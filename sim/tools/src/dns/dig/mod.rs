//! `dig` of BIND 9.18, and what BIND's `host` and `nslookup` share with it.

use dns::{Message, Name, present};
use world::{Args, Fd, Next, OpenMode, Program, ReadResult, Registry, Sys, Wait};

pub(super) use self::engine::{Asked, Engine, Exit, Front, More, hash, is_response};
pub(super) use self::lookup::{Lookup, reverse};
pub(super) use self::names::ServerNames;
pub(super) use self::settings::{Server, Settings};

use self::options::{Globals, Parser, Stop, default_lookup};
use crate::net::{complain, say};

mod engine;
mod lookup;
mod names;
mod options;
mod plus;
mod settings;

/// Installs `dig`.
pub(super) fn install(registry: &mut Registry) {
    registry.install("dig", |args| Box::new(Dig { args, state: State::Fresh }));
}

#[derive(Clone, Debug)]
struct Dig {
    args: Args,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Fresh,
    /// It looks up servers' names.
    Names(ServerNames),
    Asking(Engine, Face),
}

/// What dig prints, and the batch file that it reads.
#[derive(Clone, Debug)]
struct Face {
    globals: Globals,
    default: Lookup,
    batch: Option<Batch>,
}

/// The lines that are still to be asked.
#[derive(Clone, Debug)]
struct Batch {
    file: Fd,
    text: Vec<u8>,
    ended: bool,
}

impl Dig {
    fn start(&self, sys: &mut dyn Sys, names: &ServerNames) -> Result<(Engine, Face), Stop> {
        let mut settings = Settings::load(sys, None).map_err(|text| options::fatal(&text))?;
        let mut globals = Globals::new();
        let mut default = default_lookup(&settings);
        let outcome = {
            let mut parser = Parser {
                settings: &mut settings,
                globals: &mut globals,
                default: &mut default,
                names,
                in_batch: false,
                lookups: Vec::new(),
                pending: None,
            };
            parser.parse(&self.args[1..]).map(|()| parser.lookups)
        };
        complain(sys, &std::mem::take(&mut globals.warnings));
        say(sys, &std::mem::take(&mut globals.output));
        let mut engine = Engine::new(settings);
        engine.lookups.extend(outcome?);
        let batch = match &globals.batch {
            None => None,
            Some(file) if file == "-" => Some(Fd::STDIN),
            Some(file) => Some(sys.open(file, OpenMode::Read).map_err(|errno| {
                Stop(8, format!("{file}: {errno}\ndig: couldn't open specified batch file\n"))
            })?),
        };
        let batch = batch.map(|file| Batch { file, text: Vec::new(), ended: false });
        Ok((engine, Face { globals, default, batch }))
    }
}

impl Face {
    /// The next line of the batch file that asks for something.
    fn next_line(&mut self, sys: &mut dyn Sys) -> Result<Option<String>, Wait> {
        let Some(batch) = &mut self.batch else { return Ok(None) };
        loop {
            if let Some(end) = batch.text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = batch.text.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if line.is_empty() || line.starts_with(['#', ';']) {
                    continue;
                }
                return Ok(Some(line));
            }
            if batch.ended {
                return Ok(None);
            }
            match sys.read(batch.file, 1 << 16) {
                Ok(ReadResult::Data(bytes)) => batch.text.extend(bytes),
                Ok(ReadResult::WouldBlock) => {
                    return Err(Wait { fds: vec![batch.file], ..Wait::default() });
                }
                Ok(ReadResult::Eof) | Err(_) => {
                    batch.ended = true;
                    if !batch.text.is_empty() {
                        batch.text.push(b'\n');
                    }
                }
            }
        }
    }
}

impl Front for Face {
    fn trying(&mut self, _sys: &mut dyn Sys, _name: &Name) {}

    fn message(
        &mut self,
        sys: &mut dyn Sys,
        asked: &Asked<'_>,
        message: &Message,
        sent: bool,
    ) -> Vec<Lookup> {
        let lookup = asked.lookup;
        if !self.globals.short && self.globals.print_command {
            say(sys, &lookup.greeting);
        }
        let text = match (self.globals.short, sent) {
            (true, true) => String::new(),
            (true, false) => {
                let lines = present::short(message, &lookup.view.style);
                let end = match lookup.identify {
                    true => format!(" from server {} in {}.\n", asked.server.addr, took(asked, "us", "ms")),
                    false => "\n".to_owned(),
                };
                lines.replace('\n', &end)
            }
            (false, true) => present::message(message, &lookup.view, None),
            (false, false) => present::message(message, &lookup.view, Some(asked.query)),
        };
        say(sys, &text);
        if sent && lookup.stats {
            let size = dns::encode(message).map_or(0, |bytes| bytes.len());
            say(sys, &format!(";; QUERY SIZE: {size}\n\n"));
        }
        Vec::new()
    }

    fn received(&mut self, sys: &mut dyn Sys, asked: &Asked<'_>, bytes: usize) {
        if self.globals.short {
            return;
        }
        let server = format!("{}({})", hash(asked.address), asked.server.user_arg);
        if asked.lookup.stats {
            let proto = if asked.lookup.tcp { "TCP" } else { "UDP" };
            let text = format!(
                ";; Query time: {}\n;; SERVER: {server} ({proto})\n;; WHEN: {}\n;; MSG SIZE  rcvd: {bytes}\n\n",
                took(asked, "usec", "msec"),
                when(sys.unix_time())
            );
            say(sys, &text);
        } else if asked.lookup.identify {
            say(sys, &format!(";; Received {bytes} bytes from {server} in {}\n\n", took(asked, "us", "ms")));
        }
    }

    fn more(&mut self, sys: &mut dyn Sys, settings: &mut Settings) -> More {
        let line = match self.next_line(sys) {
            Ok(Some(line)) => line,
            Ok(None) => return More::Done,
            Err(wait) => return More::Wait(wait),
        };
        let words: Vec<String> = line.split_whitespace().take(13).map(str::to_owned).collect();
        let names = servers(&words);
        // Simplified: a batch file's lines give servers by address.
        let names = ServerNames::new(names);
        let outcome = {
            let mut parser = Parser {
                settings,
                globals: &mut self.globals,
                default: &mut self.default,
                names: &names,
                in_batch: true,
                lookups: Vec::new(),
                pending: None,
            };
            parser.parse(&words).map(|()| parser.lookups)
        };
        complain(sys, &std::mem::take(&mut self.globals.warnings));
        match outcome {
            Ok(lookups) => More::Lookups(lookups),
            Err(Stop(status, text)) => {
                complain(sys, &text);
                More::Exit(status)
            }
        }
    }
}

/// `3 msec`, or microseconds if they are asked for.
fn took(asked: &Asked<'_>, micro: &str, milli: &str) -> String {
    match asked.lookup.microseconds {
        true => format!("{} {micro}", asked.took.as_micros()),
        false => format!("{} {milli}", asked.took.as_millis()),
    }
}

/// `Sun Nov 22 03:02:35 UTC 2026`.
fn when(unix: u64) -> String {
    // `Sun Nov 22 03:02:35 2026`, with the day padded by a space.
    let text = world::ctime(unix);
    match (text.get(..8), text.get(8..10), text.get(10..20), text.get(20..)) {
        (Some(start), Some(day), Some(time), Some(year)) => {
            format!("{start}{}{time}UTC {year}", day.replace(' ', "0"))
        }
        _ => text,
    }
}

/// The servers that arguments name.
fn servers(args: &[String]) -> Vec<String> {
    args.iter().filter_map(|arg| arg.strip_prefix('@')).map(str::to_owned).collect()
}

impl Program for Dig {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        loop {
            match &mut self.state {
                State::Fresh => self.state = State::Names(ServerNames::new(servers(&self.args[1..]))),
                State::Names(names) => {
                    if let Some(wait) = names.poll(sys) {
                        return Next::Wait(wait);
                    }
                    let names = names.clone();
                    match self.start(sys, &names) {
                        Ok((engine, face)) => self.state = State::Asking(engine, face),
                        Err(Stop(status, text)) => {
                            if status == 0 {
                                say(sys, &text);
                            } else {
                                complain(sys, &text);
                            }
                            return Next::Exit(status);
                        }
                    }
                }
                State::Asking(engine, face) => {
                    return match engine.turn(sys, "dig", face) {
                        Ok(wait) => Next::Wait(wait),
                        Err(Exit(status)) => Next::Exit(status),
                    };
                }
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
