use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::request::Request;
use netfilter::{Backend, Change, Counters, Policy, Restore, Table, TableId, TableName, Then, What};
use world::{Args, Fd, Next, OpenMode, Program, ReadResult, Sys, Wait};

use super::command::{Action, Command, CommandError, RuleVerb, check_new_chain, parse};
use super::run::{Failure, netfilter, version};
use crate::console::{Console, Output, Stop};

/// `iptables-restore`: reads all of its input, then makes the changes table by table.
#[derive(Clone, Debug)]
pub struct IptablesRestore {
    backend: Backend,
    args: Args,
    input: Vec<u8>,
}

impl Options {
    /// How messages begin.
    fn title(&self) -> String {
        format!("iptables-restore {}", version(self.backend))
    }
}

/// What the options ask for.
#[derive(Clone, Debug, Default)]
struct Options {
    backend: Backend,
    noflush: bool,
    counters: bool,
    test: bool,
    verbose: bool,
    version: bool,
    /// Only the table of this name.
    only: Option<String>,
    file: Option<String>,
}

impl IptablesRestore {
    /// A run with these arguments.
    pub fn new(backend: Backend, args: Args) -> Self {
        Self { backend, args, input: Vec::new() }
    }
}

impl Program for IptablesRestore {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let options = match options(self.backend, &self.args) {
            Ok(options) => options,
            Err(stop) => return Next::Exit(Console::new(sys).finish(Err(stop))),
        };
        if options.version {
            let mut console = Console::new(sys);
            console.line(&options.title());
            return Next::Exit(console.finish(Ok(0)));
        }
        let fd = match &options.file {
            None => Fd::STDIN,
            Some(file) => match sys.open(file, OpenMode::Read) {
                Ok(fd) => fd,
                Err(errno) => {
                    let stop = Stop::exit(1, format!("Can't open {file}: {errno}"));
                    return Next::Exit(Console::new(sys).finish(Err(stop)));
                }
            },
        };
        loop {
            match sys.read(fd, 65_536) {
                Ok(ReadResult::Data(bytes)) => self.input.extend(bytes),
                Ok(ReadResult::WouldBlock) => return Next::Wait(Wait { fds: vec![fd], ..Wait::default() }),
                Ok(ReadResult::Eof) | Err(_) => break,
            }
        }
        let text = String::from_utf8(std::mem::take(&mut self.input))
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let mut console = Console::new(sys);
        let outcome = restore(&mut console, &options, &text);
        Next::Exit(console.finish(outcome))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// `iptables-restore` as a program runs it: `words` without the command's name, and its input.
pub fn restore_call(sys: &mut dyn Sys, words: &[&str], text: &str) -> Output {
    let args: Vec<String> = ["iptables-restore"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    let mut console = Console::keeping(sys);
    let outcome = options(Backend::Nft, &args).and_then(|options| restore(&mut console, &options, text));
    console.finish_keeping(outcome)
}

fn options(backend: Backend, args: &[String]) -> Result<Options, Stop> {
    let mut options = Options { backend, ..Options::default() };
    let program = args.first().map_or("iptables-restore", String::as_str);
    let invalid = |what: String| {
        let hint = "Try `iptables-restore -h' for more information.";
        Err(Stop::text(1, format!("{program}: {what}\n{hint}\n")))
    };
    let mut words = args.iter().skip(1).map(String::as_str).peekable();
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-').filter(|word| !word.is_empty()) else {
            options.file = Some(word.to_owned());
            continue;
        };
        // Seconds that a wait may be followed by. iptables: `xs_has_arg` in `xtables-restore.c`.
        let is_number = |word: &&str| !word.starts_with(['-', '!']);
        match word {
            "--wait" | "--wait-interval" => drop(words.next_if(is_number)),
            "--counters" => options.counters = true,
            "--noflush" => options.noflush = true,
            "--test" => options.test = true,
            "--verbose" => options.verbose = true,
            "--version" => options.version = true,
            "--table" => options.only = Some(words.next().unwrap_or_default().to_owned()),
            _ if word.starts_with("--wait=") || word.starts_with("--wait-interval=") => {}
            _ if word.starts_with("--") => return invalid(format!("unrecognized option '{word}'")),
            _ => {
                for (at, letter) in letters.char_indices() {
                    let rest = letters.get(at + 1..).unwrap_or_default();
                    match letter {
                        'c' => options.counters = true,
                        'n' => options.noflush = true,
                        't' => options.test = true,
                        'v' => options.verbose = true,
                        'V' => options.version = true,
                        '4' => {}
                        'w' | 'W' if rest.is_empty() => drop(words.next_if(is_number)),
                        'w' | 'W' => {}
                        'T' if rest.is_empty() => {
                            options.only = Some(words.next().unwrap_or_default().to_owned());
                        }
                        'T' => {
                            options.only = Some(rest.to_owned());
                            break;
                        }
                        other => return invalid(format!("invalid option -- '{other}'")),
                    }
                }
            }
        }
    }
    Ok(options)
}

