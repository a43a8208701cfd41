use kernel::request::Request;
use netfilter::{Counters, Netfilter, Policy, Refused, Restore, Table, TableName, Then, What};
use world::{Args, Fd, Next, OpenMode, Program, ReadResult, Sys, Wait};

use super::command::{Action, Command, CommandError, RuleVerb, parse};
use super::run::{VERSION, netfilter};
use crate::console::{Console, Stop};

/// `iptables-restore`: reads all of its input, then makes the changes table by table.
#[derive(Clone, Debug)]
pub struct IptablesRestore {
    args: Args,
    input: Vec<u8>,
}

/// What the options ask for.
#[derive(Clone, Debug, Default)]
struct Options {
    noflush: bool,
    counters: bool,
    test: bool,
    verbose: bool,
    only: Option<TableName>,
    file: Option<String>,
}

impl IptablesRestore {
    /// A run with these arguments.
    pub fn new(args: Args) -> Self {
        Self { args, input: Vec::new() }
    }
}

impl Program for IptablesRestore {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let options = match options(self.args.get(1..).unwrap_or_default()) {
            Ok(options) => options,
            Err(stop) => return Next::Exit(Console::new(sys).finish(Err(stop))),
        };
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
        let text = String::from_utf8_lossy(&self.input).into_owned();
        let mut console = Console::new(sys);
        let outcome = restore(&mut console, &options, &text);
        Next::Exit(console.finish(outcome))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn options(words: &[String]) -> Result<Options, Stop> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-c" | "--counters" => options.counters = true,
            "-n" | "--noflush" => options.noflush = true,
            "-t" | "--test" => options.test = true,
            "-v" | "--verbose" => options.verbose = true,
            "-w" | "--wait" | "-4" => {}
            "-T" | "--table" => {
                let name = words.next().map_or("", String::as_str);
                match TableName::parse(name) {
                    Some(table) => options.only = Some(table),
                    None => return Err(Stop::exit(1, format!("Table `{name}' does not exist"))),
                }
            }
            word if word.starts_with('-') => {
                return Err(Stop::text(1, "Try `iptables-restore -h' for more information.\n".to_owned()));
            }
            file => options.file = Some(file.to_owned()),
        }
    }
    Ok(options)
}

/// A table's changes while its lines are read, with the line of each.
struct Block {
    table: TableName,
    /// The table as it will be, for the look-ups that iptables does itself.
    draft: Netfilter,
    flush: bool,
    changes: Vec<(usize, What)>,
    /// A rule that leads to a chain nobody has made. iptables finds out at COMMIT.
    missing: Option<String>,
}

fn restore(console: &mut Console<'_>, options: &Options, text: &str) -> Result<i32, Stop> {
    let mut block: Option<Block> = None;
    let mut number = 0;
    for line in text.lines() {
        number += 1;
        let line = line.trim_start();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            if options.verbose {
                console.line(line);
            }
            continue;
        }
        match &mut block {
            None => {
                let Some(name) = line.strip_prefix('*') else {
                    return Err(Stop::exit(1, format!("iptables-restore: line {number} failed")));
                };
                let name = name.trim();
                let Some(table) = TableName::parse(name) else {
                    let text = format!("iptables-restore {VERSION}: unable to initialize table '{name}'\n");
                    return Err(parse_stop(number, &text));
                };
                block = Some(Block {
                    table,
                    draft: draft(console.sys, table, options.noflush),
                    flush: !options.noflush,
                    changes: Vec::new(),
                    missing: None,
                });
            }
            Some(current) if line.trim_end() == "COMMIT" => {
                if let Some(chain) = &current.missing {
                    let text = format!("iptables-restore {VERSION}: Chain '{chain}' does not exist\n");
                    return Err(parse_stop(number, &text));
                }
                if options.only.is_none_or(|only| only == current.table) {
                    commit(console.sys, options, current)?;
                }
                block = None;
            }
            Some(current) => line_of(current, options, number, line)?,
        }
    }
    if block.is_some() {
        return Err(Stop::exit(1, format!("iptables-restore: COMMIT expected at line {}", number + 1)));
    }
    Ok(0)
}

