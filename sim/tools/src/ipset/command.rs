//! A command line of `ipset`, read without a kernel.

use netfilter::set::{CreateOptions, Entry, SetChange, SetType};

use super::data::Opt;
use super::parse::{Failed, Grade, Known, Reader, Report};
use super::types::{self, NOT_IN_KERNEL, NOT_SIMULATED, Takes, Type};

/// How sets are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For people.
    Plain,
    /// As the commands that make them.
    Save,
    /// XML.
    Xml,
}

/// Options that every command understands. In `restore` they stay for the lines that follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    /// `-sorted`.
    pub sorted: bool,
    /// `-quiet`.
    pub quiet: bool,
    /// `-exist`.
    pub exist: bool,
    /// `-name`.
    pub names: bool,
    /// `-terse`.
    pub terse: bool,
    /// `-output`.
    pub mode: Option<Mode>,
    /// `-file`.
    pub file: Option<String>,
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `create`.
    Create {
        /// The set.
        name: String,
        /// Its type.
        kind: SetType,
        /// Its options.
        options: Box<CreateOptions>,
    },
    /// `add`.
    Add(Element),
    /// `del`.
    Del(Element),
    /// `test`.
    Test(Element),
    /// `destroy`.
    Destroy(Option<String>),
    /// `list`.
    List(Option<String>),
    /// `save`.
    Save(Option<String>),
    /// `restore`.
    Restore,
    /// `flush`.
    Flush(Option<String>),
    /// `rename`.
    Rename(String, String),
    /// `swap`.
    Swap(String, String),
    /// `help`.
    Help(Option<String>),
    /// `version`.
    Version,
    /// `quit`.
    Quit,
}

impl Command {
    /// The change of sets that it asks for, if any; `exist` is `-exist`.
    pub fn change(self, exist: bool) -> Option<SetChange> {
        Some(match self {
            Self::Create { name, kind, options } => SetChange::Create { name, kind, options, exist },
            Self::Add(Element { name, entry, .. }) => SetChange::Add { name, entry, exist },
            Self::Del(Element { name, entry, .. }) => SetChange::Del { name, entry, exist },
            Self::Destroy(name) => SetChange::Destroy { name, exist },
            Self::Flush(name) => SetChange::Flush { name },
            Self::Rename(name, to) => SetChange::Rename { name, to },
            Self::Swap(name, with) => SetChange::Swap { name, with },
            Self::Test(_) | Self::List(_) | Self::Save(_) | Self::Restore => return None,
            Self::Help(_) | Self::Version | Self::Quit => return None,
        })
    }
}

/// An element of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The set.
    pub name: String,
    /// Its type.
    pub kind: SetType,
    /// The element.
    pub entry: Box<Entry>,
}

/// Why a command line isn't carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// What is wrong with the words, and the exit status: 1, or 2 with a hint.
    Usage(i32, String),
    /// The report says it.
    Reported,
}

impl From<Failed> for Refused {
    fn from(_: Failed) -> Self {
        Self::Reported
    }
}

fn usage<T>(text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Usage(2, text.into()))
}

fn other<T>(text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Usage(1, text.into()))
}

/// The commands, in the order in which beginnings of their names are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Create,
    Add,
    Del,
    Test,
    Destroy,
    List,
    Save,
    Restore,
    Flush,
    Rename,
    Swap,
    Help,
    Version,
    Quit,
}

/// Verb, names, and how many names it takes at least and at most.
const VERBS: [(Verb, &[&str], usize, usize); 14] = [
    (Verb::Create, &["create", "new", "-N"], 2, 2),
    (Verb::Add, &["add", "-A"], 2, 2),
    (Verb::Del, &["del", "-D"], 2, 2),
    (Verb::Test, &["test", "-T"], 2, 2),
    (Verb::Destroy, &["destroy", "x", "-X"], 0, 1),
    (Verb::List, &["list", "-L"], 0, 1),
    (Verb::Save, &["save", "-S"], 0, 1),
    (Verb::Restore, &["restore", "-R"], 0, 0),
    (Verb::Flush, &["flush", "-F"], 0, 1),
    (Verb::Rename, &["rename", "e", "-E"], 2, 2),
    (Verb::Swap, &["swap", "w", "-W"], 2, 2),
    (Verb::Help, &["help", "-h", "-H"], 0, 1),
    (Verb::Version, &["version", "-v", "-V"], 0, 0),
    (Verb::Quit, &["quit"], 0, 0),
];

