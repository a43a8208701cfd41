use netfilter::args::{ArgError, number};
use netfilter::{Backend, Counters, Rule, RuleOption, RuleParser, TableId, TableName, Target};

/// A command line of `iptables`, or a line of `iptables-restore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// `-t`.
    pub table: TableId,
    /// What is asked for.
    pub action: Action,
    /// `-v`.
    pub verbose: bool,
    /// `-n`.
    pub numeric: bool,
    /// `-x`.
    pub exact: bool,
    /// `--line-numbers`.
    pub line_numbers: bool,
    /// `-Z` beside `-L` or `-S`.
    pub zero: bool,
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `-A`, `-I`, `-R`, `-D`, `-C` with rules.
    Rules {
        /// Which of them.
        verb: RuleVerb,
        /// The chain.
        chain: String,
        /// The rules; several for `-s A,B`.
        rules: Vec<Rule>,
        /// `-c`.
        counters: Counters,
    },
    /// `-D CHAIN NUMBER`.
    DeleteNumber(String, usize),
    /// `-L`.
    List(Option<String>, Option<usize>),
    /// `-S`.
    ListRules(Option<String>, Option<usize>),
    /// `-F`.
    Flush(Option<String>),
    /// `-Z`.
    Zero(Option<String>, Option<usize>),
    /// `-N`.
    NewChain(String),
    /// `-X`.
    DeleteChain(Option<String>),
    /// `-E`.
    Rename(String, String),
    /// `-P`.
    Policy(String, String, Counters),
    /// `-V`.
    Version,
    /// `-h`.
    Help,
}

/// What happens with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleVerb {
    /// `-A`.
    Append,
    /// `-I` with the number.
    Insert(usize),
    /// `-R` with the number.
    Replace(usize),
    /// `-D`.
    Delete,
    /// `-C`.
    Check,
}

/// Why a command line can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// A sentence, after the program's name and version.
    #[error("{0}")]
    Usage(String),
    /// A word where none belongs.
    #[error("Bad argument `{0}'")]
    BadArgument(String),
    /// `-t` names no table.
    #[error("table '{0}' does not exist")]
    NoTable(String),
}

impl From<ArgError> for CommandError {
    fn from(error: ArgError) -> Self {
        Self::Usage(error.to_string())
    }
}

fn usage<T>(text: impl Into<String>) -> Result<T, CommandError> {
    Err(CommandError::Usage(text.into()))
}

/// Long options and the letters they stand for; `0` is `--line-numbers`.
const LONG: &[(&str, char)] = &[
    ("append", 'A'),
    ("delete", 'D'),
    ("check", 'C'),
    ("insert", 'I'),
    ("replace", 'R'),
    ("list", 'L'),
    ("list-rules", 'S'),
    ("flush", 'F'),
    ("zero", 'Z'),
    ("new-chain", 'N'),
    ("delete-chain", 'X'),
    ("rename-chain", 'E'),
    ("policy", 'P'),
    ("source", 's'),
    ("destination", 'd'),
    ("src", 's'),
    ("dst", 'd'),
    ("protocol", 'p'),
    ("in-interface", 'i'),
    ("jump", 'j'),
    ("table", 't'),
    ("match", 'm'),
    ("numeric", 'n'),
    ("out-interface", 'o'),
    ("verbose", 'v'),
    ("wait", 'w'),
    ("wait-interval", 'W'),
    ("exact", 'x'),
    ("fragments", 'f'),
    ("version", 'V'),
    ("help", 'h'),
    ("line-numbers", '0'),
    ("modprobe", 'M'),
    ("set-counters", 'c'),
    ("goto", 'g'),
    ("ipv4", '4'),
    ("ipv6", '6'),
];
/// Letters whose option has a value.
const WITH_VALUE: &str = "ADCIRNEPsdpijtmoMcgW";
/// Letters of commands.
const COMMANDS: &str = "ADCIRLSFZNXEP";