/// The table before the first line of its block.
fn draft(sys: &dyn Sys, table: TableName, noflush: bool) -> Netfilter {
    let netns = sys.netns();
    let mut draft = netfilter(sys, netns).clone();
    if !noflush {
        let _ = draft.restore(&Restore { table, flush: true, changes: Vec::new() });
    }
    draft
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

fn commit(sys: &mut dyn Sys, options: &Options, block: &Block) -> Result<(), Stop> {
    if options.test {
        return Ok(());
    }
    let changes = block.changes.iter().map(|(_, what)| what.clone()).collect();
    let restore = Restore { table: block.table, flush: block.flush, changes };
    let netns = sys.netns();
    let Err(refusal) = sys.request(netns, Request::RulesetRestore(restore.clone())) else { return Ok(()) };
    // Which change it was is found out on a copy.
    let failed = netfilter(sys, netns).clone().restore(&restore).err().map_or(0, |(at, _)| at);
    let failure = restore.changes.get(failed).map(|what| super::run::kernel_failure(what, refusal.errno));
    let line = block.changes.get(failed).map_or(0, |(line, _)| *line);
    let text = failure.map_or(String::new(), |failure| failure.to_string());
    Err(Stop::text(4, format!("iptables-restore {VERSION}: \nline {line}: {text}\n")))
}

/// A line between `*TABLE` and `COMMIT`.
fn line_of(block: &mut Block, options: &Options, number: usize, line: &str) -> Result<(), Stop> {
    if let Some(line) = line.strip_prefix(':') {
        return chain_line(block, options, number, line);
    }
    let (counters, rule) = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((counters, rule)) => (read_counters(counters), rule),
        None => (None, line),
    };
    let counters = counters.filter(|_| options.counters).unwrap_or_default();
    let words =
        words(rule).map_err(|text| parse_stop(number, &format!("iptables-restore {VERSION}: {text}\n")))?;
    let mut command = parse(&words, Some(block.table)).map_err(|error| match error {
        CommandError::Usage(text) => parse_stop(number, &format!("iptables-restore {VERSION}: {text}\n")),
        CommandError::BadArgument(_) | CommandError::NoTable(_) => parse_stop(number, &format!("{error}\n")),
    })?;
    if let Action::Rules { counters: given, .. } = &mut command.action
        && counters != Counters::default()
    {
        *given = counters;
    }
    changes_of(block, number, &command)
}

/// Takes the changes of one command into the block.
fn changes_of(block: &mut Block, number: usize, command: &Command) -> Result<(), Stop> {
    let table = block.draft.table(block.table);
    let known = |chain: &str| {
        block.table.hook(chain).is_some() || table.is_some_and(|table: &Table| table.chain(chain).is_some())
    };
    if let Action::Rules { chain, rules, verb, .. } = &command.action {
        for rule in rules {
            if let Then::Chain { name, .. } = &rule.then
                && !known(name)
            {
                block.missing.get_or_insert_with(|| name.clone());
                return Ok(());
            }
        }
        if !known(chain) && *verb != RuleVerb::Check {
            let text = format!("iptables-restore: line {number} failed: No chain/target/match by that name.");
            return Err(Stop::exit(1, text));
        }
    }
    let changes = super::run::changes(&block.draft, command)
        .map_err(|failure| Stop::exit(1, format!("iptables-restore: line {number} failed: {failure}.")))?;
    for what in changes {
        note(block, number, what);
    }
    Ok(())
}

/// Takes a change into the block and its draft. A refusal is the kernel's to report, at COMMIT.
fn note(block: &mut Block, number: usize, what: What) {
    let restore = Restore { table: block.table, flush: false, changes: vec![what.clone()] };
    let _: Result<(), (usize, Refused)> = block.draft.restore(&restore);
    block.changes.push((number, what));
}

/// `:CHAIN POLICY [packets:bytes]`.
fn chain_line(block: &mut Block, options: &Options, number: usize, line: &str) -> Result<(), Stop> {
    let mut words = line.split_whitespace();
    let Some(chain) = words.next() else {
        return Err(parse_stop(
            number,
            &format!("iptables-restore {VERSION}: line {number} chain name invalid\n"),
        ));
    };
    let Some(policy) = words.next() else {
        return Err(parse_stop(
            number,
            &format!("iptables-restore {VERSION}: line {number} policy invalid\n"),
        ));
    };
    let counters = words.next().and_then(|word| read_counters(word.trim_matches(['[', ']'])));
    let chain = chain.to_owned();
    let what = match (block.table.hook(&chain), policy, Policy::parse(policy)) {
        (Some(_), _, Some(policy)) => What::Policy {
            chain,
            policy,
            counters: counters.filter(|_| options.counters).unwrap_or_default(),
        },
        (Some(_), "-", None) => return Ok(()),
        (Some(_), _, None) => {
            let text = format!(
                "iptables-restore {VERSION}: Can't set policy `{policy}' on `{chain}' line {number}: Bad policy name\n"
            );
            return Err(Stop::text(2, text));
        }
        (None, ..) => What::NewChain { chain },
    };
    note(block, number, what);
    Ok(())
}

/// `packets:bytes`.
fn read_counters(text: &str) -> Option<Counters> {
    let (packets, bytes) = text.split_once(':')?;
    Some(Counters { packets: packets.parse().ok()?, bytes: bytes.parse().ok()? })
}

/// Takes a line apart as iptables does: blanks separate, double quotes hold together, a backslash
/// in quotes protects. iptables `add_param_to_argv`.
fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut any) = (Vec::new(), String::new(), false);
    let (mut quoted, mut escaped) = (false, false);
    for c in line.chars() {
        if escaped {
            word.push(c);
            escaped = false;
        } else if quoted {
            match c {
                '\\' => escaped = true,
                '"' => quoted = false,
                c => word.push(c),
            }
        } else if c == '"' {
            (quoted, any) = (true, true);
        } else if c.is_whitespace() {
            if any || !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            any = false;
        } else {
            word.push(c);
        }
    }
    if quoted {
        return Err("Missing quote".to_owned());
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}