/// The most words of a line, with the program's name.
const MAX_ARGS: usize = 32;

/// Whether a word is the beginning of a command's name. libipset `ipset_match_cmd`.
fn names_verb(word: &str, names: &[&str]) -> bool {
    let word = word.strip_prefix("--").unwrap_or(word);
    !word.is_empty() && word != "-" && names.iter().any(|name| name.starts_with(word))
}

/// Takes the options that every command understands out of the words, kind by kind.
fn take_options(words: &mut Vec<String>, env: &mut Env, report: &mut Report) -> Result<(), Refused> {
    const OPTIONS: [(&str, &str); 8] = [
        ("-o", "-output"),
        ("-s", "-sorted"),
        ("-q", "-quiet"),
        ("-r", "-resolve"),
        ("-!", "-exist"),
        ("-n", "-name"),
        ("-t", "-terse"),
        ("-f", "-file"),
    ];
    for (short, long) in OPTIONS {
        let fits = |word: &String| {
            let word = word.strip_prefix('-').filter(|rest| rest.starts_with('-')).unwrap_or(word);
            word == short || word == long
        };
        while let Some(at) = words.iter().position(fits) {
            words.remove(at);
            let mut value = || {
                if at < words.len() {
                    Ok(words.remove(at))
                } else {
                    usage(format!("Missing mandatory argument to option {short}"))
                }
            };
            match short {
                "-o" => {
                    let value = value()?;
                    env.mode = Some(match value.as_str() {
                        "plain" => Mode::Plain,
                        "xml" => Mode::Xml,
                        "save" => Mode::Save,
                        _ => {
                            report.syntax::<()>(format_args!("unknown output mode '{value}'"))?;
                            return Err(Refused::Reported);
                        }
                    });
                }
                "-f" => {
                    let value = value()?;
                    if env.file.is_some() {
                        return usage("-file option cannot be used when full io is activated");
                    }
                    env.file = Some(value);
                }
                "-s" => env.sorted = true,
                "-q" => env.quiet = true,
                "-!" => env.exist = true,
                "-n" => env.names = true,
                "-t" => env.terse = true,
                _ => {
                    report.fail::<()>("Option -resolve is not simulated")?;
                }
            }
        }
    }
    Ok(())
}

