use std::fmt;

use packet::Skb;

use crate::{EvalCx, Match, Memory, Selector, Target, names};

/// A rule: what it asks and what it does. Immutable once installed; counters stand beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Conditions without an extension.
    pub selector: Selector,
    /// Matches, in the order asked.
    pub matches: Vec<Match>,
    /// What happens to a packet that fits.
    pub then: Then,
}

/// What a rule does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// Counts.
    #[default]
    Nothing,
    /// Goes to a user chain.
    Chain {
        /// Its name.
        name: String,
        /// `-g`: doesn't come back to this chain.
        goto: bool,
    },
    /// A target.
    Target(Target),
}

impl Rule {
    /// Whether a rule needs connection tracking in its namespace.
    pub fn needs_conntrack(&self) -> bool {
        self.matches.iter().any(Match::needs_conntrack)
            || matches!(&self.then, Then::Target(target) if target.needs_conntrack())
    }

    /// The sets that it uses, each as often as it does.
    pub fn sets(&self) -> impl Iterator<Item = &str> {
        let matched = self.matches.iter().filter_map(|m| match m {
            Match::SetMatch(m) => Some(m.name.as_str()),
            _ => None,
        });
        let target = match &self.then {
            Then::Target(Target::SetTarget(target)) => Some(target.sets()),
            Then::Nothing | Then::Chain { .. } | Then::Target(_) => None,
        };
        matched.chain(target.into_iter().flatten())
    }

    /// The conditions that a packet fails, each with what is known of the packet. `memory` is what
    /// the matches remember, one for each; it doesn't change.
    pub(crate) fn failures(&self, cx: &mut EvalCx<'_>, memory: &[Memory], skb: &Skb) -> Vec<String> {
        let mut failed = self.selector.failures(cx, skb);
        for (at, m) in self.matches.iter().enumerate() {
            cx.memory = memory.get(at).copied().unwrap_or_default();
            if !m.matches(cx, skb) {
                failed.push(format!("{m} (packet: {})", of_packet(m, cx, skb)).trim_start().to_owned());
            }
        }
        failed
    }

    /// Number of conditions.
    pub(crate) fn conditions(&self) -> usize {
        self.selector.conditions() + self.matches.len()
    }

    /// The name in the target column of `iptables -L`.
    pub fn target_name(&self) -> &str {
        match &self.then {
            Then::Nothing => "",
            Then::Chain { name, .. } => name,
            Then::Target(target) => target.listed_name(),
        }
    }
}

/// The packet's side of a failed match.
fn of_packet(m: &Match, cx: &EvalCx<'_>, skb: &Skb) -> String {
    let packet = skb.ip();
    match m {
        Match::ConntrackMatch(_) | Match::State(_) => format!("ctstate {}", cx.conntrack.state_of(skb)),
        Match::Mark(_) => format!("mark {:#x}", skb.mark),
        Match::Length(_) => format!("length {}", packet.len()),
        Match::SetMatch(_) => {
            let (src, dst) = (packet.src(), packet.dst());
            match crate::transport::ports(packet) {
                Some((sport, dport)) => format!("{src}:{sport} to {dst}:{dport}"),
                None => format!("{src} to {dst}"),
            }
        }
        Match::Ttl(_) => format!("ttl {}", packet.ttl),
        _ => match crate::transport::ports(packet) {
            Some((src, dst)) => format!("sport {src} dport {dst}"),
            None => names::protocol(packet.proto()).unwrap_or("other").to_owned(),
        },
    }
}

/// The rule as `iptables -S` prints it after the chain's name, with a space before each part.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.selector.fmt(f)?;
        for m in &self.matches {
            m.fmt(f)?;
        }
        match &self.then {
            Then::Nothing => Ok(()),
            Then::Chain { name, goto: false } => write!(f, " -j {name}"),
            Then::Chain { name, goto: true } => write!(f, " -g {name}"),
            Then::Target(target) => target.fmt(f),
        }
    }
}

/// What an extension prints in `iptables -L` after the addresses.
pub struct Listed<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// `-n`.
    pub numeric: bool,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Then::Chain { goto: true, .. } = self.rule.then {
            f.write_str("[goto] ")?;
        }
        for m in &self.rule.matches {
            m.list(f, self.numeric)?;
        }
        match &self.rule.then {
            Then::Target(target) => target.list(f, self.numeric),
            Then::Nothing | Then::Chain { .. } => Ok(()),
        }
    }
}
