//! Who asked for what a kernel was made to do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use kernel::request::{LinkChange, Request, RuleSpec};
use kernel::{Host, TableId};
use netfilter::set::SetChange;
use netfilter::{Change, What};
use packet::{DevId, HostId, MacAddr, NetnsId, Pid, SimTime};
use smallvec::SmallVec;

use crate::process::{Cmdline, Process};

/// Requests, and rules in them, that are kept at least before what was superseded is looked for.
const COMPACT_AT: (usize, usize) = (256, 65_536);

/// Who asked for a change of configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Nobody on the host: who built the world.
    Builder,
    /// A process.
    Process {
        /// Its number.
        pid: Pid,
        /// Its words.
        cmdline: Cmdline,
        /// The first process of the command that it belongs to.
        session: Option<(HostId, Pid)>,
        /// For what, if it said so ([`crate::Sys::set_purpose`]).
        purpose: Option<Arc<str>>,
    },
}

/// A request that was carried out.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When.
    pub at: SimTime,
    /// The namespace it acted in.
    pub netns: NetnsId,
    /// What was asked for.
    pub request: Request,
    /// The devices that it made or changed.
    pub devs: SmallVec<[DevId; 2]>,
    /// Who asked.
    pub by: Arc<Asker>,
}

/// A thing that a request makes or changes. A device is known by its id: it may be renamed and
/// moved later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A device.
    Link(DevId),
    /// A property of a device, by the first word of its change (`mtu`, `up`, `master`).
    Property(DevId, String),
    /// An address.
    Addr(DevId, IpNet),
    /// A route: namespace, table, destination, type of service, metric.
    Route(NetnsId, TableId, IpNet, u8, u32),
    /// A policy rule as text, without its priority.
    Rule(NetnsId, String),
    /// A nexthop object.
    Nexthop(NetnsId, u32),
    /// A neighbour.
    Neigh(Option<DevId>, IpAddr),
    /// A forwarding entry.
    Fdb(DevId, MacAddr),
    /// A named namespace.
    Netns(String),
    /// A setting.
    Sysctl(NetnsId, String),
    /// A set of ipset.
    Set(NetnsId, String),
}

impl Object {
    /// A policy rule.
    pub fn rule(netns: NetnsId, rule: &kernel::Rule) -> Self {
        let spec =
            RuleSpec { rule: rule.clone(), priority_given: false, action_given: true, duplicate: false };
        Self::Rule(netns, spec.to_string())
    }

    /// A property that a change of a device sets.
    pub fn property(dev: DevId, change: &LinkChange) -> Self {
        let text = change.to_string();
        let word = match change {
            LinkChange::Up(_) => "up",
            LinkChange::Master(_) => "master",
            _ => text.split(' ').next().unwrap_or_default(),
        };
        Self::Property(dev, word.to_owned())
    }
}

impl Asked {
    /// What it made or changed; a rule of iptables is known by its address instead.
    pub fn objects(&self) -> Vec<Object> {
        let (netns, dev) = (self.netns, self.devs.first().copied());
        let of_dev = |object: &dyn Fn(DevId) -> Object| dev.map(object).into_iter().collect();
        match &self.request {
            Request::LinkAdd(_) | Request::Tunnel(_) => self.devs.iter().copied().map(Object::Link).collect(),
            Request::LinkSet { changes, .. } => {
                let named = |dev| changes.iter().map(move |change| Object::property(dev, change)).collect();
                dev.map(named).unwrap_or_default()
            }
            Request::AddrAdd(spec, _) | Request::AddrDel(spec) => {
                of_dev(&|dev| Object::Addr(dev, spec.local))
            }
            Request::RouteAdd(spec, _) | Request::RouteDel(spec) => {
                let table = spec.table.unwrap_or(TableId::MAIN);
                let dst = spec.dst.unwrap_or(IpNet::V4(Ipv4Net::default()));
                vec![Object::Route(netns, table, dst, spec.tos, spec.metric.unwrap_or(0))]
            }
            Request::NexthopAdd(spec, _) => {
                spec.id.map(|id| Object::Nexthop(netns, id)).into_iter().collect()
            }
            Request::NexthopDel { id } => id.map(|id| Object::Nexthop(netns, id)).into_iter().collect(),
            Request::RuleAdd(spec) | Request::RuleDel(spec) => vec![Object::rule(netns, &spec.rule)],
            Request::NeighAdd(spec, _) | Request::NeighDel(spec) => vec![Object::Neigh(dev, spec.addr)],
            Request::FdbAdd(spec, _) | Request::FdbDel(spec) => of_dev(&|dev| Object::Fdb(dev, spec.mac)),
            Request::NetnsAdd { name } | Request::NetnsDel { name } => vec![Object::Netns(name.clone())],
            Request::Sysctl { key, .. } => vec![Object::Sysctl(netns, key.clone())],
            Request::Set(SetChange::Create { name, .. }) => vec![Object::Set(netns, name.clone())],
            Request::Set(_)
            | Request::LinkDel { .. }
            | Request::RouteFlushCache
            | Request::FdbFlush { .. }
            | Request::NetnsSetId { .. }
            | Request::Ruleset(_)
            | Request::RulesetRestore(_)
            | Request::Recent { .. }
            | Request::Conntrack(_) => Vec::new(),
        }
    }