/// Reads a command line without the program's name. What is only a warning stays in `report`,
/// whose line is that of the input of `restore`. libipset `ipset_parser`.
///
/// # Errors
/// What ipset says of it.
pub fn parse(
    args: &[String],
    env: &mut Env,
    report: &mut Report,
    known: &dyn Known,
) -> Result<Command, Refused> {
    if args.len() + 1 > MAX_ARGS {
        return usage("Line is too long to parse.");
    }
    let mut words = args.to_vec();
    take_options(&mut words, env, report)?;
    let found = words.first().and_then(|word| VERBS.iter().find(|(_, names, ..)| names_verb(word, names)));
    let Some((verb, names, least, most)) = found else {
        return match words.first().map(String::as_str) {
            Some("-") => other("Interactive mode is not simulated"),
            Some(word) => usage(format!("No command specified: unknown argument {word}")),
            None => usage("No command specified."),
        };
    };
    let name = names.first().copied().unwrap_or_default();
    if report.line != 0 && matches!(verb, Verb::Restore | Verb::Version | Verb::Help) {
        return usage(format!("Command `{name}' is invalid in restore mode."));
    }
    words.remove(0);
    let mut objects = Vec::new();
    while objects.len() < *most {
        if words.is_empty() {
            if objects.len() >= *least {
                break;
            }
            let which = if objects.is_empty() { "mandatory" } else { "second mandatory" };
            return usage(format!("Missing {which} argument to command {name}"));
        }
        objects.push(words.remove(0));
    }
    let mut objects = objects.into_iter();
    let (first, second) = (objects.next(), objects.next());
    let mut reader = Reader { data: Default::default(), report, known, command: name };
    let command = match (*verb, first, second) {
        (Verb::Help, topic, _) => return Ok(Command::Help(topic)),
        (Verb::Version, ..) => return Ok(Command::Version),
        (Verb::Quit, ..) => return Ok(Command::Quit),
        (Verb::Restore, ..) => Command::Restore,
        (Verb::Create, Some(set), Some(kind)) => create(&mut reader, &mut words, &set, &kind)?,
        (Verb::Add | Verb::Del | Verb::Test, Some(set), Some(element)) => {
            let element = adt(&mut reader, &mut words, (*verb, name), &set, &element)?;
            match verb {
                Verb::Add => Command::Add(element),
                Verb::Del => Command::Del(element),
                _ => Command::Test(element),
            }
        }
        (Verb::Rename | Verb::Swap, Some(from), Some(to)) => {
            let (from, to) = (reader.set_name(&from)?, reader.set_name(&to)?);
            if *verb == Verb::Swap { Command::Swap(from, to) } else { Command::Rename(from, to) }
        }
        (verb, set, _) => {
            let set = set.map(|set| reader.set_name(&set)).transpose()?;
            match verb {
                Verb::Destroy => Command::Destroy(set),
                Verb::Flush => Command::Flush(set),
                Verb::Save => Command::Save(set),
                _ => Command::List(set),
            }
        }
    };
    match words.first() {
        Some(word) => usage(format!("Unknown argument {word}")),
        None => Ok(command),
    }
}

fn create(
    reader: &mut Reader<'_>,
    words: &mut Vec<String>,
    set: &str,
    typename: &str,
) -> Result<Command, Refused> {
    let name = reader.set_name(set)?;
    if typename.len() > 31 {
        reader.report.syntax::<()>(format_args!("typename '{typename}' is longer than 31 characters"))?;
    }
    let is = |(name, alias): &(&str, &str)| *name == typename || *alias == typename;
    if NOT_IN_KERNEL.iter().any(is) {
        reader.report.fail::<()>("Kernel error received: set type not supported")?;
    }
    if let Some((name, _)) = NOT_SIMULATED.iter().find(|known| is(known)) {
        reader.report.fail::<()>(format_args!("Set type {name} is not simulated"))?;
    }
    let Some(kind) = types::find(typename) else {
        reader.report.syntax::<()>(format_args!("typename '{typename}' is unknown"))?;
        return Err(Refused::Reported);
    };
    options(reader, words, &kind.create, true)?;
    options(reader, words, &kind.create, false)?;
    words.clear();
    check(reader, kind, &kind.create, "create")?;
    let options = Box::new(reader.data.options());
    Ok(Command::Create { name, kind: kind.kind, options })
}

fn adt(
    reader: &mut Reader<'_>,
    words: &mut Vec<String>,
    (verb, command): (Verb, &str),
    set: &str,
    element: &str,
) -> Result<Element, Refused> {
    let name = reader.set_name(set)?;
    let Some(kind) = reader.known.kind(&name) else {
        reader.report.fail::<()>("The set with the given name does not exist")?;
        return Err(Refused::Reported);
    };
    let known = types::of(kind);
    reader.element(known, element)?;
    let takes = match verb {
        Verb::Add => &known.add,
        Verb::Del => &known.del,
        _ => &known.test,
    };
    options(reader, words, takes, false)?;
    words.clear();
    check(reader, known, takes, command)?;
    let entry = Box::new(std::mem::take(&mut reader.data.entry));
    Ok(Element { name, kind, entry })
}

