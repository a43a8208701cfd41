//! Judging the tables of a kernel: only by what a person could see, by typing the commands on a
//! copy of the world.

use indexmap::IndexSet;
use trace::{Decision, StepKind};
use world::World;

use super::Verdict;
use super::place::{Chain, RuleName};
use crate::error::{Problem, nearest};
use crate::lab::{Spot, locate, type_command};
use crate::ran::Ran;

/// What a command prints, typed on a copy of the world. Standard output only.
fn ask(world: &World, spot: &Spot, command: &str) -> Result<String, Problem> {
    let mut copy = world.clone();
    Ok(type_command(&mut copy, spot, command, &mut trace::Off)?.stdout)
}

/// A rule or policy with its counters.
struct Counted {
    chain: Chain,
    /// From 1; `None` for the policy.
    number: Option<u32>,
    text: String,
    packets: u64,
    bytes: u64,
}

impl Counted {
    fn is(&self, name: &RuleName) -> bool {
        match name {
            RuleName::Number(chain, number) => self.chain == *chain && self.number == Some(*number),
            RuleName::Policy(chain) => self.chain == *chain && self.number.is_none(),
            RuleName::Text(piece) => self.number.is_some() && self.text.contains(piece.as_str()),
        }
    }
}

/// Every rule and policy of a namespace, of both backends.
fn counters(world: &World, spot: &Spot) -> Result<Vec<Counted>, Problem> {
    let mut all = Vec::new();
    for (command, prefix) in [("iptables-save -c", ""), ("iptables-legacy-save -c", "legacy ")] {
        let listing = ask(world, spot, command)?;
        let mut table = String::new();
        for line in listing.lines() {
            if let Some(name) = line.strip_prefix('*') {
                table = format!("{prefix}{name}");
            } else if let Some(counted) = policy(&table, line).or_else(|| rule(&table, line, &all)) {
                all.push(counted);
            }
        }
    }
    Ok(all)
}

/// `:FORWARD DROP [3:252]`. A chain of one's own has none, but a name.
fn policy(table: &str, line: &str) -> Option<Counted> {
    let mut words = line.strip_prefix(':')?.split(' ');
    let name = words.next()?.to_owned();
    let text = words.next()?.to_owned();
    let (packets, bytes) = pair(words.next()?)?;
    let chain = Chain { table: table.to_owned(), name };
    Some(Counted { chain, number: None, text, packets, bytes })
}

/// `[3:252] -A FORWARD -j ACCEPT`, which comes after the rules `before`.
fn rule(table: &str, line: &str, before: &[Counted]) -> Option<Counted> {
    let (counts, text) = line.split_once(' ')?;
    let (packets, bytes) = pair(counts)?;
    let name = text.strip_prefix("-A ")?.split(' ').next()?.to_owned();
    let chain = Chain { table: table.to_owned(), name };
    let last = before.iter().rev().find(|counted| counted.chain == chain)?;
    let number = Some(last.number.unwrap_or(0) + 1);
    Some(Counted { chain, number, text: text.to_owned(), packets, bytes })
}

/// `[3:252]`.
fn pair(text: &str) -> Option<(u64, u64)> {
    let (packets, bytes) = text.strip_prefix('[')?.strip_suffix(']')?.split_once(':')?;
    Some((packets.parse().ok()?, bytes.parse().ok()?))
}

/// Why `all`, the rules of `on`, has no such rule.
fn no_rule(all: &[Counted], name: &RuleName, on: &str) -> Problem {
    let (RuleName::Number(chain, _) | RuleName::Policy(chain)) = name else {
        let RuleName::Text(piece) = name else { return Problem::Missing("a rule") };
        return Problem::Conflict { message: format!("no rule of {on} holds `{piece}`"), hint: None };
    };
    let (table, wanted) = (&chain.table, &chain.name);
    let heads = || all.iter().filter(|head| head.number.is_none() && head.chain.table == *table);
    if heads().any(|head| head.chain == *chain) {
        let rules = all.iter().filter(|rule| rule.number.is_some() && rule.chain == *chain).count();
        let message = format!("{on} has no such rule: `{table} {wanted}` has {rules} of them");
        return Problem::Conflict { message, hint: None };
    }
    let hint = nearest(wanted, heads().map(|head| head.chain.name.as_str()));
    let message = match heads().next() {
        Some(_) => format!("the table `{table}` of {on} has no chain `{wanted}`"),
        None => format!("{on} doesn't use the table `{table}` yet"),
    };
    Problem::Conflict { message, hint: hint.map(|name| format!("did you mean `{name}`?")) }
}

