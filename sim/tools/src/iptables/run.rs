use kernel::request::Request;
use kernel::{Errno, Netns};
use std::sync::Arc;

use netfilter::{
    Backend, Chain, Change, Counters, Netfilter, Policy, Rule, Table, TableId, TableName, Then, What,
};
use packet::NetnsId;
use world::Sys;

use super::command::{Action, Command, CommandError, RuleVerb, parse};
use super::{list, save};
use crate::console::{Console, Output, Stop};

/// Version as messages name it.
pub const fn version(backend: Backend) -> &'static str {
    match backend {
        Backend::Nft => "v1.8.9 (nf_tables)",
        Backend::Legacy => "v1.8.9 (legacy)",
    }
}

/// `iptables`.
pub fn iptables(sys: &mut dyn Sys, args: &[String]) -> i32 {
    run(sys, args, Backend::Nft)
}

/// `iptables-legacy`.
pub fn iptables_legacy(sys: &mut dyn Sys, args: &[String]) -> i32 {
    run(sys, args, Backend::Legacy)
}

/// `iptables` as a program runs it: `words` without the command's name.
pub fn call(sys: &mut dyn Sys, words: &[String]) -> Output {
    let mut console = Console::keeping(sys);
    let outcome = run_words(&mut console, words, Backend::Nft);
    console.finish_keeping(outcome)
}

fn run(sys: &mut dyn Sys, args: &[String], backend: Backend) -> i32 {
    let mut console = Console::new(sys);
    let outcome = run_words(&mut console, args.get(1..).unwrap_or_default(), backend);
    console.finish(outcome)
}

fn run_words(console: &mut Console<'_>, words: &[String], backend: Backend) -> Result<i32, Stop> {
    match parse(words.to_vec(), backend, None) {
        Ok(command) => carry_out(console, &command).map(|()| 0),
        Err(error) => Err(refuse(backend, &error)),
    }
}

/// A command line that can't be read.
fn refuse(backend: Backend, error: &CommandError) -> Stop {
    const TRY: &str = "Try `iptables -h' or 'iptables --help' for more information.\n";
    match error {
        CommandError::Usage(text) => Stop::text(2, format!("iptables {}: {text}\n{TRY}", version(backend))),
        CommandError::BadArgument(_) => Stop::text(2, format!("{error}\n{TRY}")),
        CommandError::Hint(text) => Stop::text(2, format!("{text}{TRY}")),
        CommandError::NoTable(name) => {
            let error = match backend {
                Backend::Nft => error.to_string(),
                Backend::Legacy => no_legacy_table(name),
            };
            let hint = "Perhaps iptables or your kernel needs to be upgraded.";
            Stop::text(3, format!("iptables {}: {error}\n{hint}\n", version(backend)))
        }
    }
}

fn no_legacy_table(name: &str) -> String {
    format!("can't initialize iptables table `{name}': Table does not exist (do you need to insmod?)")
}

/// Why a command wasn't carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A rule leads to a chain that doesn't exist.
    #[error("Chain '{0}' does not exist")]
    NoTarget(String),
    /// The same for iptables-legacy, which then looks for an extension.
    #[error("Couldn't load target `{0}':No such file or directory\n")]
    NoLegacyTarget(String),
    /// A rule uses a set that doesn't exist.
    #[error("Set {0} doesn't exist.\n")]
    NoSet(String),
    /// What iptables looked up and didn't find.
    #[error("{0}")]
    Lookup(&'static str),
    /// A listing of a chain that doesn't exist.
    #[error("chain `{chain}' in table `{table}' is incompatible, use 'nft' tool.")]
    Incompatible {
        /// The chain.
        chain: String,
        /// The table.
        table: TableName,
    },
    /// libiptc refused, or the kernel when it got the whole table.
    #[error("{0}")]
    Legacy(Errno),
    /// The kernel refused.
    #[error("{verb} failed ({errno}): {object}")]
    Kernel {
        /// `RULE_APPEND` and kin.
        verb: &'static str,
        /// Why.
        errno: Errno,
        /// What was asked for.
        object: String,
    },
}

const NO_CHAIN: Failure = Failure::Lookup("No chain/target/match by that name");
const BAD_RULE: Failure = Failure::Lookup("Bad rule (does a matching rule exist in that chain?)");

