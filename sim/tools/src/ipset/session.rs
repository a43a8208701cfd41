//! Carries commands out. libipset `session.c`.

use std::net::Ipv4Addr;

use kernel::request::Request;
use netfilter::Netfilter;
use netfilter::set::{Entry, SetChange, SetType};
use packet::NetnsId;
use world::{OpenMode, Sys};

use super::command::{Command, Element, Env, Refused, parse, split};
use super::errcode::{Verb, wording};
use super::parse::{Grade, Known, Report};
use super::{help, list, print};
use crate::console::{Console, Stop, write_all};

/// Name and version as messages begin.
pub const VERSION: &str = "ipset v7.17";

/// One run of `ipset`.
pub struct Session<'a> {
    console: Console<'a>,
    /// Options so far.
    pub env: Env,
    report: Report,
    batch: Batch,
}

/// Lines of `restore` that add to one set or delete from it; they are sent together.
#[derive(Default)]
struct Batch {
    lines: Vec<(u32, SetType, SetChange)>,
    key: Option<(Verb, String)>,
    /// Length of the message so far, in bytes.
    size: usize,
}

/// What a command line learns from the kernel.
struct Kernel<'a>(&'a dyn Sys);

impl Known for Kernel<'_> {
    fn kind(&self, set: &str) -> Option<SetType> {
        netfilter(self.0).sets()?.kind(set)
    }

    fn resolve(&self, host: &str) -> Option<Ipv4Addr> {
        (host == "localhost").then_some(Ipv4Addr::LOCALHOST)
    }
}

fn netfilter(sys: &dyn Sys) -> &Netfilter {
    let netns: NetnsId = sys.netns();
    &sys.kernel().ns(netns).netfilter
}

/// Bytes of a netlink message. libipset `session->bufsize`.
const MESSAGE: usize = 4096;
/// Bytes kept free for an error's header.
const RESERVE: usize = 20;

const fn text_attr(len: usize) -> usize {
    4 + (len + 1).next_multiple_of(4)
}

/// Bytes of an element in a message of several. libipset `addattr_adt`.
fn message_size(entry: &Entry) -> usize {
    let Entry { ip, ip_to, cidr, proto, port, port_to, ip2, ip2_to, cidr2, name, nameref, .. } = entry;
    let Entry { before, nomatch, timeout, packets, bytes, comment, skbmark, skbprio, skbqueue, .. } = entry;
    let twelve = [ip.is_some(), ip_to.is_some(), ip2.is_some(), ip2_to.is_some()];
    let wide = [packets.is_some(), bytes.is_some(), skbmark.is_some()];
    let eight = [
        cidr.is_some(),
        cidr2.is_some(),
        proto.is_some(),
        port.is_some(),
        port_to.is_some(),
        timeout.is_some(),
        skbprio.is_some(),
        skbqueue.is_some(),
        *before || *nomatch,
    ];
    let given = |flags: &[bool]| flags.iter().filter(|given| **given).count();
    let texts =
        [name, nameref, comment].into_iter().flatten().map(|text| text_attr(text.len())).sum::<usize>();
    12 + 12 * (given(&twelve) + given(&wide)) + 8 * given(&eight) + texts
}

impl<'a> Session<'a> {
    /// A run for this process.
    pub fn new(sys: &'a mut dyn Sys) -> Self {
        let console = Console::new(sys);
        Self { console, env: Env::default(), report: Report::default(), batch: Batch::default() }
    }

    /// Ends the run with its status.
    pub fn finish(self, outcome: Result<i32, Stop>) -> i32 {
        self.console.finish(outcome)
    }

    /// Reads a command line; `line` is its number in the input of `restore`, or 0.
    ///
    /// # Errors
    /// How the program ends.
    pub fn read(&mut self, words: &[String], line: u32) -> Result<Command, Stop> {
        self.report.line = line;
        let command = parse(words, &mut self.env, &mut self.report, &Kernel(self.console.sys));
        command.map_err(|refused| match refused {
            Refused::Usage(status, text) => self.usage(status, &text),
            Refused::Reported => self.stop(),
        })
    }

    /// libipset `default_custom_error`.
    fn usage(&self, status: i32, text: &str) -> Stop {
        if self.env.quiet {
            return Stop::silent(status);
        }
        let hint = if status == 2 { "Try `ipset help' for more information.\n" } else { "" };
        Stop::text(status, format!("{VERSION}: {text}\n{hint}"))
    }

    /// The program ends with what the report says. libipset `default_standard_error`.
    fn stop(&self) -> Stop {
        let (status, before) = match self.report.grade {
            Grade::Nothing => return Stop::silent(0),
            Grade::Warning => (0, "Warning: ".to_owned()),
            Grade::Notice => (1, String::new()),
            Grade::Error => (1, format!("{VERSION}: ")),
        };
        let text = if self.env.quiet { String::new() } else { format!("{before}{}", self.report.text) };
        Stop::text(status, text)
    }

