use std::net::IpAddr;
use std::sync::Arc;

use kernel::DeviceKind;
use kernel::request::Request;
use netfilter::{Chain, Change, Counters, Rule, Table, What};
use packet::NetnsId;

use super::draft::Draft;
use super::{Part, Step};

/// What belongs to a namespace, by which it is known in the others.
pub(super) struct Owned {
    /// The namespace.
    netns: NetnsId,
    /// Its name where the commands are typed.
    name: String,
    /// The other ends of its pairs.
    ends: Vec<String>,
    /// Its addresses.
    addrs: Vec<IpAddr>,
}

impl Owned {
    pub fn of(draft: &Draft<'_>, netns: NetnsId) -> Option<Self> {
        let name = draft.spaces[draft.space_of(netns)?].name.clone()?;
        let own: Vec<_> = draft.devices().filter(|device| device.netns == netns).collect();
        let peers = own.iter().filter_map(|device| match &device.kind {
            DeviceKind::Veth(veth) => draft.target().get_dev(veth.peer),
            _ => None,
        });
        let ends = peers.filter(|peer| peer.netns != netns).map(|peer| peer.name.clone()).collect();
        let devices = own.iter().filter(|device| !device.is_loopback());
        let addrs = devices.flat_map(|device| &device.addrs).map(|addr| addr.local.addr()).collect();
        Some(Self { netns, name, ends, addrs })
    }

    /// Whether a command names it.
    fn is_named(&self, text: &str) -> bool {
        let in_key =
            |word: &str| self.ends.iter().any(|end| word.contains(&format!(".{}.", end.replace('.', "/"))));
        text.split([' ', '=', ',', '\n', '/']).any(|word| {
            word == self.name
                || self.ends.iter().any(|end| end == word)
                || word.parse().is_ok_and(|addr| self.addrs.contains(&addr))
                || in_key(word)
        })
    }

    /// Of the commands for a host those that name it, or are typed in its namespace.
    pub fn select(&self, parts: Vec<Part>) -> Vec<Part> {
        let own = |step: &Step| match step {
            Step::Command { netns, .. } if netns.as_ref() == Some(&self.name) => vec![step.clone()],
            // The part on rules was selected one by one.
            Step::Command { text, .. } if text.starts_with("iptables") && !text.contains('\n') => {
                vec![step.clone()]
            }
            Step::Command { netns, text, by } => match text.split_once('\n') {
                None if self.is_named(text) => vec![step.clone()],
                // Elements of sets; rules are looked at one by one.
                Some((command, lines)) if command.contains("ipset restore") => {
                    let command = command.replace("restore <<EOF", "").trim_end().to_owned();
                    let lines = lines.lines().filter(|line| self.is_named(line));
                    let one = |line| Step::Command {
                        netns: netns.clone(),
                        text: format!("{command} {line}"),
                        by: by.clone(),
                    };
                    lines.map(one).collect()
                }
                _ => Vec::new(),
            },
            Step::Remark(text) => {
                let about = text.split(':').next().unwrap_or_default();
                let own = about == self.name || text.starts_with(&format!("in {}, ", self.name));
                if own { vec![step.clone()] } else { Vec::new() }
            }
        };
        let parts = parts
            .into_iter()
            .map(|part| Part { title: part.title, steps: part.steps.iter().flat_map(own).collect() });
        parts.filter(|part| !part.steps.is_empty()).collect()
    }
}

impl Draft<'_> {
    /// The parts about one namespace.
    pub fn finish_about(mut self, netns: NetnsId) -> Vec<Part> {
        let Some(owned) = Owned::of(&self, netns) else { return Vec::new() };
        self.tables_of(netns);
        self.rules_about(&owned);
        owned.select(self.finish())
    }

    /// The rules of the other namespaces that name what belongs to a namespace, or were made for
    /// it, with the chains that hold nothing else.
    fn rules_about(&mut self, owned: &Owned) {
        self.part("Rules that name it");
        let purposes = self.makers.purposes_in(owned.netns);
        for space in 0..self.spaces.len() {
            let target = self.spaces[space].target;
            let Some(netns) = self.target().get_ns(target).filter(|_| target != owned.netns) else {
                continue;
            };
            for table in netns.netfilter.tables() {
                let about = |draft: &Self, rule: &Arc<Rule>| {
                    let by = draft.makers.of_rule(rule);
                    owned.is_named(&rule.to_string()) || purposes.iter().any(|purpose| by.ends_with(purpose))
                };
                for (what, by) in self.changes_about(table, &about) {
                    let request = Request::Ruleset(Change { table: table.id, what });
                    self.write(space, &request.to_string(), by);
                }
            }
        }
    }

    fn changes_about(&self, table: &Table, about: &dyn Fn(&Self, &Arc<Rule>) -> bool) -> Vec<(What, String)> {
        let own = |chain: &Chain| {
            let rules = chain.rules.iter().filter(|installed| about(self, &installed.rule));
            rules.map(|installed| Arc::clone(&installed.rule)).collect::<Vec<_>>()
        };
        let built_in = table.chains().filter(|chain| chain.base.is_some());
        let chains: Vec<&Chain> = built_in.chain(table.user_chains()).collect();
        let mut changes = Vec::new();
        for chain in table.user_chains() {
            let rules = own(chain);
            if !rules.is_empty() && rules.len() == chain.rules.len() {
                let by = self.makers.of_rule(&rules[0]);
                changes.push((What::NewChain { chain: chain.name.clone() }, by));
            }
        }
        for chain in chains {
            for rule in own(chain) {
                let by = self.makers.of_rule(&rule);
                let counters = Counters::default();
                changes.push((What::Append { chain: chain.name.clone(), rule, counters }, by));
            }
        }
        changes
    }
}