/// Kernel: EINVAL, for which iptables-legacy points to the log.
const SEE_LOG: &str = ". Run `dmesg' for more information";

impl Failure {
    fn stop(&self, backend: Backend) -> Stop {
        let version = version(backend);
        match self {
            Self::NoTarget(_) | Self::NoLegacyTarget(_) | Self::NoSet(_) => {
                refuse(backend, &CommandError::Usage(self.to_string()))
            }
            Self::Lookup(_) => Stop::exit(1, format!("iptables: {self}.")),
            Self::Incompatible { .. } if backend == Backend::Legacy => NO_CHAIN.stop(backend),
            Self::Incompatible { .. } => Stop::exit(1, format!("iptables {version}: {self}")),
            Self::Kernel { .. } => Stop::exit(4, format!("iptables {version}:  {self}")),
            Self::Legacy(errno) => {
                let log = if *errno == Errno::Inval { SEE_LOG } else { "" };
                Stop::exit(1, format!("iptables: {self}{log}."))
            }
        }
    }
}

/// Netfilter of a namespace, to read.
pub fn netfilter(sys: &dyn Sys, netns: NetnsId) -> &Netfilter {
    let netns: &Netns = sys.kernel().ns(netns);
    &netns.netfilter
}

fn carry_out(console: &mut Console<'_>, command: &Command) -> Result<(), Stop> {
    let netns = console.sys.netns();
    let backend = command.table.backend;
    if backend == Backend::Legacy {
        let load = Change { table: command.table, what: What::Load };
        let _ = console.sys.request(netns, Request::Ruleset(load));
    }
    for warning in &command.warnings {
        console.error(&format!("{warning}\n"));
    }
    match &command.action {
        Action::Version => {
            console.line(&format!("iptables {}", version(backend)));
            return Ok(());
        }
        Action::Help => {
            console.out(&format!("iptables {}\n{HELP}", version(backend)));
            return Ok(());
        }
        Action::List(chain, number) => {
            warn_of_legacy(console, command);
            let text = list::list(netfilter(console.sys, netns), command, chain.as_deref(), *number);
            console.out(&text.map_err(|failure| failure.stop(backend))?);
            if !command.zero {
                return Ok(());
            }
        }
        Action::ListRules(chain, number) => {
            warn_of_legacy(console, command);
            let netfilter = netfilter(console.sys, netns);
            let text = save::rules(netfilter, command.table, chain.as_deref(), *number, command.verbose);
            console.out(&text.map_err(|failure| failure.stop(backend))?);
            if !command.zero {
                return Ok(());
            }
        }
        Action::Policy(_, policy, _) if Policy::parse(policy).is_none() => {
            let failure = Failure::Lookup("Bad policy name. Run `dmesg' for more information");
            return Err(failure.stop(backend));
        }
        _ => {}
    }
    if let Action::Rules { rules, .. } = &command.action {
        missing_set(console.sys, rules).map_err(|failure| failure.stop(backend))?;
    }
    let changes = changes(netfilter(console.sys, netns).table(command.table), command)
        .map_err(|failure| failure.stop(backend))?;
    if let Action::Rules { rules, .. } = &command.action
        && command.verbose
    {
        for rule in rules {
            console.out(&list::told(rule));
        }
    }
    for what in changes {
        let change = Change { table: command.table, what };
        let sent = console.sys.request(netns, Request::Ruleset(change.clone()));
        sent.map_err(|refusal| kernel_failure(backend, &change.what, refusal.errno).stop(backend))?;
    }
    Ok(())
}

/// Says on standard error that iptables-legacy has tables, which this listing doesn't show.
fn warn_of_legacy(console: &mut Console<'_>, command: &Command) {
    let netns = console.sys.netns();
    if command.table.backend == Backend::Nft && !netfilter(console.sys, netns).legacy_tables().is_empty() {
        console.error("# Warning: iptables-legacy tables present, use iptables-legacy to see them\n");
    }
}