    /// The rules of iptables that it brought. A rule keeps its address while it stands.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<netfilter::Rule>> {
        let what: &[What] = match &self.request {
            Request::Ruleset(Change { what, .. }) => std::slice::from_ref(what),
            Request::RulesetRestore(restore) => &restore.changes,
            _ => &[],
        };
        what.iter().filter_map(|what| match what {
            What::Append { rule, .. } | What::Insert { rule, .. } | What::Replace { rule, .. } => Some(rule),
            _ => None,
        })
    }

    /// The table of iptables and the chains that it brought or whose policy it set.
    pub fn chains(&self) -> Vec<(netfilter::TableId, &str)> {
        let (table, what): (_, &[What]) = match &self.request {
            Request::Ruleset(Change { what, table }) => (*table, std::slice::from_ref(what)),
            Request::RulesetRestore(restore) => (restore.table, &restore.changes),
            _ => return Vec::new(),
        };
        let named = what.iter().filter_map(|what| match what {
            What::NewChain { chain } | What::Policy { chain, .. } => Some((table, chain.as_str())),
            _ => None,
        });
        named.collect()
    }

    fn undoes(&self) -> bool {
        matches!(
            self.request,
            Request::AddrDel(_)
                | Request::RouteDel(_)
                | Request::NexthopDel { .. }
                | Request::RuleDel(_)
                | Request::NeighDel(_)
                | Request::FdbDel(_)
                | Request::NetnsDel { .. }
        )
    }
}

/// The requests of one host that were carried out and of which something may still stand, oldest
/// first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    asked: Vec<Arc<Asked>>,
    /// Number of rules in them.
    rules: usize,
    /// Numbers of requests and of rules at which the next look for superseded ones is due.
    due: (usize, usize),
    /// Who asked last.
    last: Option<Arc<Asker>>,
}

impl Ledger {
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Asked> {
        self.asked.iter().map(|asked| &**asked)
    }

    /// What to keep of a request that is about to be carried out, with the devices that it names;
    /// none if it makes nothing that is explained.
    pub fn draft(host: &Host, netns: NetnsId, request: &Request) -> Option<Draft> {
        let dev = match request {
            Request::LinkSet { dev, .. } => Some(dev),
            Request::AddrAdd(spec, _) | Request::AddrDel(spec) => Some(&spec.dev),
            Request::NeighAdd(spec, _) | Request::NeighDel(spec) => spec.dev.as_ref(),
            Request::FdbAdd(spec, _) | Request::FdbDel(spec) => Some(&spec.dev),
            Request::LinkAdd(_)
            | Request::Tunnel(_)
            | Request::RouteAdd(..)
            | Request::RouteDel(_)
            | Request::NexthopAdd(..)
            | Request::NexthopDel { .. }
            | Request::RuleAdd(_)
            | Request::RuleDel(_)
            | Request::NetnsAdd { .. }
            | Request::NetnsDel { .. }
            | Request::Ruleset(_)
            | Request::RulesetRestore(_)
            | Request::Set(SetChange::Create { .. })
            | Request::Sysctl { .. } => None,
            Request::LinkDel { .. }
            | Request::RouteFlushCache
            | Request::FdbFlush { .. }
            | Request::NetnsSetId { .. }
            | Request::Recent { .. }
            | Request::Conntrack(_)
            | Request::Set(_) => return None,
        };
        let dev = dev.and_then(|dev| host.dev_by_name(netns, dev));
        Some(Draft {
            netns,
            request: request.clone(),
            devs: dev.into_iter().collect(),
            devices: host.devices.len(),
        })
    }

