use netfilter::TableName;
use packet::DevId;
use trace::Decision;
use world::World;

use crate::error::{Problem, nearest};
use crate::lab::{Spot, locate};

/// Which rule is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RuleName {
    /// `filter FORWARD #2`; of iptables-legacy with `legacy` in front.
    Number(Chain, u32),
    /// `filter FORWARD policy`.
    Policy(Chain),
    /// A piece of its text, e.g. `-p icmp -j DROP`.
    Text(String),
}

/// A chain of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// As a trace prints it: `filter`, `legacy filter`.
    pub table: String,
    /// Its name.
    pub name: String,
}

impl RuleName {
    /// Reads a rule's name. A text whose last word is `policy` or `#N` names a place; any other is a
    /// piece of a rule.
    ///
    /// # Errors
    /// A table that isn't one, a built-in chain that the table lacks, a number that isn't one.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (legacy, words) = match words.split_first() {
            Some((&"legacy", rest)) => ("legacy ", rest),
            _ => ("", &words[..]),
        };
        let expected = "a rule: `filter FORWARD #2`, `filter FORWARD policy`, or a piece of its text";
        let invalid = || Problem::Invalid { value: text.to_owned(), expected };
        let [table, chain, last] = words else {
            return match words {
                [] => Err(invalid()),
                [.., last] if *last == "policy" || last.starts_with('#') => Err(invalid()),
                _ => Ok(Self::Text(text.to_owned())),
            };
        };
        if *last != "policy" && !last.starts_with('#') {
            return Ok(Self::Text(text.to_owned()));
        }
        let Some(name) = TableName::parse(table) else {
            return Err(Problem::Unknown {
                kind: "table",
                name: (*table).to_owned(),
                hint: nearest(table, TableName::ALL.iter().map(|t| t.as_str())),
            });
        };
        let built_in = trace::HookName::ALL.iter().any(|hook| hook.as_str() == *chain);
        if name.hook(chain).is_none() && (built_in || *last == "policy") {
            let own: Vec<&str> = name.hooks().iter().map(|hook| hook.as_str()).collect();
            return Err(Problem::Conflict {
                message: match built_in {
                    true => format!("the table `{table}` has no chain `{chain}`"),
                    false => format!("`{chain}` is no chain with a policy of the table `{table}`"),
                },
                hint: Some(format!("it has {}", own.join(", "))),
            });
        }
        let chain = Chain { table: format!("{legacy}{table}"), name: (*chain).to_owned() };
        match last.strip_prefix('#') {
            None => Ok(Self::Policy(chain)),
            Some(number) => match number.parse() {
                Ok(0) | Err(_) => Err(invalid()),
                Ok(number) => Ok(Self::Number(chain, number)),
            },
        }
    }

    /// Whether this is what decided.
    pub fn is(&self, decision: &Decision) -> bool {
        match (self, decision) {
            (Self::Number(chain, wanted), Decision::Rule { table, chains, number, .. }) => {
                chain.table == *table && chains.last() == Some(&chain.name) && wanted == number
            }
            (Self::Policy(wanted), Decision::Policy { table, chain, .. }) => {
                wanted.table == *table && wanted.name == *chain
            }
            (Self::Text(piece), Decision::Rule { text, .. }) => text.contains(piece.as_str()),
            (Self::Text(piece), Decision::Fabric { barrier, .. }) => barrier.contains(piece.as_str()),
            _ => false,
        }
    }
}

/// `filter FORWARD #2` or `filter FORWARD policy`.
pub(super) fn place_of(decision: &Decision) -> String {
    match decision {
        Decision::Rule { table, chains, number, .. } => {
            format!("{table} {} #{number}", chains.last().map_or("", String::as_str))
        }
        Decision::Policy { table, chain, .. } => format!("{table} {chain} policy"),
        Decision::Fabric { segment, barrier } => format!("the segment {segment}, which bars `{barrier}`"),
    }
}

/// Finds the place of `host device` or `host/namespace device`, and the device there.
///
/// # Errors
/// A name that nothing has, with the nearest that exists.
pub(super) fn locate_device(world: &World, text: &str) -> Result<(Spot, DevId), Problem> {
    let (on, device) = split_device(text)?;
    let spot = locate(world, on)?;
    let kernel = world.host(spot.host);
    if let Some(id) = kernel.dev_by_name(spot.netns, device) {
        return Ok((spot, id));
    }
    let known = kernel.devices.iter().flatten().filter(|dev| dev.netns == spot.netns);
    let hint = nearest(device, known.map(|dev| dev.name.as_str()));
    Err(Problem::Unknown { kind: "device", name: device.to_owned(), hint })
}

/// The two words of `host device`.
pub(super) fn split_device(text: &str) -> Result<(&str, &str), Problem> {
    text.split_once(' ')
        .filter(|(on, device)| !on.is_empty() && !device.is_empty() && !device.contains(' '))
        .ok_or_else(|| Problem::Invalid {
            value: text.to_owned(),
            expected: "a device as `host device` or `host/namespace device`",
        })
}