/// Reads the options of a command; those of the family, or the others. libipset `call_parser`.
fn options(reader: &mut Reader<'_>, words: &[String], takes: &Takes, family: bool) -> Result<(), Refused> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let plain = word.strip_prefix("--").unwrap_or(word);
        let Some(keyword) = takes.keywords().find(|keyword| keyword.name == plain) else {
            return usage(format!("Unknown argument: `{word}'"));
        };
        let value = if keyword.value {
            match words.next() {
                Some(value) => value,
                None => return usage(format!("Missing mandatory argument of option `{}'", keyword.name)),
            }
        } else {
            word
        };
        if (keyword.opt == Opt::Family) != family {
            continue;
        }
        if reader.data.has(keyword.opt) {
            reader.report.syntax::<()>(format_args!("{} already specified", keyword.name))?;
        }
        reader.read(keyword.opt, keyword.reads, keyword.name, value)?;
    }
    Ok(())
}

/// What a command is about, of which something may be forbidden, in ipset's order; the end of a
/// second range isn't looked at.
const CHECKED: [Opt; 11] = [
    Opt::Ip,
    Opt::IpTo,
    Opt::Cidr,
    Opt::Port,
    Opt::PortTo,
    Opt::Timeout,
    Opt::Name,
    Opt::Nameref,
    Opt::Ip2,
    Opt::Cidr2,
    Opt::Proto,
];

/// What must be there and what may not. libipset `check_mandatory`, `check_allowed`.
fn check(reader: &Reader<'_>, kind: &Type, takes: &Takes, command: &str) -> Result<(), Refused> {
    let given = reader.data.bits;
    let with_range = if reader.data.has(Opt::Cidr) { given | Opt::IpTo.bit() } else { given };
    let missing = takes.need & !with_range;
    if let Some(keyword) = takes.keywords().find(|keyword| missing & keyword.opt.bit() != 0) {
        return usage(format!("Mandatory option `{}' is missing", keyword.name));
    }
    let mut allowed = takes.allowed();
    if allowed & Opt::IpTo.bit() != 0 {
        allowed |= Opt::Cidr.bit();
    }
    let family = if kind.kind.is_inet() { "inet" } else { "unspec" };
    let name = kind.kind.name();
    let Some(opt) = CHECKED.into_iter().find(|opt| given & !allowed & opt.bit() != 0) else { return Ok(()) };
    let rest = format!("is not allowed in command {command} with set type {name} and family {family}");
    match opt {
        Opt::Cidr => other(format!("IP/CIDR range {rest}")),
        Opt::IpTo => other(format!("FROM-TO IP range {rest}")),
        Opt::PortTo => other(format!("FROM-TO port range {rest}")),
        opt => {
            let why =
                if takes.keywords().next().is_none() { "option list is empty" } else { "can't resolve them" };
            other(format!(
                "There are not allowed options ({}) but {why}. It's a bug, please report the problem.",
                opt as u8
            ))
        }
    }
}

/// Takes a line of `restore` apart: blanks separate, double quotes hold together. libipset
/// `build_argv`.
///
/// # Errors
/// What ipset says of it.
pub fn split(line: &str) -> Result<Vec<String>, Refused> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if words.len() + 2 == MAX_ARGS {
            return usage("Line is too long to parse.");
        }
        let last = chars.peek().is_none();
        match c {
            '"' => {
                quoted = !quoted;
                if !last {
                    continue;
                }
            }
            ' ' | '\r' | '\n' | '\t' if !quoted => {}
            c => {
                word.push(c);
                if !last || matches!(c, ' ' | '\r' | '\n' | '\t') {
                    continue;
                }
            }
        }
        if last && quoted {
            return usage("Missing close quote!");
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    Ok(words)
}

impl Report {
    /// Whether there is only something to remark.
    pub fn is_warning(&self) -> bool {
        self.grade == Grade::Warning
    }
}