/// What the kernel's refusal of a change is called.
pub fn kernel_failure(backend: Backend, what: &What, errno: Errno) -> Failure {
    if backend == Backend::Legacy {
        return Failure::Legacy(errno);
    }
    let (verb, object) = match what {
        What::Load => ("TABLE_ADD", String::new()),
        What::Append { chain, .. } => ("RULE_APPEND", format!("rule in chain {chain}")),
        What::Insert { chain, .. } => ("RULE_INSERT", format!("rule in chain {chain}")),
        What::Replace { chain, .. } => ("RULE_REPLACE", format!("rule in chain {chain}")),
        What::Delete { chain, .. } | What::DeleteNumber { chain, .. } => {
            ("RULE_DELETE", format!("rule in chain {chain}"))
        }
        What::Flush { chain } => ("RULE_FLUSH", format!("chain {}", chain.clone().unwrap_or_default())),
        What::Zero { chain, .. } => ("CHAIN_ZERO", format!("chain {}", chain.clone().unwrap_or_default())),
        What::NewChain { chain } => ("CHAIN_USER_ADD", format!("chain {chain}")),
        What::DeleteChain { chain } => ("CHAIN_DEL", format!("chain {}", chain.clone().unwrap_or_default())),
        What::Rename { chain, .. } => ("CHAIN_RENAME", format!("chain {chain}")),
        What::Policy { chain, .. } => ("CHAIN_UPDATE", format!("chain {chain}")),
    };
    Failure::Kernel { verb, errno, object }
}

/// The changes that a command makes, after the look-ups that iptables does itself.
pub fn changes(table: Option<&Table>, command: &Command) -> Result<Vec<What>, Failure> {
    let TableId { backend, name: table_name } = command.table;
    let legacy = backend == Backend::Legacy;
    let built_in = |chain: &str| table_name.hook(chain).is_some();
    let found = |chain: &str| table.and_then(|table| table.chain(chain));
    let known = |chain: &str| built_in(chain) || found(chain).is_some();
    let len = |chain: &str| found(chain).map_or(0, |chain| chain.rules.len());
    let need = |chain: &Option<String>| match chain {
        Some(chain) if !known(chain) => Err(NO_CHAIN),
        _ => Ok(()),
    };
    match &command.action {
        Action::Rules { verb, chain, rules, counters } => {
            for rule in rules {
                let Then::Chain { name, goto } = &rule.then else { continue };
                match known(name) {
                    true if legacy && built_in(name) => return Err(Failure::Legacy(Errno::Inval)),
                    true => {}
                    false if legacy && *goto => return Err(NO_CHAIN),
                    false if legacy => return Err(Failure::NoLegacyTarget(name.clone())),
                    false => return Err(Failure::NoTarget(name.clone())),
                }
            }
            let listed = !matches!(verb, RuleVerb::Delete | RuleVerb::Check);
            if listed && !known(chain) {
                return Err(NO_CHAIN);
            }
            rule_changes(*verb, chain, rules, *counters, len(chain), |rule| {
                found(chain).is_some_and(|chain| chain.position(rule).is_some())
            })
        }
        Action::DeleteNumber(chain, _) if !known(chain) => Err(NO_CHAIN),
        Action::DeleteNumber(chain, number) if *number > len(chain) => {
            Err(Failure::Lookup("Index of deletion too big"))
        }
        Action::DeleteNumber(chain, number) => {
            Ok(vec![What::DeleteNumber { chain: chain.clone(), number: *number }])
        }
        Action::Flush(chain) => need(chain).map(|()| vec![What::Flush { chain: chain.clone() }]),
        Action::Zero(chain, Some(number)) if *number > chain.as_deref().map_or(0, len) => {
            need(chain).map(|()| Vec::new())
        }
        Action::Zero(chain, number) => {
            need(chain).map(|()| vec![What::Zero { chain: chain.clone(), number: *number }])
        }
        Action::List(chain, _) | Action::ListRules(chain, _) => {
            Ok(vec![What::Zero { chain: chain.clone(), number: None }])
        }
        Action::NewChain(chain) if known(chain) => Err(Failure::Lookup("Chain already exists")),
        Action::NewChain(chain) => Ok(vec![What::NewChain { chain: chain.clone() }]),
        Action::DeleteChain(Some(chain)) if legacy && built_in(chain) => Err(Failure::Legacy(Errno::Inval)),
        Action::DeleteChain(chain)
            if legacy
                && let Some(failure) = table
                    .into_iter()
                    .flat_map(Table::user_chains)
                    .filter(|found| chain.as_ref().is_none_or(|chain| found.name == *chain))
                    .find_map(legacy_in_use) =>
        {
            Err(failure)
        }
        Action::DeleteChain(Some(chain)) if built_in(chain) || found(chain).is_none() => Err(NO_CHAIN),
        Action::DeleteChain(None) => Ok(user_chain_deletions(table)),
        Action::DeleteChain(chain) => Ok(vec![What::DeleteChain { chain: chain.clone() }]),
        Action::Rename(_, to) if known(to) => Err(Failure::Lookup("File exists")),
        Action::Rename(chain, _) if built_in(chain) && legacy || found(chain).is_none() => Err(NO_CHAIN),
        Action::Rename(chain, to) => Ok(vec![What::Rename { chain: chain.clone(), to: to.clone() }]),
        Action::Policy(chain, ..) if !built_in(chain) => Err(Failure::Lookup("Bad built-in chain name")),
        Action::Policy(chain, policy, counters) => match Policy::parse(policy) {
            Some(policy) => Ok(vec![What::Policy { chain: chain.clone(), policy, counters: *counters }]),
            None => Err(Failure::Lookup("Bad policy name. Run `dmesg' for more information")),
        },
        Action::Version | Action::Help => Ok(Vec::new()),
    }
}