/// A packet met the rule: a step says so, or, as jumps leave no step, its counter moved.
pub(super) fn rule_hit(ran: &Ran, on: &str, written: &str) -> Result<Verdict, Problem> {
    let spot = locate(&ran.world, on)?;
    let name = RuleName::parse(written)?;
    let mut met: Vec<&Decision> = Vec::new();
    for step in ran.steps.iter().filter(|step| (step.place.host, step.place.netns) == (spot.host, spot.netns))
    {
        if let StepKind::Chain { decided_by: decision, .. } | StepKind::Rule { decision, .. } = &step.kind
            && !met.contains(&decision)
        {
            met.push(decision);
        }
    }
    if met.iter().any(|decision| name.is(decision)) {
        return Ok(Verdict::Held);
    }
    let now = counters(&ran.world, &spot)?;
    if !now.iter().any(|counted| counted.is(&name)) {
        return Err(no_rule(&now, &name, on));
    }
    let before = match locate(&ran.before, on) {
        Ok(spot) => counters(&ran.before, &spot)?,
        Err(_) => Vec::new(),
    };
    let moved = now.iter().filter(|counted| counted.is(&name)).any(|after| {
        let earlier = before
            .iter()
            .find(|b| (&b.chain, b.number, &b.text) == (&after.chain, after.number, &after.text));
        after.packets > earlier.map_or(0, |earlier| earlier.packets)
    });
    Ok(Verdict::of(moved, || match met[..] {
        [] => format!("the packets met no rule on {on}"),
        _ => {
            let places: IndexSet<String> =
                met.iter().map(|decision| super::place::place_of(decision)).collect();
            let places: Vec<String> = places.into_iter().collect();
            format!("on {on} the packets met {}", places.join(", "))
        }
    }))
}

/// The rule's counters are these.
pub(super) fn counter(
    ran: &Ran,
    on: &str,
    written: &str,
    packets: Option<u64>,
    bytes: Option<u64>,
) -> Result<Verdict, Problem> {
    let spot = locate(&ran.world, on)?;
    let name = RuleName::parse(written)?;
    let all = counters(&ran.world, &spot)?;
    let found: Vec<&Counted> = all.iter().filter(|counted| counted.is(&name)).collect();
    let one = match found[..] {
        [one] => one,
        [] => return Err(no_rule(&all, &name, on)),
        _ => {
            let places: Vec<String> = found
                .iter()
                .map(|rule| {
                    format!("`{} {} #{}`", rule.chain.table, rule.chain.name, rule.number.unwrap_or(0))
                })
                .collect();
            return Err(Problem::Conflict {
                message: format!("{} rules of {on} hold `{written}`", found.len()),
                hint: Some(format!("name one by its place: {}", places.join(", "))),
            });
        }
    };
    let equal =
        packets.is_none_or(|packets| packets == one.packets) && bytes.is_none_or(|bytes| bytes == one.bytes);
    Ok(Verdict::of(equal, || format!("it counted {} packets, {} bytes", one.packets, one.bytes)))
}

/// A line of `conntrack -L` holds the words of `entry`, a word that is there twice twice.
pub(super) fn conntrack(ran: &Ran, on: &str, entry: &str) -> Result<Verdict, Problem> {
    let listing = ask(&ran.world, &locate(&ran.world, on)?, "conntrack -L")?;
    let holds = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        entry.split_whitespace().all(|wanted| {
            words.iter().position(|word| *word == wanted).map(|at| words.swap_remove(at)).is_some()
        })
    };
    Ok(Verdict::of(listing.lines().any(holds), || match listing.trim_end() {
        "" => format!("{on} tracks no connection"),
        lines => format!("{on} tracks:\n{lines}"),
    }))
}
