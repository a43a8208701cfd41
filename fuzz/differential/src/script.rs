//! A network and its cases as one script of the shell.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::dice::Dice;
use crate::probes::Probe;
use crate::rules::RuleSet;
use crate::topology::Topology;

/// Rule sets that share one network.
pub const BATCH: u32 = 25;

/// A rule set and the traffic that meets it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The rules.
    pub rules: RuleSet,
    /// The traffic, in order.
    pub probes: Vec<Probe>,
}

impl Case {
    /// Case `number` of a seed, in the network of its batch.
    pub fn random(seed: u64, number: u32, topology: &Topology) -> Self {
        let mut dice = Dice::new(&[seed, 2, u64::from(number)]);
        let rules = RuleSet::random(&mut dice, topology, number);
        let probes = (0..dice.number(5..=9))
            .map(|index| Probe::random(&mut dice, topology, 10 * (number % BATCH) + index))
            .collect();
        Self { rules, probes }
    }
}

/// The network of a batch.
pub fn topology(seed: u64, batch: u32) -> Topology {
    Topology::random(&mut Dice::new(&[seed, 1, u64::from(batch)]))
}

/// What begins the output of each case but a lone one.
pub fn heading(index: usize) -> String {
    format!("== {index}")
}

/// The script of several cases one after the other, each under its heading.
pub fn of_cases(setup: &str, cases: &[Case]) -> String {
    let mut text = setup.to_owned();
    let mut before = BTreeSet::new();
    for (index, case) in cases.iter().enumerate() {
        let _ = writeln!(text, "echo '{}'", heading(index));
        body(&mut text, case, &before);
        before.extend(case.rules.used());
    }
    text
}

/// The script of a case alone, in the form of `tests/parity`.
pub fn of_case(title: &str, setup: &str, case: &Case) -> String {
    let mut text = format!("# {title}\n{setup}");
    body(&mut text, case, &BTreeSet::new());
    text
}

fn body(text: &mut String, case: &Case, before: &BTreeSet<(String, &'static str)>) {
    text.push_str(&case.rules.script(before));
    let used = case.rules.used();
    let touched: BTreeSet<&str> = used.iter().chain(before).map(|(node, _)| node.as_str()).collect();
    for node in touched {
        let _ = writeln!(text, "ip netns exec {node} conntrack -F 2>/dev/null");
        let _ = writeln!(text, "ip netns exec {node} ipset flush dyn");
    }
    let senders: BTreeSet<&str> = case.probes.iter().map(|probe| probe.node.as_str()).collect();
    for node in senders {
        let _ = writeln!(text, "ip -n {node} route flush cache");
    }
    for probe in &case.probes {
        let _ = writeln!(text, "{}", probe.line());
        // What doesn't wait for its answer is waited for.
        text.push_str(if probe.is_silent() { "sleep 0.03\n" } else { "echo \"rc=$?\"\n" });
    }
    text.push_str("sleep 0.1\n");
    let nodes: BTreeSet<&str> = used.iter().map(|(node, _)| node.as_str()).collect();
    for node in nodes {
        let _ = writeln!(text, "ip netns exec {node} iptables-save -c\nip netns exec {node} conntrack -L");
        let _ = writeln!(text, "ip netns exec {node} ipset save dyn | sort");
    }
}