    /// A process as one who asks.
    pub fn process(&mut self, pid: Pid, process: &Process) -> Arc<Asker> {
        if let Some(last) = &self.last
            && let Asker::Process { pid: its, cmdline, session, purpose } = &**last
            && (*its, cmdline, session, purpose)
                == (pid, &process.cmdline, &process.session, &process.purpose)
        {
            return Arc::clone(last);
        }
        let by = Asker::Process {
            pid,
            cmdline: process.cmdline.clone(),
            session: process.session,
            purpose: process.purpose.clone(),
        };
        Arc::clone(self.last.insert(Arc::new(by)))
    }

    /// Keeps a request that was carried out.
    pub fn keep(&mut self, draft: Draft, host: &Host, at: SimTime, by: Arc<Asker>) {
        let Draft { netns, request, mut devs, devices } = draft;
        if matches!(request, Request::LinkAdd(_) | Request::Tunnel(_)) {
            devs.extend(host.devices[devices..].iter().flatten().map(|device| device.id));
        }
        if let Request::RulesetRestore(restore) = &request
            && restore.flush
        {
            self.forget_table(netns, restore.table);
        }
        let asked = Asked { at, netns, request, devs, by };
        self.rules += asked.rules().count();
        self.asked.push(Arc::new(asked));
        if self.asked.len() >= self.due.0.max(COMPACT_AT.0) || self.rules >= self.due.1.max(COMPACT_AT.1) {
            self.compact(host);
            self.rules = self.asked.iter().map(|asked| asked.rules().count()).sum();
            self.due = (2 * self.asked.len(), 2 * self.rules);
        }
    }

    /// Drops what was asked of a table that is replaced as a whole.
    fn forget_table(&mut self, netns: NetnsId, table: netfilter::TableId) {
        self.asked.retain(|asked| {
            asked.netns != netns
                || match &asked.request {
                    Request::Ruleset(change) => change.table != table,
                    Request::RulesetRestore(restore) => restore.table != table,
                    _ => true,
                }
        });
    }

    /// Drops what was superseded, undone, or has gone with its device or namespace.
    fn compact(&mut self, host: &Host) {
        let mut standing: BTreeMap<NetnsId, BTreeSet<*const netfilter::Rule>> = BTreeMap::new();
        let mut seen: BTreeSet<Object> = BTreeSet::new();
        let mut policies: BTreeSet<(NetnsId, netfilter::TableId, String)> = BTreeSet::new();
        let mut kept: Vec<Arc<Asked>> = Vec::new();
        for asked in self.asked.iter().rev() {
            if host.get_ns(asked.netns).is_none()
                || !asked.devs.is_empty() && asked.devs.iter().all(|dev| host.get_dev(*dev).is_none())
            {
                continue;
            }
            let rules =
                standing.entry(asked.netns).or_insert_with(|| standing_rules(host, asked.netns).collect());
            let mut needed = asked.rules().any(|rule| rules.contains(&Arc::as_ptr(rule)));
            for (table, chain) in asked.chains() {
                needed |= policies.insert((asked.netns, table, chain.to_owned()));
            }
            let undoes = asked.undoes();
            for object in asked.objects() {
                needed |= seen.insert(object) && !undoes;
            }
            if needed {
                kept.push(Arc::clone(asked));
            }
        }
        kept.reverse();
        self.asked = kept;
    }
}

/// A request before it is carried out.
pub(crate) struct Draft {
    netns: NetnsId,
    request: Request,
    devs: SmallVec<[DevId; 2]>,
    devices: usize,
}

fn standing_rules(host: &Host, netns: NetnsId) -> impl Iterator<Item = *const netfilter::Rule> {
    let tables = host.get_ns(netns).into_iter().flat_map(|netns| netns.netfilter.tables());
    tables
        .flat_map(|table| table.chains())
        .flat_map(|chain| chain.rules.iter())
        .map(|rule| Arc::as_ptr(&rule.rule))
}
