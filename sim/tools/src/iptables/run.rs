use kernel::request::Request;
use kernel::{Errno, Netns};
use netfilter::{Change, Counters, Netfilter, Policy, Rule, TableName, Then, What};
use packet::NetnsId;
use world::Sys;

use super::command::{Action, Command, CommandError, RuleVerb, parse};
use super::{list, save};
use crate::console::{Console, Stop};

/// Name and version as messages begin.
pub const VERSION: &str = "v1.8.9 (nf_tables)";

/// `iptables`.
pub fn iptables(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut console = Console::new(sys);
    let outcome = match parse(args.get(1..).unwrap_or_default(), None) {
        Ok(command) => carry_out(&mut console, &command).map(|()| 0),
        Err(error) => Err(refuse(&error)),
    };
    console.finish(outcome)
}

/// A command line that can't be read.
fn refuse(error: &CommandError) -> Stop {
    const TRY: &str = "Try `iptables -h' or 'iptables --help' for more information.\n";
    match error {
        CommandError::Usage(text) => Stop::text(2, format!("iptables {VERSION}: {text}\n{TRY}")),
        CommandError::BadArgument(_) => Stop::text(2, format!("{error}\n{TRY}")),
        CommandError::NoTable(_) => Stop::text(
            3,
            format!("iptables {VERSION}: {error}\nPerhaps iptables or your kernel needs to be upgraded.\n"),
        ),
    }
}

/// Why a command wasn't carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A rule leads to a chain that doesn't exist.
    #[error("Chain '{0}' does not exist")]
    NoTarget(String),
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

impl Failure {
    fn stop(&self) -> Stop {
        match self {
            Self::NoTarget(_) => refuse(&CommandError::Usage(self.to_string())),
            Self::Lookup(_) => Stop::exit(1, format!("iptables: {self}.")),
            Self::Incompatible { .. } => Stop::exit(1, format!("iptables {VERSION}: {self}")),
            Self::Kernel { .. } => Stop::exit(4, format!("iptables {VERSION}:  {self}")),
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
    match &command.action {
        Action::Version => {
            console.line(&format!("iptables {VERSION}"));
            return Ok(());
        }
        Action::Help => {
            console.out(HELP);
            return Ok(());
        }
        Action::List(chain, number) => {
            let text = list::list(netfilter(console.sys, netns), command, chain.as_deref(), *number);
            console.out(&text.map_err(|failure| failure.stop())?);
            if !command.zero {
                return Ok(());
            }
        }
        Action::ListRules(chain, number) => {
            let netfilter = netfilter(console.sys, netns);
            let text = save::rules(netfilter, command.table, chain.as_deref(), *number, command.verbose);
            console.out(&text.map_err(|failure| failure.stop())?);
            if !command.zero {
                return Ok(());
            }
        }
        Action::Policy(_, policy, _) if Policy::parse(policy).is_none() => {
            return Err(Failure::Lookup("Bad policy name. Run `dmesg' for more information").stop());
        }
        _ => {}
    }
    let changes = changes(netfilter(console.sys, netns), command).map_err(|failure| failure.stop())?;
    for what in changes {
        let change = Change { table: command.table, what };
        let sent = console.sys.request(netns, Request::Ruleset(change.clone()));
        sent.map_err(|refusal| kernel_failure(&change.what, refusal.errno).stop())?;
    }
    Ok(())
}

/// What the kernel's refusal of a change is called.
pub fn kernel_failure(what: &What, errno: Errno) -> Failure {
    let (verb, object) = match what {
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
pub fn changes(netfilter: &Netfilter, command: &Command) -> Result<Vec<What>, Failure> {
    let table = netfilter.table(command.table);
    let built_in = |chain: &str| command.table.hook(chain).is_some();
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
                if let Then::Chain { name, .. } = &rule.then
                    && !known(name)
                {
                    return Err(Failure::NoTarget(name.clone()));
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
        Action::NewChain(chain) if found(chain).is_some() => Err(Failure::Lookup("Chain already exists")),
        Action::NewChain(chain) => Ok(vec![What::NewChain { chain: chain.clone() }]),
        Action::DeleteChain(Some(chain)) if built_in(chain) || found(chain).is_none() => Err(NO_CHAIN),
        Action::DeleteChain(None) => Ok(user_chain_deletions(table)),
        Action::DeleteChain(chain) => Ok(vec![What::DeleteChain { chain: chain.clone() }]),
        Action::Rename(_, to) if known(to) => Err(Failure::Lookup("File exists")),
        Action::Rename(chain, _) if found(chain).is_none() => Err(NO_CHAIN),
        Action::Rename(chain, to) => Ok(vec![What::Rename { chain: chain.clone(), to: to.clone() }]),
        Action::Policy(chain, ..) if !built_in(chain) => Err(Failure::Lookup("Bad built-in chain name")),
        Action::Policy(chain, policy, counters) => match Policy::parse(policy) {
            Some(policy) => Ok(vec![What::Policy { chain: chain.clone(), policy, counters: *counters }]),
            None => Err(Failure::Lookup("Bad policy name. Run `dmesg' for more information")),
        },
        Action::Version | Action::Help => Ok(Vec::new()),
    }
}

/// All or the first that can't go, so that the message names it.
fn user_chain_deletions(table: Option<&netfilter::Table>) -> Vec<What> {
    let Some(table) = table else { return Vec::new() };
    let used = table.user_chains().find(|chain| !chain.rules.is_empty() || table.references(&chain.name) > 0);
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
        let (chain, rule) = (chain.to_owned(), Box::new(rule.clone()));
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

/// The beginning of `iptables -h`.
const HELP: &str = "iptables v1.8.9 (nf_tables)

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