/// A table's changes while its lines are read.
struct Block {
    table: TableId,
    flush: bool,
    /// User chains that the lines so far make, and those they delete.
    made: BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// The table as the lines so far leave it, once iptables has to look a rule up.
    draft: Option<Table>,
    changes: Vec<What>,
    /// The line of each.
    lines: Vec<usize>,
    /// A rule that leads to a chain nobody has made. iptables finds out at COMMIT.
    missing: Option<String>,
}

impl Block {
    fn new(table: TableId, flush: bool) -> Self {
        Self {
            table,
            flush,
            made: BTreeSet::new(),
            deleted: BTreeSet::new(),
            draft: None,
            changes: Vec::new(),
            lines: Vec::new(),
            missing: None,
        }
    }

    /// The table before the first line.
    fn existing<'a>(&self, sys: &'a dyn Sys) -> Option<&'a Table> {
        netfilter(sys, sys.netns()).table(self.table).filter(|_| !self.flush)
    }

    /// Whether a chain exists after the lines so far.
    fn knows(&self, sys: &dyn Sys, chain: &str) -> bool {
        self.table.name.hook(chain).is_some()
            || self.made.contains(chain)
            || (self.existing(sys).is_some_and(|table| table.chain(chain).is_some())
                && !self.deleted.contains(chain))
    }

    /// The table as the lines so far leave it.
    fn draft(&mut self, sys: &dyn Sys) -> &Table {
        let existing = self.existing(sys);
        let Self { draft, table, changes, .. } = self;
        draft.get_or_insert_with(|| {
            let mut draft = existing.cloned().unwrap_or_else(|| Table::new(*table));
            for what in changes {
                // A refusal is the kernel's to report, at COMMIT.
                let _ = draft.apply_restored(what);
            }
            draft
        })
    }

    fn make(&mut self, chain: &str) {
        self.made.insert(chain.to_owned());
    }

    fn delete(&mut self, chain: &str) {
        self.made.remove(chain);
        self.deleted.insert(chain.to_owned());
    }

    /// Takes a change.
    fn note(&mut self, sys: &dyn Sys, line: usize, what: What) {
        match &what {
            What::NewChain { chain } => self.make(chain),
            What::DeleteChain { chain: Some(chain) } => self.delete(chain),
            What::DeleteChain { chain: None } => {
                let all: Vec<String> = self
                    .existing(sys)
                    .into_iter()
                    .flat_map(Table::user_chains)
                    .map(|c| c.name.clone())
                    .collect();
                self.made.clear();
                self.deleted.extend(all);
            }
            What::Rename { chain, to } => {
                self.delete(chain);
                self.make(to);
            }
            _ => {}
        }
        if let Some(draft) = &mut self.draft {
            let _ = draft.apply_restored(&what);
        }
        self.changes.push(what);
        self.lines.push(line);
    }
}