/// Why libiptc doesn't delete a user chain.
fn legacy_in_use(chain: &Chain) -> Option<Failure> {
    match chain {
        Chain { references: 1.., .. } => Some(Failure::Lookup("Too many links")),
        chain if !chain.rules.is_empty() => Some(Failure::Lookup("Directory not empty")),
        _ => None,
    }
}

/// Whether all sets of the rules exist. iptables `get_set_byname`.
pub fn missing_set(sys: &dyn Sys, rules: &[Rule]) -> Result<(), Failure> {
    let sets = netfilter(sys, sys.netns()).sets();
    let known = |name: &str| sets.is_some_and(|sets| sets.kind(name).is_some());
    match rules.iter().flat_map(Rule::sets).find(|name| !known(name)) {
        Some(name) => Err(Failure::NoSet(name.to_owned())),
        None => Ok(()),
    }
}

/// All or the first that can't go, so that the message names it.
fn user_chain_deletions(table: Option<&Table>) -> Vec<What> {
    let Some(table) = table else { return Vec::new() };
    let used = table.user_chains().find(|chain| !chain.rules.is_empty() || chain.references > 0);
    vec![What::DeleteChain { chain: used.map(|chain| chain.name.clone()) }]
}

fn rule_changes(
    verb: RuleVerb,
    chain: &str,
    rules: &[Rule],
    counters: Counters,
    len: usize,
    exists: impl Fn(&Rule) -> bool,
) -> Result<Vec<What>, Failure> {
    let mut changes = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let (chain, rule) = (chain.to_owned(), Arc::new(rule.clone()));
        match verb {
            RuleVerb::Append => changes.push(What::Append { chain, rule, counters }),
            RuleVerb::Insert(number) if number > len + 1 => {
                return Err(Failure::Lookup("Index of insertion too big"));
            }
            RuleVerb::Insert(number) => {
                changes.push(What::Insert { chain, number: number + at, rule, counters })
            }
            RuleVerb::Replace(number) if number > len => {
                return Err(Failure::Lookup("Index of replacement too big"));
            }
            RuleVerb::Replace(number) => changes.push(What::Replace { chain, number, rule, counters }),
            RuleVerb::Delete | RuleVerb::Check if !exists(&rule) => return Err(BAD_RULE),
            RuleVerb::Delete => changes.push(What::Delete { chain, rule }),
            RuleVerb::Check => {}
        }
    }
    Ok(changes)
}

/// The beginning of `iptables -h`, after the version.
const HELP: &str = "
Usage: iptables -[ACD] chain rule-specification [options]
       iptables -I chain [rulenum] rule-specification [options]
       iptables -R chain rulenum rule-specification [options]
       iptables -D chain rulenum [options]
       iptables -[LS] [chain [rulenum]] [options]
       iptables -[FZ] [chain] [options]
       iptables -[NX] chain
       iptables -E old-chain-name new-chain-name
       iptables -P chain target [options]
       iptables -h (print this help information)
";
