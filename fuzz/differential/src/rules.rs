//! Random rule sets, as `iptables-restore` reads them.

use std::collections::{BTreeMap, BTreeSet};

use crate::dice::Dice;
use crate::matches;
use crate::targets;
use crate::topology::{NOWHERE, Node, Topology};

/// The tables with their chains, in the order of `iptables-save`.
pub const TABLES: [(&str, &[&str]); 5] = [
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
    ("security", &["INPUT", "FORWARD", "OUTPUT"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
];

/// What a rule's author knows.
#[derive(Debug)]
pub struct Site<'a> {
    /// The network.
    pub topology: &'a Topology,
    /// The namespace that the rule is for.
    pub node: &'a Node,
    /// The table.
    pub table: &'static str,
    /// The chain.
    pub chain: &'a str,
    /// The case, for names that must not be used twice.
    pub case: u32,
}

impl Site<'_> {
    /// An address of anybody.
    pub fn any_address(&self, dice: &mut Dice) -> String {
        let speakers = self.topology.speakers();
        let node = *dice.pick(&speakers);
        let addresses: Vec<&str> = node.addresses().collect();
        (*dice.pick(&addresses)).to_owned()
    }

    /// An address of the namespace itself; anybody's if it has none.
    pub fn own_address(&self, dice: &mut Dice) -> String {
        let addresses: Vec<&str> = self.node.addresses().collect();
        if addresses.is_empty() { self.any_address(dice) } else { (*dice.pick(&addresses)).to_owned() }
    }

    /// An address or a network, as `-s` and `-d` take it.
    pub fn prefix(&self, dice: &mut Dice) -> String {
        match dice.number(0..=9) {
            0..=3 => self.any_address(dice),
            4..=6 => format!("{}.0/24", dice.pick(&self.topology.networks)),
            7 => format!("{}.0/{}", dice.pick(&self.topology.networks), dice.number(8..=30)),
            8 => "0.0.0.0/0".to_owned(),
            _ => {
                (*dice.pick(&["127.0.0.0/8", "224.0.0.0/4", "255.255.255.255", "198.51.100.0/24"])).to_owned()
            }
        }
    }

    /// An address in the network that nobody is in.
    pub fn nowhere(&self, dice: &mut Dice) -> String {
        format!("{NOWHERE}.{}", dice.number(1..=9))
    }
}

/// A chain with its rules.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// The policy of a built-in chain.
    pub policy: Option<&'static str>,
    /// Its rules, from `-A NAME` on.
    pub rules: Vec<String>,
}

/// A table of one namespace.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its chains, the built-in ones first.
    pub chains: Vec<Chain>,
}

impl Table {
    fn empty(name: &'static str) -> Self {
        let chains =
            TABLES.iter().find(|(table, _)| *table == name).map_or(&[] as &[&str], |(_, chains)| chains);
        let chains = chains
            .iter()
            .map(|chain| Chain { name: (*chain).to_owned(), policy: Some("ACCEPT"), rules: Vec::new() })
            .collect();
        Self { name, chains }
    }

    fn random(dice: &mut Dice, topology: &Topology, node: &Node, name: &'static str, case: u32) -> Self {
        let mut table = Self::empty(name);
        let own = if dice.percent(40) { dice.number(1..=3) } else { 0 };
        let built_in = table.chains.len();
        let prefix = match name {
            "mangle" => "m",
            "raw" => "r",
            "nat" => "n",
            "security" => "s",
            _ => "f",
        };
        for index in 0..own {
            table.chains.push(Chain { name: format!("{prefix}{index}"), policy: None, rules: Vec::new() });
        }
        let names: Vec<String> = table.chains.iter().map(|chain| chain.name.clone()).collect();
        for (index, chain) in table.chains.iter_mut().enumerate() {
            if chain.policy.is_some() && name != "nat" && dice.percent(4) {
                chain.policy = Some("DROP");
            }
            let site = Site { topology, node, table: name, chain: &chain.name, case };
            // A chain may call those after it: no cycle.
            let callable = &names[(index + 1).max(built_in)..];
            let rules = if dice.percent(70) { dice.number(1..=4) } else { 0 };
            for _ in 0..rules {
                let rule = rule(dice, &site, callable);
                chain.rules.push(format!("-A {}{rule}", chain.name));
            }
        }
        table
    }

    fn text(&self) -> String {
        let mut text = format!("*{}\n", self.name);
        for chain in &self.chains {
            text.push_str(&format!(":{} {} [0:0]\n", chain.name, chain.policy.unwrap_or("-")));
        }
        for rule in self.chains.iter().flat_map(|chain| &chain.rules) {
            text.push_str(rule);
            text.push('\n');
        }
        text.push_str("COMMIT\n");
        text
    }
}

/// One rule, from the first option on.
fn rule(dice: &mut Dice, site: &Site<'_>, callable: &[String]) -> String {
    let protocol = *dice.weighted(&[
        (9, None),
        (5, Some("icmp")),
        (6, Some("udp")),
        (6, Some("tcp")),
        (1, Some("sctp")),
    ]);
    let target = targets::random(dice, site, protocol, callable);
    let terminal = [" -j DROP", " -j REJECT", " -j QUEUE"].iter().any(|verdict| target.starts_with(verdict));
    let matches = matches::random(dice, site, protocol, if terminal { 1 } else { 0 });
    format!("{matches}{target}")
}

/// The rules of every namespace.
#[derive(Clone, Debug, Default)]
pub struct RuleSet(pub BTreeMap<String, Vec<Table>>);

impl RuleSet {
    /// Draws one.
    pub fn random(dice: &mut Dice, topology: &Topology, case: u32) -> Self {
        let mut all = BTreeMap::new();
        let busy = dice.number(1..=2.min(topology.nodes.len() as u32));
        let routers: Vec<&Node> = topology.nodes.iter().filter(|node| node.router).collect();
        for _ in 0..busy {
            let node = if dice.percent(60) { *dice.pick(&routers) } else { dice.pick(&topology.nodes) };
            let wanted: Vec<&'static str> =
                [("mangle", 35), ("raw", 25), ("filter", 70), ("security", 8), ("nat", 65)]
                    .into_iter()
                    .filter(|(_, chance)| dice.percent(*chance))
                    .map(|(name, _)| name)
                    .collect();
            let tables: Vec<Table> =
                wanted.into_iter().map(|name| Table::random(dice, topology, node, name, case)).collect();
            all.insert(node.name.clone(), tables);
        }
        Self(all)
    }

    /// The tables that it uses: namespace and name.
    pub fn used(&self) -> BTreeSet<(String, &'static str)> {
        self.0
            .iter()
            .flat_map(|(node, tables)| tables.iter().map(|table| (node.clone(), table.name)))
            .collect()
    }

    /// The lines of shell that install it, and empty the tables that were used `before`.
    pub fn script(&self, before: &BTreeSet<(String, &'static str)>) -> String {
        let mut texts: BTreeMap<&str, String> = BTreeMap::new();
        for (node, tables) in &self.0 {
            let text = texts.entry(node).or_default();
            for table in tables {
                text.push_str(&table.text());
            }
        }
        let used = self.used();
        for (node, table) in before.iter().filter(|place| !used.contains(place)) {
            texts.entry(node).or_default().push_str(&Table::empty(table).text());
        }
        texts
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(node, text)| format!("ip netns exec {node} iptables-restore <<EOF\n{text}EOF\n"))
            .collect()
    }
}
