use std::fmt;
use std::sync::Arc;

use trace::HookName;

use crate::{Backend, Counters, Policy, Rule, TableId, TableName};

/// A change of a ruleset; prints as the command for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub table: TableId,
    /// What changes.
    pub what: What,
}

/// What changes in a table. Rule numbers count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Nothing but the table itself: iptables-legacy's built-in chains exist as soon as a command
    /// looks at the table. Kernel: `xt_find_table_lock`.
    Load,
    /// `-A`.
    Append {
        /// The chain.
        chain: String,
        /// The rule.
        rule: Arc<Rule>,
        /// `-c`.
        counters: Counters,
    },
    /// `-I`.
    Insert {
        /// The chain.
        chain: String,
        /// The new rule's number.
        number: usize,
        /// The rule.
        rule: Arc<Rule>,
        /// `-c`.
        counters: Counters,
    },
    /// `-R`.
    Replace {
        /// The chain.
        chain: String,
        /// Which.
        number: usize,
        /// The rule.
        rule: Arc<Rule>,
        /// `-c`.
        counters: Counters,
    },
    /// `-D` by specification: the first that equals it.
    Delete {
        /// The chain.
        chain: String,
        /// The rule.
        rule: Arc<Rule>,
    },
    /// `-D` by number.
    DeleteNumber {
        /// The chain.
        chain: String,
        /// Which.
        number: usize,
    },
    /// `-F`: the rules of a chain, or of all.
    Flush {
        /// The chain.
        chain: Option<String>,
    },
    /// `-Z`: the counters of a rule, a chain, or all.
    Zero {
        /// The chain.
        chain: Option<String>,
        /// The rule.
        number: Option<usize>,
    },
    /// `-N`.
    NewChain {
        /// Its name.
        chain: String,
    },
    /// `-X`: a user chain, or all.
    DeleteChain {
        /// Its name.
        chain: Option<String>,
    },
    /// `-E`.
    Rename {
        /// The old name.
        chain: String,
        /// The new one.
        to: String,
    },
    /// `-P`.
    Policy {
        /// A built-in chain.
        chain: String,
        /// The policy.
        policy: Policy,
        /// Counters to begin with.
        counters: Counters,
    },
}

/// Changes of one table, all or none, as `iptables-restore` makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// The table.
    pub table: TableId,
    /// Empty the table first; not with `--noflush`.
    pub flush: bool,
    /// In order.
    pub changes: Vec<What>,
}

/// Why the kernel refuses a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// EINVAL: a match or target isn't allowed there.
    #[error("Invalid argument")]
    Invalid,
    /// EOPNOTSUPP: a jump leads to a built-in chain.
    #[error("Operation not supported")]
    Unsupported,
    /// ENOENT: no such chain or rule.
    #[error("No such file or directory")]
    NotFound,
    /// EEXIST: there is such a chain.
    #[error("File exists")]
    Exists,
    /// EBUSY: the chain is used.
    #[error("Device or resource busy")]
    Busy,
    /// ERANGE: a rate can't be kept.
    #[error("Numerical result out of range")]
    OutOfRange,
    /// EMLINK: packets could jump more than 15 times, in a circle perhaps.
    #[error("Too many links")]
    TooDeep,
    /// ELOOP: chains of iptables-legacy would call each other in a circle.
    #[error("Too many levels of symbolic links")]
    Loop,
}

/// Where a rule is going to stand, for what checks it.
#[derive(Clone, Copy, Debug)]
pub struct RuleSite<'a> {
    /// The table.
    pub table: TableName,
    /// The hooks from which a packet can come to it.
    pub hooks: &'a [HookName],
    /// It stands in a built-in chain: what the kernel looks at only when a rule is made
    /// (`checkentry`) knows no hooks in other chains, except in tables of iptables-legacy.
    pub in_built_in: bool,
    /// The rule.
    pub rule: &'a Rule,
}

/// The options of the `iptables` command after `-t TABLE`.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |f: &mut fmt::Formatter<'_>, counters: &Counters| match *counters {
            Counters { packets: 0, bytes: 0 } => Ok(()),
            Counters { packets, bytes } => write!(f, " -c {packets} {bytes}"),
        };
        match self {
            Self::Load => f.write_str("-S"),
            Self::Append { chain, rule, counters } => {
                write!(f, "-A {chain}{rule}")?;
                counted(f, counters)
            }
            Self::Insert { chain, number, rule, counters } => {
                write!(f, "-I {chain}")?;
                if *number != 1 {
                    write!(f, " {number}")?;
                }
                write!(f, "{rule}")?;
                counted(f, counters)
            }
            Self::Replace { chain, number, rule, counters } => {
                write!(f, "-R {chain} {number}{rule}")?;
                counted(f, counters)
            }
            Self::Delete { chain, rule } => write!(f, "-D {chain}{rule}"),
            Self::DeleteNumber { chain, number } => write!(f, "-D {chain} {number}"),
            Self::Flush { chain } => write!(f, "-F{}", named(chain)),
            Self::Zero { chain, number } => {
                write!(f, "-Z{}", named(chain))?;
                number.map_or(Ok(()), |number| write!(f, " {number}"))
            }
            Self::NewChain { chain } => write!(f, "-N {chain}"),
            Self::DeleteChain { chain } => write!(f, "-X{}", named(chain)),
            Self::Rename { chain, to } => write!(f, "-E {chain} {to}"),
            Self::Policy { chain, policy, counters } => {
                write!(f, "-P {chain} {}", policy.as_str())?;
                counted(f, counters)
            }
        }
    }
}

const fn command(table: TableId) -> &'static str {
    match table.backend {
        Backend::Nft => "iptables",
        Backend::Legacy => "iptables-legacy",
    }
}

fn named(chain: &Option<String>) -> String {
    chain.as_ref().map_or(String::new(), |chain| format!(" {chain}"))
}

/// The `iptables` command.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", command(self.table))?;
        if self.table.name != TableName::Filter {
            write!(f, "-t {} ", self.table.name)?;
        }
        self.what.fmt(f)
    }
}

/// `iptables-restore` with its input.
impl fmt::Display for Restore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noflush = if self.flush { "" } else { " --noflush" };
        writeln!(f, "{}-restore{noflush} <<EOF\n*{}", command(self.table), self.table.name)?;
        for what in &self.changes {
            match what {
                What::Policy { chain, policy, counters } => {
                    writeln!(f, ":{chain} {} {counters}", policy.as_str())?
                }
                What::NewChain { chain } => writeln!(f, ":{chain} - [0:0]")?,
                What::Append { chain, rule, counters } if *counters != Counters::default() => {
                    writeln!(f, "{counters} -A {chain}{rule}")?;
                }
                other => writeln!(f, "{other}")?,
            }
        }
        f.write_str("COMMIT\nEOF")
    }
}