fn restore(console: &mut Console<'_>, options: &Options, text: &str) -> Result<i32, Stop> {
    let mut block: Option<Block> = None;
    let mut number = 0;
    for line in buffers(text) {
        number += 1;
        if line == "\n" {
            continue;
        }
        if line.starts_with('#') {
            if options.verbose {
                console.out(line);
            }
            continue;
        }
        match &mut block {
            None => {
                let Some(rest) = line.strip_prefix('*') else {
                    return Err(Stop::exit(1, format!("iptables-restore: line {number} failed")));
                };
                let name = rest.split([' ', '\t', '\n']).find(|word| !word.is_empty());
                let Some(table) = name.and_then(TableName::parse) else {
                    let name = name.map_or(String::new(), |name| format!(" '{name}'"));
                    let what = match options.backend {
                        Backend::Nft => format!("line {number} table name{name} invalid"),
                        Backend::Legacy => format!("unable to initialize table{name}"),
                    };
                    let text = format!("{}: iptables-restore: {what}\n", options.title());
                    return Err(parse_stop(number, &text));
                };
                let table = TableId { backend: options.backend, name: table };
                if table.backend == Backend::Legacy {
                    let load = Change { table, what: What::Load };
                    let _ = console.sys.request(console.sys.netns(), Request::Ruleset(load));
                }
                block = Some(Block::new(table, !options.noflush));
            }
            Some(_) if matches!(line, "COMMIT\n" | "COMMIT") => {
                let Some(current) = block.take() else { continue };
                if let Some(chain) = &current.missing {
                    let text = format!("{}: Chain '{chain}' does not exist\n", options.title());
                    return Err(parse_stop(number, &text));
                }
                if options.only.as_ref().is_none_or(|only| only == current.table.name.as_str()) {
                    commit(console.sys, options, current, number)?;
                }
            }
            Some(current) => {
                for warning in line_of(console.sys, current, options, number, line)? {
                    console.error(&format!("{warning}\n"));
                }
            }
        }
    }
    if block.is_some() {
        return Err(Stop::exit(1, format!("iptables-restore: COMMIT expected at line {}", number + 1)));
    }
    Ok(0)
}

/// A line that can't be read.
fn parse_stop(number: usize, text: &str) -> Stop {
    Stop::text(
        2,
        format!(
            "{text}Error occurred at line: {number}\n\
             Try `iptables-restore -h' or 'iptables-restore --help' for more information.\n"
        ),
    )
}

fn commit(sys: &mut dyn Sys, options: &Options, block: Block, number: usize) -> Result<(), Stop> {
    if options.test {
        return Ok(());
    }
    let Block { table, flush, changes, lines, .. } = block;
    let restore = Arc::new(Restore { table, flush, changes });
    let netns = sys.netns();
    let refused = match sys.request(netns, Request::RulesetRestore(Arc::clone(&restore))) {
        Ok(reply) => reply.refused,
        Err(refusal) => vec![(0, refusal.errno)],
    };
    match (refused.as_slice(), options.backend) {
        ([], _) => Ok(()),
        (_, Backend::Legacy) => Err(Stop::exit(1, format!("iptables-restore: line {number} failed"))),
        (refused, Backend::Nft) => {
            let mut text = format!("{}: \n", options.title());
            for (at, errno) in refused {
                let (Some(what), Some(line)) = (restore.changes.get(*at), lines.get(*at)) else { continue };
                let failure = super::run::kernel_failure(options.backend, what, *errno);
                text.push_str(&format!("line {line}: {failure}\n"));
            }
            Err(Stop::text(4, text))
        }
    }
}

