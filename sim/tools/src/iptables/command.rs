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
    /// What is said on standard error before it is carried out.
    pub warnings: Vec<String>,
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
    /// A sentence without the program's name, or none.
    #[error("{0}")]
    Hint(&'static str),
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
/// Letters whose option may have a value, in the same word or the next.
const WITH_OPTIONAL: &str = "LSFZXwh";
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
        warnings: Vec::new(),
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
    warnings: Vec<String>,
}

impl Parser {
    fn run(mut self) -> Result<Command, CommandError> {
        match self.read() {
            Ok(()) => self.finish(),
            // iptables reads an option's value as soon as it comes by.
            Err(error) => Err(self.rule.bad_value().map_or(error, CommandError::from)),
        }
    }

    fn read(&mut self) -> Result<(), CommandError> {
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
            if word == "--" {
                if !self.words.is_empty() {
                    return usage("unknown arguments found on commandline");
                }
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                self.long(&word, name, value, std::mem::take(&mut invert))?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                self.short(&word, letters, std::mem::take(&mut invert))?;
            } else {
                return Err(CommandError::BadArgument(word));
            }
            if matches!(self.verb, Some(Verb { letter: 'V' | 'h', .. })) {
                break;
            }
        }
        Ok(())
    }

    /// An option with two dashes: `word` as it was typed, its name and what followed `=`.
    fn long(
        &mut self,
        word: &str,
        name: &str,
        value: Option<String>,
        invert: bool,
    ) -> Result<(), CommandError> {
        let exact = LONG.iter().find(|(long, _)| *long == name);
        if exact.is_none() {
            if value.is_some() && self.rule.is_flag(name) {
                return usage(format!("unknown option \"{word}\""));
            }
            let words = &mut self.words;
            let mut value = value.clone();
            if self.rule.extension_option(name, invert, &mut || value.take().or_else(|| words.pop_front()))? {
                return Ok(());
            }
        }
        let mut fits = LONG.iter().filter(|(long, _)| long.starts_with(name));
        let letter = match (exact, fits.next(), fits.next()) {
            (Some((_, letter)), ..) | (None, Some((_, letter)), None) => *letter,
            _ => return usage(format!("unknown option \"{word}\"")),
        };
        if value.is_some() && !WITH_VALUE.contains(letter) && !WITH_OPTIONAL.contains(letter) {
            return usage(format!("unknown option \"{word}\""));
        }
        let value = match value {
            // iptables takes the word itself rather than what getopt cut out of it.
            Some(_) if matches!(letter, 'p' | 'j') => Some(word.to_owned()),
            Some(value) => Some(value),
            None if WITH_VALUE.contains(letter) => match self.words.pop_front() {
                Some(value) => Some(value),
                None => return usage(format!("option \"--{name}\" requires an argument")),
            },
            None => None,
        };
        self.option(letter, value, invert)
    }

    /// A word of options with one dash.
    fn short(&mut self, word: &str, letters: &str, invert: bool) -> Result<(), CommandError> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let known = letter != '0' && LONG.iter().any(|(_, known)| *known == letter);
            if !known {
                return usage(format!("unknown option \"-{letter}\""));
            }
            if WITH_VALUE.contains(letter) {
                let value = match rest.as_str() {
                    "" => self.words.pop_front(),
                    // See `long`.
                    _ if matches!(letter, 'p' | 'j') => Some(word.to_owned()),
                    attached => Some(attached.to_owned()),
                };
                return match value {
                    Some(value) => self.option(letter, Some(value), invert),
                    None => usage(format!("option \"-{letter}\" requires an argument")),
                };
            }
            if WITH_OPTIONAL.contains(letter) && !rest.as_str().is_empty() {
                return self.option(letter, Some(rest.as_str().to_owned()), invert);
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
        if let Some(value) = &value
            && WITH_OPTIONAL.contains(letter)
        {
            self.words.push_front(value.clone());
        }
        let text = value.unwrap_or_default();
        if COMMANDS.contains(letter) {
            return self.command(letter, text, invert);
        }
        if "nx0c".contains(letter) {
            if self.used.contains(&letter) {
                return usage(format!("multiple -{letter} flags not allowed"));
            }
            if invert {
                return usage(format!("cannot have ! before -{letter}"));
            }
        }
        if invert && !"pfsdiomjg".contains(letter) {
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
            'f' => self.rule.fragment(invert)?,
            'v' => self.verbose = true,
            'n' => self.numeric = true,
            'x' => self.exact = true,
            '0' => self.line_numbers = true,
            't' if self.in_restore => {
                return usage("The -t option cannot be used in iptables-restore.\n");
            }
            't' => self.table.name = TableName::parse(&text).ok_or(CommandError::NoTable(text))?,
            'w' => {
                if let Some(seconds) = self.optional()
                    && scanned(&seconds).is_none()
                {
                    return usage("wait seconds not numeric");
                }
            }
            'W' => self.warnings.push("Ignoring deprecated --wait-interval option.".to_owned()),
            '6' => return Err(CommandError::Hint("")),
            'c' => {
                let (packets, bytes) = match text.split_once(',') {
                    Some((packets, bytes)) => (packets.to_owned(), Some(bytes.to_owned())),
                    None => (text, self.optional()),
                };
                let Some(bytes) = bytes else {
                    return usage("-c requires packet and byte counter");
                };
                let Some(packets) = scanned(&packets) else {
                    return usage("-c packet counter not numeric");
                };
                let Some(bytes) = scanned(&bytes) else {
                    return usage("-c byte counter not numeric");
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
        match letter {
            'N' => check_new_chain(verb.chain.as_deref().unwrap_or_default())?,
            'E' => check_new_chain(verb.second.as_deref().unwrap_or_default())?,
            _ => {}
        }
        self.verb = Some(verb);
        Ok(())
    }

    fn finish(self) -> Result<Command, CommandError> {
        let Self {
            mut rule,
            verb,
            table,
            verbose,
            numeric,
            exact,
            line_numbers,
            zero,
            used,
            mut warnings,
            ..
        } = self;
        let Some(Verb { letter, chain, number, second }) = verb else { return usage("no command specified") };
        let allowed = match letter {
            'L' => "nx0",
            'A' | 'I' | 'R' | 'D' | 'C' => "psdiomjgfc",
            'P' | 'S' => "c",
            'V' | 'h' => "psdiomjgfcnx0",
            _ => "",
        };
        if let Some(letter) = used.iter().find(|letter| !allowed.contains(**letter)) {
            return usage(format!("Illegal option `-{letter}' with this command"));
        }
        let name = chain.clone().unwrap_or_default();
        let counters = rule.counters().unwrap_or_default();
        let drops = rule.drops() || (letter == 'P' && second.as_deref() == Some("DROP"));
        if table.name == TableName::Nat && drops {
            return usage(NO_DROP_IN_NAT);
        }
        let mut rules = |verb: RuleVerb| -> Result<Action, CommandError> {
            let (input, output) = rule.has_devices();
            if matches!(name.as_str(), "PREROUTING" | "INPUT") && output {
                return usage(format!("Can't use -o with {name}\n"));
            }
            if matches!(name.as_str(), "POSTROUTING" | "OUTPUT") && input {
                return usage(format!("Can't use -i with {name}\n"));
            }
            let (mut rules, mut warned) = std::mem::take(&mut rule).finish()?;
            warnings.append(&mut warned);
            if matches!(verb, RuleVerb::Replace(_)) && rules.len() != 1 {
                return usage("Replacement rule does not specify a unique address");
            }
            if table.backend == Backend::Nft {
                rules = rules.into_iter().map(Rule::for_nf_tables).collect();
            }
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
        Ok(Command { table, action, verbose, numeric, exact, line_numbers, zero, warnings })
    }
}

/// Why nothing may be dropped in the table `nat`.
const NO_DROP_IN_NAT: &str =
    "\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n";

/// A number as `sscanf("%llu")` reads it from the beginning of `text`.
fn scanned(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let (minus, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let len = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number = digits[..len].parse::<u64>().ok()?;
    Some(if minus { number.wrapping_neg() } else { number })
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

/// Whether a chain of one's own may have that name.
pub fn check_new_chain(name: &str) -> Result<(), CommandError> {
    check_chain_name(name)?;
    if name.is_empty() || Target::options(name).is_some() {
        return usage("chain name may not clash with target name");
    }
    Ok(())
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
