use std::collections::BTreeMap;
use std::sync::Arc;

use packet::{HostId, NetnsId, SimTime};
use world::{Asked, Asker, Object, World};

/// Commands that do nothing but ask the kernel: who typed them is what matters.
const BY_HAND: &[&str] = &[
    "",
    "arp",
    "brctl",
    "bridge",
    "echo",
    "ifconfig",
    "ip",
    "ipset",
    "iptables",
    "iptables-legacy",
    "iptables-legacy-restore",
    "iptables-nft",
    "iptables-nft-restore",
    "iptables-restore",
    "route",
    "sh",
    "sysctl",
];

/// Longest command line that is told in full, in characters.
const COMMAND_LINE: usize = 60;

/// Who made what, on one host.
pub(super) struct Makers<'a> {
    world: &'a World,
    host: HostId,
    /// When the topology's set-up was over.
    booted: SimTime,
    objects: BTreeMap<Object, &'a Asked>,
    rules: BTreeMap<*const netfilter::Rule, &'a Asked>,
    chains: BTreeMap<(NetnsId, netfilter::TableId, &'a str), &'a Asked>,
}

impl<'a> Makers<'a> {
    pub fn new(world: &'a World, host: HostId, booted: SimTime) -> Self {
        let mut makers = Self {
            world,
            host,
            booted,
            objects: BTreeMap::new(),
            rules: BTreeMap::new(),
            chains: BTreeMap::new(),
        };
        for asked in world.asked(host) {
            makers.objects.extend(asked.objects().into_iter().map(|object| (object, asked)));
            makers.rules.extend(asked.rules().map(|rule| (Arc::as_ptr(rule), asked)));
            let chains = asked.chains().into_iter();
            makers.chains.extend(chains.map(|(table, chain)| ((asked.netns, table, chain), asked)));
        }
        makers
    }

    /// The request that last made one of these.
    pub fn request(&self, objects: &[Object]) -> Option<&'a Asked> {
        objects.iter().find_map(|object| self.objects.get(object).copied())
    }

    /// Who last made one of these, the first that anybody made.
    pub fn of(&self, objects: &[Object]) -> String {
        self.name(self.request(objects))
    }

    /// Who did the first thing that still stands in a namespace, and so most likely made it.
    pub fn of_netns(&self, netns: NetnsId) -> String {
        self.name(self.world.asked(self.host).find(|asked| asked.netns == netns))
    }

    /// For whom things were made in a namespace: `for pod default/web`.
    pub fn purposes_in(&self, netns: NetnsId) -> Vec<String> {
        let mut purposes = Vec::new();
        for asked in self.world.asked(self.host).filter(|asked| asked.netns == netns) {
            if let Asker::Process { purpose: Some(purpose), .. } = &*asked.by
                && let Some(at) = purpose.find(" for ")
            {
                purposes.push(purpose[at..].to_owned());
            }
        }
        purposes.dedup();
        purposes
    }

    /// Who brought a rule of iptables.
    pub fn of_rule(&self, rule: &Arc<netfilter::Rule>) -> String {
        self.name(self.rules.get(&Arc::as_ptr(rule)).copied())
    }

    /// Who made a chain of iptables or set its policy.
    pub fn of_chain(&self, netns: NetnsId, table: netfilter::TableId, chain: &str) -> String {
        self.name(self.chains.get(&(netns, table, chain)).copied())
    }

    fn name(&self, asked: Option<&Asked>) -> String {
        let Some(asked) = asked else { return "the kernel".to_owned() };
        let Asker::Process { cmdline, session, purpose, .. } = &*asked.by else {
            return "the topology".to_owned();
        };
        let first = cmdline.words().next().unwrap_or_default();
        let program = first.rsplit('/').next().unwrap_or(first);
        if let Some(purpose) = purpose {
            return format!("{program} → {purpose}");
        }
        if BY_HAND.contains(&program) {
            return self.typed(asked, *session);
        }
        let line = cmdline.to_string();
        if line.chars().count() > COMMAND_LINE || first.starts_with('/') { program.to_owned() } else { line }
    }

    /// Who typed a command: the topology's set-up, or somebody later.
    fn typed(&self, asked: &Asked, session: Option<(HostId, packet::Pid)>) -> String {
        if asked.at <= self.booted {
            return "the topology's setup".to_owned();
        }
        let cmdline = session.and_then(|(host, pid)| self.world.cmdline(host, pid));
        let mut words = cmdline.into_iter().flat_map(|cmdline| cmdline.words().skip(1));
        match (words.next(), words.next()) {
            (Some("-c"), Some(command)) if command.chars().count() <= COMMAND_LINE => {
                format!("typed: {}", command.replace('\n', " "))
            }
            _ => format!("typed on {}", self.world.host(self.host).name),
        }
    }
}