/// Reads a command line without the program's name. `table` is the one of an
/// `iptables-restore` block.
pub fn parse(
    words: Vec<String>,
    backend: Backend,
    table: Option<TableName>,
) -> Result<Command, CommandError> {
    Parser {
        words: words.into(),
        rule: RuleParser::default(),
        verb: None,
        table: TableId { backend, name: table.unwrap_or(TableName::Filter) },
        in_restore: table.is_some(),
        verbose: false,
        numeric: false,
        exact: false,
        line_numbers: false,
        zero: false,
        used: Vec::new(),
    }
    .run()
}

/// The command letter, its chain and what followed.
#[derive(Clone, Debug)]
struct Verb {
    letter: char,
    chain: Option<String>,
    number: Option<usize>,
    second: Option<String>,
}

struct Parser {
    words: std::collections::VecDeque<String>,
    rule: RuleParser,
    verb: Option<Verb>,
    table: TableId,
    in_restore: bool,
    verbose: bool,
    numeric: bool,
    exact: bool,
    line_numbers: bool,
    zero: bool,
    /// Letters of the options given, for the check of what goes together.
    used: Vec<char>,
}

impl Parser {
    fn run(mut self) -> Result<Command, CommandError> {
        let mut invert = false;
        while let Some(word) = self.words.pop_front() {
            if word == "!" {
                if invert {
                    return usage("multiple consecutive ! not allowed");
                }
                invert = true;
                if self.words.is_empty() {
                    return usage("nothing appropriate following !");
                }
                continue;
            }
            if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                self.long(name, value, std::mem::take(&mut invert))?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                self.short(letters, std::mem::take(&mut invert))?;
            } else {
                return Err(CommandError::BadArgument(word));
            }
            if matches!(self.verb, Some(Verb { letter: 'V' | 'h', .. })) {
                break;
            }
        }
        self.finish()
    }

    fn long(&mut self, name: &str, value: Option<String>, invert: bool) -> Result<(), CommandError> {
        let exact = LONG.iter().find(|(long, _)| *long == name);
        if exact.is_none() {
            let words = &mut self.words;
            let mut value = value.clone();
            if self.rule.extension_option(name, invert, &mut || value.take().or_else(|| words.pop_front()))? {
                return Ok(());
            }
        }
        let mut fits = LONG.iter().filter(|(long, _)| long.starts_with(name));
        let letter = match (exact, fits.next(), fits.next()) {
            (Some((_, letter)), ..) | (None, Some((_, letter)), None) => *letter,
            _ => return usage(format!("unknown option \"--{name}\"")),
        };
        let value = match value {
            Some(value) => Some(value),
            None if WITH_VALUE.contains(letter) => match self.words.pop_front() {
                Some(value) => Some(value),
                None => return usage(format!("option \"--{name}\" requires an argument")),
            },
            None => None,
        };
        self.option(letter, value, invert)
    }

    fn short(&mut self, letters: &str, invert: bool) -> Result<(), CommandError> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let known = letter != '0' && LONG.iter().any(|(_, known)| *known == letter);
            if !known {
                return usage(format!("unknown option \"-{letter}\""));
            }
            if WITH_VALUE.contains(letter) {
                let value = match rest.as_str() {
                    "" => self.words.pop_front(),
                    attached => Some(attached.to_owned()),
                };
                return match value {
                    Some(value) => self.option(letter, Some(value), invert),
                    None => usage(format!("option \"-{letter}\" requires an argument")),
                };
            }
            self.option(letter, None, invert)?;
        }
        Ok(())
    }

    /// The next word if it is no option.
    fn optional(&mut self) -> Option<String> {
        self.words.pop_front_if(|word| !word.starts_with('-') && word != "!")
    }

    fn option(&mut self, letter: char, value: Option<String>, invert: bool) -> Result<(), CommandError> {
        let text = value.unwrap_or_default();
        if COMMANDS.contains(letter) {
            return self.command(letter, text, invert);
        }
        if invert && !"pfsdiom".contains(letter) {
            return usage(format!("unexpected ! flag before -{letter}"));
        }
        if !matches!(letter, 't' | 'w' | 'W' | 'M' | '4' | '6' | 'v' | 'V' | 'h') {
            self.used.push(letter);
        }
        match letter {
            'p' => self.rule.option(RuleOption::Protocol, invert, &text)?,
            's' => self.rule.option(RuleOption::Source, invert, &text)?,
            'd' => self.rule.option(RuleOption::Destination, invert, &text)?,
            'i' => self.rule.option(RuleOption::InInterface, invert, &text)?,
            'o' => self.rule.option(RuleOption::OutInterface, invert, &text)?,
            'm' => self.rule.option(RuleOption::Match, invert, &text)?,
            'j' => self.rule.option(RuleOption::Jump, invert, &text)?,
            'g' => self.rule.option(RuleOption::Goto, invert, &text)?,
            'f' => self.rule.fragment(invert),
            'v' => self.verbose = true,
            'n' => self.numeric = true,
            'x' => self.exact = true,
            '0' => self.line_numbers = true,
            't' if self.in_restore => {
                return usage("The -t option cannot be used in iptables-restore.\n");
            }
            't' => self.table.name = TableName::parse(&text).ok_or(CommandError::NoTable(text))?,
            'w' => {
                self.words.pop_front_if(|word| word.parse::<u32>().is_ok());
            }
            'c' => {
                let (packets, bytes) = match text.split_once(',') {
                    Some((packets, bytes)) => (packets.to_owned(), Some(bytes.to_owned())),
                    None => (text, self.optional()),
                };
                let Some(bytes) = bytes else {
                    return usage("-c requires packet and byte counter");
                };
                let (Some(packets), Some(bytes)) = (number(&packets), number(&bytes)) else {
                    return usage("-c packet counter not numeric");
                };
                self.rule.set_counters(Counters { packets, bytes });
            }
            'V' | 'h' => self.verb = Some(Verb { letter, chain: None, number: None, second: None }),
            _ => {}
        }
        Ok(())
    }

    fn command(&mut self, letter: char, text: String, invert: bool) -> Result<(), CommandError> {
        if invert {
            return usage(format!("unexpected '!' flag before --{}", long_name(letter)));
        }
        if letter == 'Z' && matches!(self.verb, Some(Verb { letter: 'L' | 'S', .. })) {
            self.zero = true;
            return Ok(());
        }
        match &mut self.verb {
            Some(verb @ Verb { letter: 'Z', .. }) if matches!(letter, 'L' | 'S') => {
                verb.letter = letter;
                self.zero = true;
                return Ok(());
            }
            Some(verb) => return usage(format!("Cannot use -{} with -{}", letter, verb.letter)),
            None => {}
        }
        let mut verb = Verb { letter, chain: Some(text), number: None, second: None };
        match letter {
            'L' | 'S' | 'Z' => {
                verb.chain = self.optional();
                if verb.chain.is_some()
                    && let Some(text) = self.optional()
                {
                    verb.number = Some(rule_number(&text)?);
                }
            }
            'F' | 'X' => verb.chain = self.optional(),
            'I' | 'D' => {
                if let Some(text) = self.optional() {
                    verb.number = Some(rule_number(&text)?);
                }
            }
            'R' => match self.optional() {
                Some(text) => verb.number = Some(rule_number(&text)?),
                None => return usage("-R requires a rule number"),
            },
            'E' => match self.optional() {
                Some(text) => verb.second = Some(text),
                None => return usage("-E requires old-chain-name and new-chain-name"),
            },
            'P' => match self.optional() {
                Some(text) => verb.second = Some(text),
                None => return usage("-P requires a chain and a policy"),
            },
            _ => {}
        }
        if let Some(chain) = &verb.chain {
            check_chain_name(chain)?;
        }
        if let (Some(name), 'E') = (&verb.second, letter) {
            check_chain_name(name)?;
        }
        let new = if letter == 'N' { verb.chain.as_ref() } else { None };
        if new
            .or(verb.second.as_ref().filter(|_| letter == 'E'))
            .is_some_and(|name| Target::options(name).is_some())
        {
            return usage("chain name may not clash with target name");
        }
        self.verb = Some(verb);
        Ok(())
    }

    fn finish(self) -> Result<Command, CommandError> {
        let Self { rule, verb, table, verbose, numeric, exact, line_numbers, zero, used, .. } = self;
        let Some(Verb { letter, chain, number, second }) = verb else { return usage("no command specified") };
        let allowed = match letter {
            'L' => "nx0",
            'A' | 'I' | 'R' | 'D' | 'C' => "psdiomjgfc",
            'P' | 'S' => "c",
            'V' | 'h' => "psdiomjgfcnx0",
            _ => "",
        };
        if let Some(letter) = used.iter().find(|letter| !allowed.contains(**letter)) {
            let name = if *letter == '0' { "--line-numbers".to_owned() } else { format!("-{letter}") };
            return usage(format!("Illegal option `{name}' with this command"));
        }
        let name = chain.clone().unwrap_or_default();
        let counters = rule.counters().unwrap_or_default();
        let rules = |verb: RuleVerb| -> Result<Action, CommandError> {
            let (input, output) = rule.has_devices();
            if matches!(name.as_str(), "PREROUTING" | "INPUT") && output {
                return usage(format!("Can't use -o with {name}\n"));
            }
            if matches!(name.as_str(), "POSTROUTING" | "OUTPUT") && input {
                return usage(format!("Can't use -i with {name}\n"));
            }
            let rules = rule.clone().finish()?;
            let rules = match table.backend {
                Backend::Nft => rules.into_iter().map(Rule::for_nf_tables).collect(),
                Backend::Legacy => rules,
            };
            Ok(Action::Rules { verb, chain: name.clone(), rules, counters })
        };
        let action = match (letter, number) {
            ('A', _) => rules(RuleVerb::Append)?,
            ('I', number) => rules(RuleVerb::Insert(number.unwrap_or(1)))?,
            ('R', number) => rules(RuleVerb::Replace(number.unwrap_or(1)))?,
            ('D', Some(number)) => Action::DeleteNumber(name, number),
            ('D', None) => rules(RuleVerb::Delete)?,
            ('C', _) => rules(RuleVerb::Check)?,
            ('L', number) => Action::List(chain, number),
            ('S', number) => Action::ListRules(chain, number),
            ('F', _) => Action::Flush(chain),
            ('Z', number) => Action::Zero(chain, number),
            ('N', _) => Action::NewChain(name),
            ('X', _) => Action::DeleteChain(chain),
            ('E', _) => Action::Rename(name, second.unwrap_or_default()),
            ('P', _) => Action::Policy(name, second.unwrap_or_default(), counters),
            ('V', _) => Action::Version,
            _ => Action::Help,
        };
        Ok(Command { table, action, verbose, numeric, exact, line_numbers, zero })
    }
}

fn long_name(letter: char) -> &'static str {
    LONG.iter().find(|(_, known)| *known == letter).map_or("", |(long, _)| long)
}

fn rule_number(text: &str) -> Result<usize, CommandError> {
    match number(text).and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0) {
        Some(number) => Ok(number),
        None => usage(format!("Invalid rule number `{text}'")),
    }
}

/// iptables `parse_chain`.
fn check_chain_name(name: &str) -> Result<(), CommandError> {
    if name.len() >= 29 {
        return usage(format!("chain name `{name}' too long (must be under 29 chars)"));
    }
    if let Some(first) = name.chars().next().filter(|first| matches!(first, '-' | '!')) {
        return usage(format!("chain name not allowed to start with `{first}'"));
    }
    if name.contains(char::is_whitespace) {
        return usage(format!("Invalid chain name `{name}'"));
    }
    Ok(())
}