/// A line between `*TABLE` and `COMMIT`. Answers what iptables warns of.
fn line_of(
    sys: &dyn Sys,
    block: &mut Block,
    options: &Options,
    number: usize,
    line: &str,
) -> Result<Vec<String>, Stop> {
    if let Some(line) = line.strip_prefix(':') {
        return chain_line(sys, block, options, number, line).map(|()| Vec::new());
    }
    let said = |text: &str| parse_stop(number, &format!("{}: {text}\n", options.title()));
    let (counters, rule) = match line.strip_prefix('[') {
        None => (None, line),
        Some(rest) => {
            let (counters, rule) =
                rest.split_once(']').ok_or_else(|| said(&format!("Bad line {number}: need ]")))?;
            let counters =
                counters.split_once(':').ok_or_else(|| said(&format!("Bad line {number}: need :")))?;
            (Some(counters).filter(|_| options.counters), rule)
        }
    };
    let mut argv = Vec::new();
    if let Some((packets, bytes)) = counters {
        argv.extend(["--set-counters", packets, bytes].map(str::to_owned));
    }
    words(rule, &mut argv).map_err(said)?;
    let mut command = parse(argv, options.backend, Some(block.table.name)).map_err(|error| match error {
        CommandError::Usage(text) => parse_stop(number, &format!("{}: {text}\n", options.title())),
        CommandError::BadArgument(_) | CommandError::NoTable(_) => parse_stop(number, &format!("{error}\n")),
        CommandError::Hint(text) => parse_stop(number, text),
    })?;
    let warnings = std::mem::take(&mut command.warnings);
    changes_of(sys, block, options, number, command).map(|()| warnings)
}

/// Takes the changes of one command into the block.
fn changes_of(
    sys: &dyn Sys,
    block: &mut Block,
    options: &Options,
    number: usize,
    command: Command,
) -> Result<(), Stop> {
    let failed = |text: &str| Stop::exit(1, format!("iptables-restore: line {number} failed{text}"));
    let legacy = options.backend == Backend::Legacy;
    if let Action::Rules { chain, rules, verb, .. } = &command.action {
        super::run::missing_set(sys, rules)
            .map_err(|failure| parse_stop(number, &format!("{}: {failure}\n", options.title())))?;
        for rule in rules {
            let Then::Chain { name, goto } = &rule.then else { continue };
            match block.knows(sys, name) {
                true if legacy && block.table.name.hook(name).is_some() => return Err(failed("")),
                true => {}
                false if legacy && *goto => return Err(failed("")),
                false if legacy => {
                    let text = Failure::NoLegacyTarget(name.clone()).to_string();
                    return Err(parse_stop(number, &format!("{}: {text}\n", options.title())));
                }
                false => {
                    block.missing.get_or_insert_with(|| name.clone());
                    return Ok(());
                }
            }
        }
        if !block.knows(sys, chain) && *verb != RuleVerb::Check {
            let text = if legacy { "" } else { ": No chain/target/match by that name." };
            return Err(failed(text));
        }
    }
    if let Action::Rules { verb: RuleVerb::Append, chain, rules, counters } = command.action {
        for rule in rules {
            let (chain, rule) = (chain.clone(), Arc::new(rule));
            block.note(sys, number, What::Append { chain, rule, counters });
        }
        return Ok(());
    }
    let changes = super::run::changes(Some(block.draft(sys)), &command);
    let changes = changes.map_err(|failure| match legacy {
        true => failed(""),
        false => failed(&format!(": {failure}.")),
    })?;
    for what in changes {
        block.note(sys, number, what);
    }
    Ok(())
}

