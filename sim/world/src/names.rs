use netfilter::{Backend, TableId, TableName};
use packet::{DevId, HostId, NetnsId, Pid};
use trace::{Around, Names, RuleWindow};

use crate::World;

/// Rules that are told before and after the one asked for.
const NEIGHBORS: usize = 3;

/// Characters of a command line that are told.
const COMMAND_LENGTH: usize = 100;

/// Characters of one of its words, e.g. of a token.
const WORD_LENGTH: usize = 60;

/// A command line in one line that is not too long, with words that are not too long.
fn shortened(command: &str) -> String {
    let cut = |text: &str, length: usize| match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let text = command.replace(|c: char| c.is_control(), " ");
    let words: Vec<String> = text.split(' ').map(|word| cut(word, WORD_LENGTH)).collect();
    cut(&words.join(" "), COMMAND_LENGTH)
}

impl Names for World {
    fn host(&self, host: HostId) -> String {
        World::host(self, host).name.clone()
    }

    fn netns(&self, host: HostId, netns: NetnsId) -> String {
        if netns == NetnsId::INIT {
            return String::new();
        }
        if let Some(place) = self.place_of_netns(host, netns) {
            return place;
        }
        let names = &World::host(self, host).netns_names;
        names
            .iter()
            .find(|&(_, &id)| id == netns)
            .map_or_else(|| format!("netns{netns}"), |(name, _)| name.clone())
    }

    fn dev(&self, host: HostId, dev: DevId) -> String {
        World::host(self, host).get_dev(dev).map_or_else(|| format!("dev{dev}"), |device| device.name.clone())
    }

    fn process(&self, host: HostId, pid: Pid) -> Option<String> {
        self.cmdline(host, pid).map(|cmdline| shortened(&cmdline.to_string()))
    }

    fn behind_chain(&self, chain: &str) -> Option<String> {
        self.namer?(self.store(), chain)
    }

    fn rules_near(
        &self,
        host: HostId,
        netns: NetnsId,
        table: &str,
        chain: &str,
        around: Around,
    ) -> Option<RuleWindow> {
        let (backend, name) = match table.strip_prefix("legacy ") {
            Some(name) => (Backend::Legacy, name),
            None => (Backend::Nft, table),
        };
        let id = TableId { backend, name: TableName::parse(name)? };
        let chain = World::host(self, host).get_ns(netns)?.netfilter.table(id)?.chain(chain)?;
        let total = chain.rules.len();
        let middle = match around {
            Around::Rule(number) => (number as usize).checked_sub(1)?,
            Around::End => total,
        };
        let first = middle.saturating_sub(NEIGHBORS).min(total);
        let shown = chain.rules.get(first..total.min(middle + NEIGHBORS + 1))?;
        Some(RuleWindow {
            first: u32::try_from(first + 1).ok()?,
            rules: shown.iter().map(|r| format!("-A {}{}", chain.name, r.rule)).collect(),
            total: u32::try_from(total).ok()?,
            policy: chain.base.map(|base| base.policy.as_str()),
        })
    }
}