    /// Carries a command out, or keeps it for later in `restore`.
    ///
    /// # Errors
    /// How the program ends.
    pub fn run(&mut self, command: Command, line: u32) -> Result<(), Stop> {
        match command {
            Command::Version => {
                self.console.line(&format!("{VERSION}, protocol version: 7"));
                return Err(Stop::silent(0));
            }
            Command::Quit => return Err(Stop::silent(0)),
            Command::Help(topic) => return Err(self.help(topic.as_deref())),
            Command::Restore => return Ok(()),
            Command::Add(_) | Command::Del(_) if line > 0 => return self.keep(command, line),
            _ => {}
        }
        self.commit()?;
        self.report.line = line;
        let (verb, kind) = match &command {
            Command::Create { kind, .. } => (Verb::Create, Some(*kind)),
            Command::Add(element) => (Verb::Add, Some(element.kind)),
            Command::Del(element) => (Verb::Del, Some(element.kind)),
            Command::Destroy(_) => (Verb::Destroy, None),
            Command::Flush(_) => (Verb::Flush, None),
            Command::Rename(..) => (Verb::Rename, None),
            Command::Swap(..) => (Verb::Swap, None),
            Command::Test(element) => return self.test(element),
            Command::List(name) => return self.list(name.as_deref(), false),
            Command::Save(name) => return self.list(name.as_deref(), true),
            Command::Version | Command::Quit | Command::Help(_) | Command::Restore => return Ok(()),
        };
        let Some(change) = command.change(self.env.exist) else { return Ok(()) };
        self.send(verb, kind, change)?;
        // A warning ends the program, once the command is carried out.
        if self.report.is_warning() { Err(self.stop()) } else { Ok(()) }
    }

    fn send(&mut self, verb: Verb, kind: Option<SetType>, change: SetChange) -> Result<(), Stop> {
        let netns = self.console.sys.netns();
        let Err(refusal) = self.console.sys.request(netns, Request::Set(change)) else { return Ok(()) };
        self.report.add(Grade::Error, wording(verb, refusal.errno, kind));
        Err(self.stop())
    }

    /// Keeps a line of `restore` until its message is full, or another set's begins.
    fn keep(&mut self, command: Command, line: u32) -> Result<(), Stop> {
        let (verb, Element { name, kind, entry }) = match &command {
            Command::Add(element) => (Verb::Add, element),
            Command::Del(element) => (Verb::Del, element),
            _ => return Ok(()),
        };
        let (key, kind) = ((verb, name.clone()), *kind);
        if self.batch.key.as_ref() != Some(&key) {
            self.commit()?;
        }
        let size = message_size(entry);
        if !self.batch.lines.is_empty() && self.batch.size + size + RESERVE > MESSAGE {
            self.commit()?;
        }
        if self.batch.lines.is_empty() {
            self.batch.size = 40 + text_attr(name.len());
            self.batch.key = Some(key);
        }
        self.batch.size += size;
        self.batch.lines.extend(command.change(self.env.exist).map(|change| (line, kind, change)));
        Ok(())
    }

    /// Sends the lines kept. libipset `ipset_commit`.
    ///
    /// # Errors
    /// How the program ends.
    pub fn commit(&mut self) -> Result<(), Stop> {
        let Batch { lines, key, .. } = std::mem::take(&mut self.batch);
        let verb = key.map_or(Verb::Add, |(verb, _)| verb);
        for (line, kind, change) in lines {
            self.report.line = line;
            self.send(verb, Some(kind), change)?;
        }
        Ok(())
    }

    fn test(&mut self, element: &Element) -> Result<(), Stop> {
        let Element { name, kind, entry } = element;
        let now = self.console.sys.now();
        let netfilter = netfilter(self.console.sys);
        let found = netfilter.sets().is_some_and(|sets| sets.test_entry(name, entry, now).is_ok());
        let (grade, is) = if found { (Grade::Warning, "is") } else { (Grade::Notice, "is NOT") };
        let elem = print::element(*kind, entry);
        self.report.add(grade, format_args!("{elem} {is} in set {name}."));
        Err(self.stop())
    }

    fn list(&mut self, name: Option<&str>, save: bool) -> Result<(), Stop> {
        let fd = match self.env.file.clone() {
            None => None,
            Some(file) => match self.console.sys.open(&file, OpenMode::Write) {
                Ok(fd) => Some(fd),
                Err(errno) => {
                    let text = format!("Cannot open {file} for writing: {errno}");
                    self.report.add(Grade::Error, text);
                    return Err(self.stop());
                }
            },
        };
        let now = self.console.sys.now();
        let sets = netfilter(self.console.sys).list_sets(name, now);
        if name.is_some() && sets.is_empty() {
            self.report.add(Grade::Error, wording(Verb::List, kernel::Errno::NoEnt, None));
            return Err(self.stop());
        }
        let text = list::list(&sets, &self.env, save);
        match fd {
            Some(fd) => write_all(self.console.sys, fd, &text),
            None => self.console.out(&text),
        }
        Ok(())
    }

    fn help(&mut self, topic: Option<&str>) -> Stop {
        self.console.out(help::COMMANDS);
        if self.env.quiet {
            return Stop::silent(0);
        }
        match topic {
            None => self.console.out(help::SUPPORTED),
            Some(topic) => match super::types::find(topic) {
                Some(kind) => self.console.out(&help::of_type(kind)),
                None if super::types::is_other(topic) => {
                    return self.usage(1, &format!("Set type {topic} is not simulated"));
                }
                None => return self.usage(2, &format!("Unknown settype: `{topic}'")),
            },
        }
        Stop::silent(0)
    }

    /// Carries out the lines of a file. libipset `ipset_parse_stream`.
    ///
    /// # Errors
    /// How the program ends.
    pub fn restore(&mut self, text: &str) -> Result<(), Stop> {
        let mut number = 0;
        for line in text.split_inclusive('\n').flat_map(chunks) {
            number += 1;
            let line = line.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if matches!(line, "COMMIT\n" | "COMMIT\r\n") {
                self.commit()?;
                continue;
            }
            let words = split(line).map_err(|refused| match refused {
                Refused::Usage(status, text) => self.usage(status, &text),
                Refused::Reported => self.stop(),
            })?;
            let command = self.read(&words, number)?;
            self.run(command, number)?;
        }
        self.commit()
    }
}

/// A line as the program's buffer of 1024 bytes takes it: what is longer is another line.
fn chunks(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let mut end = rest.len().min(1023);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (head, tail) = rest.split_at(end);
        rest = tail;
        (!head.is_empty()).then_some(head)
    })
}