/// `:CHAIN POLICY [packets:bytes]`.
fn chain_line(
    sys: &dyn Sys,
    block: &mut Block,
    options: &Options,
    number: usize,
    line: &str,
) -> Result<(), Stop> {
    let mut words = line.split([' ', '\t', '\n']).filter(|word| !word.is_empty());
    let said = |start: &str, what: &str| {
        parse_stop(number, &format!("{}: {start} {number} {what}\n", options.title()))
    };
    let Some(chain) = words.next() else {
        return Err(said("iptables-restore: line", "chain name invalid"));
    };
    if options.backend == Backend::Nft && block.table.name.hook(chain).is_none() {
        check_new_chain(chain)
            .map_err(|error| parse_stop(number, &format!("{}: {error}\n", options.title())))?;
    }
    let Some(policy) = words.next() else {
        return Err(said("iptables-restore: line", "policy invalid"));
    };
    let counters = words.next().and_then(|word| read_counters(word.trim_matches(['[', ']'])));
    let chain = chain.to_owned();
    let built_in = block.table.name.hook(&chain).is_some();
    if options.backend == Backend::Nft && built_in && policy != "-" && options.counters && counters.is_none()
    {
        let text = format!("{}: invalid policy counters for chain '{chain}'\n", options.title());
        return Err(parse_stop(number, &text));
    }
    let cannot = |reason: &str| {
        if options.backend == Backend::Nft {
            return Stop::exit(1, format!("iptables-restore: line {number} failed: {reason}."));
        }
        let title = options.title();
        Stop::text(1, format!("{title}: Can't set policy `{policy}' on `{chain}' line {number}: {reason}\n"))
    };
    let what = match (block.table.name.hook(&chain), policy, Policy::parse(policy)) {
        (Some(_), _, Some(policy)) => What::Policy {
            chain,
            policy,
            counters: counters.filter(|_| options.counters).unwrap_or_default(),
        },
        (Some(_), "-", None) => return Ok(()),
        (Some(_), _, None) => return Err(cannot("Bad policy name")),
        (None, policy, _) if options.backend == Backend::Legacy && policy != "-" => {
            return Err(cannot("Bad built-in chain name"));
        }
        (None, ..) => What::NewChain { chain },
    };
    block.note(sys, number, what);
    Ok(())
}

/// `packets:bytes`.
fn read_counters(text: &str) -> Option<Counters> {
    let (packets, bytes) = text.split_once(':')?;
    Some(Counters { packets: packets.parse().ok()?, bytes: bytes.parse().ok()? })
}

/// Bytes of a line that are read at once. iptables-restore: `char buffer[10240]`, less the final zero.
const BUFFER: usize = 10_239;
/// Bytes of a word. iptables: `struct xt_param_buf`, less the final zero.
const MAX_WORD: usize = 1023;
/// Words of a line besides the program's name and the table. iptables: `MAX_ARGC`.
const MAX_WORDS: usize = 251;

/// What `fgets` reads one after another: lines with their ends, long ones in pieces, each up to its
/// first zero.
fn buffers(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let room = rest.floor_char_boundary(BUFFER);
        let len = rest[..room].find('\n').map_or(room, |end| end + 1);
        let (buffer, after) = rest.split_at(len);
        rest = after;
        (len > 0).then(|| buffer.split_once('\0').map_or(buffer, |(string, _)| string))
    })
}

/// Splits a line into words; double quotes hold words together and end one, a backslash in them
/// takes the next character as it is. iptables `add_param_to_argv`.
fn words(line: &str, words: &mut Vec<String>) -> Result<(), &'static str> {
    let (mut word, mut any) = (String::new(), false);
    let (mut quoted, mut escaped) = (false, false);
    for c in line.chars() {
        let ends = match c {
            _ if escaped => {
                escaped = false;
                false
            }
            '\\' if quoted => {
                escaped = true;
                continue;
            }
            '"' if quoted => {
                quoted = false;
                true
            }
            _ if quoted => false,
            '"' => {
                (quoted, any) = (true, true);
                continue;
            }
            ' ' | '\t' | '\n' if !any && word.is_empty() => continue,
            ' ' | '\t' | '\n' => true,
            _ => false,
        };
        if ends {
            any = false;
            take_word(words, &mut word)?;
        } else if word.len() + c.len_utf8() > MAX_WORD {
            return Err("Parameter too long!");
        } else {
            word.push(c);
        }
    }
    if word.is_empty() { Ok(()) } else { take_word(words, &mut word) }
}

fn take_word(words: &mut Vec<String>, word: &mut String) -> Result<(), &'static str> {
    if words.len() >= MAX_WORDS {
        return Err("Parser cannot handle more arguments");
    }
    words.push(std::mem::take(word));
    Ok(())
}
