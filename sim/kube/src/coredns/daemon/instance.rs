//! A Corefile at work.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use packet::SimTime;
use tools::net::read_file;
use world::{Fd, Sys};

use super::listeners::{Arrived, Listeners, ReplyTo};
use super::upstream::{Outcome, Upstream};
use super::watch::Watcher;
use super::{Fatal, say};
use crate::coredns::corefile::{Corefile, Plugins};
use crate::coredns::{Act, Context, QueryId, Server};

/// A server, what it knows, and the sockets by which it asks others.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    /// What it was made from.
    pub corefile: Corefile,
    /// What it knows of its cluster.
    pub watcher: Watcher,
    /// What it does with queries.
    pub server: Server,
    upstream: Upstream,
    /// Where the answers of queries under way go.
    waiting: BTreeMap<QueryId, ReplyTo>,
    hosts: Vec<HostsFile>,
}

/// A hosts file that is read again and again.
#[derive(Clone, Debug)]
struct HostsFile {
    path: String,
    /// How often; never again if zero.
    every: Duration,
    next: SimTime,
}

impl Instance {
    /// One that begins now.
    pub fn start(sys: &mut dyn Sys, corefile: Corefile, watcher: Watcher) -> Self {
        let addresses = sys.kernel().addrs(sys.netns()).into_iter().map(|info| info.addr.local.addr());
        let local: Vec<IpAddr> = addresses.filter(|address| !address.is_loopback()).collect();
        let now = sys.now();
        let server = Server::new(&corefile, &local, now, &mut || sys.random());
        let hosts = server.hosts_files().into_iter();
        let hosts = hosts.map(|(path, every)| HostsFile { path, every, next: now }).collect();
        let (upstream, waiting) = (Upstream::default(), BTreeMap::new());
        let mut instance = Self { corefile, watcher, server, upstream, waiting, hosts };
        instance.read_hosts(sys);
        instance
    }

    fn read_hosts(&mut self, sys: &mut dyn Sys) {
        let now = sys.now();
        for file in self.hosts.iter_mut().filter(|file| now >= file.next) {
            file.next = if file.every.is_zero() { SimTime::MAX } else { now + file.every };
            if let Some(text) = read_file(sys, &file.path) {
                self.server.set_hosts_file(&file.path, &text);
            }
        }
    }

    /// Answers what came, asks others, does what is due.
    pub fn turn(
        &mut self,
        sys: &mut dyn Sys,
        listeners: &mut Listeners,
        arrived: Vec<Arrived>,
    ) -> Result<(), Fatal> {
        self.watcher.turn(sys);
        self.read_hosts(sys);
        for arrived in arrived {
            let acts = self.query(sys, arrived);
            self.carry_out(sys, listeners, acts)?;
        }
        for outcome in self.upstream.poll(sys) {
            let acts = self.came(sys, outcome);
            self.carry_out(sys, listeners, acts)?;
        }
        let now = sys.now();
        let acts = self.server.tick(&mut Context {
            now,
            cluster: &self.watcher.cluster,
            random: &mut || sys.random(),
        });
        self.carry_out(sys, listeners, acts)
    }

    fn query(&mut self, sys: &mut dyn Sys, arrived: Arrived) -> Vec<Act> {
        let Arrived { client, message, reply } = arrived;
        let now = sys.now();
        let mut cx = Context { now, cluster: &self.watcher.cluster, random: &mut || sys.random() };
        let (query, acts) = self.server.query(client, *message, &mut cx);
        self.waiting.insert(query, reply);
        acts
    }

    fn came(&mut self, sys: &mut dyn Sys, outcome: Outcome) -> Vec<Act> {
        let Outcome { ask, dialed, came } = outcome;
        let now = sys.now();
        let mut cx = Context { now, cluster: &self.watcher.cluster, random: &mut || sys.random() };
        let acts = self.server.answered(ask, dialed, came.clone(), &mut cx);
        if !self.server.is_waiting(ask) {
            self.upstream.done(sys, ask, &came);
        }
        acts
    }

    fn carry_out(
        &mut self,
        sys: &mut dyn Sys,
        listeners: &mut Listeners,
        acts: Vec<Act>,
    ) -> Result<(), Fatal> {
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            let (query, bytes) = match act {
                Act::Answer { query, bytes, .. } => (query, Some(bytes)),
                Act::Silence(query) => (query, None),
                Act::Ask(ask) => {
                    if let Some(outcome) = self.upstream.send(sys, ask) {
                        acts.extend(self.came(sys, outcome));
                    }
                    continue;
                }
                Act::Log(line) => {
                    say(sys, &line);
                    continue;
                }
                Act::Fatal(line) => return Err(Fatal { logged: line }),
            };
            let Some(reply) = self.waiting.remove(&query) else { continue };
            for arrived in listeners.answer(sys, reply, bytes.as_deref()) {
                acts.extend(self.query(sys, arrived));
            }
        }
        Ok(())
    }

    /// Whether no query is under way.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> impl Iterator<Item = Fd> {
        self.upstream.fds()
    }

    /// When there is something to do without anybody's asking.
    pub fn next(&self) -> Option<SimTime> {
        let hosts = self.hosts.iter().map(|file| file.next).filter(|&next| next < SimTime::MAX);
        hosts.chain(self.server.next_deadline()).chain(self.upstream.next()).min()
    }

    /// Closes its sockets.
    pub fn close(&mut self, sys: &mut dyn Sys) {
        self.upstream.close(sys);
    }

    /// The metric that says which plugins it has.
    pub fn enabled(&self) -> Option<String> {
        let mut lines = Vec::new();
        for server in &self.corefile.servers {
            if server.plugins.prometheus.is_none() {
                continue;
            }
            for key in &server.keys {
                lines.extend(names(&server.plugins).iter().map(|name| {
                    let (port, zone) = (key.port, &key.zone);
                    format!(
                        "coredns_plugin_enabled{{name=\"{name}\",server=\"dns://:{port}\",view=\"\",zone=\"{zone}\"}} 1\n"
                    )
                }));
            }
        }
        lines.sort();
        let help = "A metric that indicates whether a plugin is enabled on per server and zone basis.";
        (!lines.is_empty()).then(|| {
            let lines = lines.concat();
            format!("# HELP coredns_plugin_enabled {help}\n# TYPE coredns_plugin_enabled gauge\n{lines}")
        })
    }
}

/// The plugins that handle queries.
fn names(plugins: &Plugins) -> Vec<&'static str> {
    let Plugins {
        reload: _,
        ready: _,
        health: _,
        prometheus,
        errors,
        log,
        loadbalance,
        cache,
        rewrite,
        hosts,
        kubernetes,
        find_loop,
        forward,
    } = plugins;
    let all = [
        ("prometheus", prometheus.is_some()),
        ("errors", errors.is_some()),
        ("log", !log.is_empty()),
        ("loadbalance", loadbalance.is_some()),
        ("cache", cache.is_some()),
        ("rewrite", !rewrite.is_empty()),
        ("hosts", hosts.is_some()),
        ("kubernetes", kubernetes.is_some()),
        ("loop", find_loop.is_some()),
        ("forward", !forward.is_empty()),
    ];
    all.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}
