//! Leases in a key-value store. flannel: `subnet/etcdv2`, `pkg/subnet/etcd`.

use std::net::Ipv4Addr;
use std::task::Poll;
use std::time::Duration;

use ipnet::Ipv4Net;
use packet::SimTime;
use world::{Sys, Wait};

use super::config::Config;
use super::lease::{Lease, LeaseAttrs, LeaseEvent, LeaseNews};
use super::log::{Log, go_duration};
use super::manager::{Completion, join};
use super::options::Options;
use crate::etcd::{EtcdAnswer, EtcdCall, EtcdClient, EtcdFailure, Event, KeyNode, Timeouts, code};
use crate::time::go_time;
use crate::time::instant;

/// How long a lease lives. flannel: `subnetTTL`.
const TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How often it tries when others take the subnets that it chose. flannel: `raceRetries`.
const RACE_RETRIES: u32 = 10;

/// Where the store is asked for subnets, and what has come of it.
#[derive(Clone, Debug)]
pub struct EtcdManager {
    client: EtcdClient,
    prefix: String,
    /// The subnet that `subnet.env` names.
    previous: Option<Ipv4Net>,
    margin: Duration,
    call: Option<EtcdCall>,
    acquire: Acquire,
    tries: u32,
    leases: Watcher,
    own: Watcher,
    renew_at: Option<SimTime>,
    renewal: Option<EtcdCall>,
}

/// How far a lease has been acquired.
#[derive(Clone, Debug)]
enum Acquire {
    Config,
    List(Config),
    Update(Lease),
    /// The own lease doesn't fit the configuration any more.
    Delete(Config, Ipv4Net, Vec<Lease>),
    Create(Config, Ipv4Net),
}

/// Follows a key or a directory: first what is there, then each change.
#[derive(Clone, Debug)]
struct Watcher {
    key: String,
    recursive: bool,
    /// The index up to which all is known.
    cursor: Option<u64>,
    call: Option<EtcdCall>,
    retry_at: Option<SimTime>,
}

/// What a watcher hears.
enum Heard {
    Present(KeyNode),
    /// There is no such key.
    Nothing,
    Change(Event),
}

impl Watcher {
    fn new(key: String, recursive: bool) -> Self {
        Self { key, recursive, cursor: None, call: None, retry_at: None }
    }

    /// What it hears next; an error has been logged with `what` before it.
    fn poll(&mut self, sys: &mut dyn Sys, log: Log, client: &mut EtcdClient, what: &str) -> Option<Heard> {
        loop {
            if self.retry_at.is_some_and(|at| sys.now() < at) {
                return None;
            }
            self.retry_at = None;
            let Self { key, recursive, cursor, call, .. } = self;
            let call = call.get_or_insert_with(|| match *cursor {
                None => EtcdCall::get(key, *recursive, false),
                Some(cursor) => EtcdCall::watch(key, *recursive, cursor),
            });
            let Poll::Ready(outcome) = call.poll(sys, client) else { return None };
            self.call = None;
            match outcome.and_then(|answer| Ok((answer.event()?, answer.index))) {
                Ok((event, _)) if self.cursor.is_some() => {
                    self.cursor = Some(event.index());
                    return Some(Heard::Change(event));
                }
                Ok((event, index)) => {
                    self.cursor = Some(index);
                    return Some(Heard::Present(event.node));
                }
                Err(EtcdFailure::Refused(error)) if error.code == code::KEY_NOT_FOUND && self.recursive => {
                    self.cursor = Some(error.index);
                    return Some(Heard::Nothing);
                }
                Err(failure) if failure.is(code::EVENT_INDEX_CLEARED) => {
                    let text = "Watch of subnet leases failed because etcd index outside history window";
                    log.warning(sys, "registry.go:376", text);
                    self.cursor = None;
                }
                Err(failure) => {
                    log.error(sys, "subnet.go:173", &format!("{what}: {failure}"));
                    self.retry_at = Some(sys.now() + Duration::from_secs(1));
                }
            }
        }
    }

    fn wait(&self) -> Wait {
        let wait = self.call.as_ref().map_or_else(Wait::default, EtcdCall::wait);
        join(wait, Wait { until: self.retry_at, ..Wait::default() })
    }
}

/// `100.96.2.0-24`. flannel: `MakeSubnetKey`.
fn subnet_key(subnet: Ipv4Net) -> String {
    format!("{}-{}", subnet.network(), subnet.prefix_len())
}

/// flannel: `ParseSubnetKey`.
fn parse_key(key: &str) -> Option<Ipv4Net> {
    let (addr, length) = key.rsplit('/').next()?.split_once('-')?;
    Ipv4Net::new(addr.parse().ok()?, length.parse().ok()?).ok()
}

/// flannel: `nodeToLease`.
fn lease_of(sys: &dyn Sys, node: &KeyNode) -> Result<Lease, String> {
    let subnet = parse_key(&node.key).ok_or_else(|| format!("failed to parse subnet key {}", node.key))?;
    let text = node.value.as_deref().unwrap_or_default();
    let attrs = serde_json::from_str(text).map_err(|_| {
        let why = crate::cni::go_json::parse(text).err();
        why.unwrap_or_else(|| "invalid IP address format".to_owned())
    })?;
    let expiration = node.expiration.as_deref().and_then(|text| instant(sys, text));
    Ok(Lease { subnet, attrs, expiration })
}

/// flannel: `parseSubnetWatchResponse`.
fn event_of(sys: &dyn Sys, event: &Event) -> Result<LeaseEvent, String> {
    let Some(subnet) = parse_key(&event.node.key) else {
        return Err(format!("{} {:?}: not a subnet, skipping", event.action, event.node.key));
    };
    if event.removes() {
        let attrs = LeaseAttrs::new(Ipv4Addr::UNSPECIFIED, "");
        return Ok(LeaseEvent::Removed(Lease { subnet, attrs, expiration: None }));
    }
    lease_of(sys, &event.node).map(LeaseEvent::Added)
}

fn leases_of(sys: &mut dyn Sys, log: Log, nodes: &[KeyNode]) -> Vec<Lease> {
    let mut leases = Vec::new();
    for node in nodes {
        match lease_of(sys, node) {
            Ok(lease) => leases.push(lease),
            Err(error) => log.warning(sys, "registry.go:191", &format!("Ignoring bad subnet node: {error}")),
        }
    }
    leases
}

impl EtcdManager {
    /// A manager that asks the endpoints of the options.
    pub fn new(options: &Options, previous: Option<Ipv4Net>) -> Self {
        let endpoints = options.etcd_endpoints.split(',').map(str::to_owned).collect();
        let timeouts = Timeouts { dial: Duration::from_secs(1), answer: None };
        let prefix = options.etcd_prefix.clone();
        Self {
            client: EtcdClient::new(endpoints, timeouts),
            previous,
            margin: options.margin(),
            call: None,
            acquire: Acquire::Config,
            tries: 0,
            leases: Watcher::new(format!("{prefix}/subnets"), true),
            own: Watcher::new(String::new(), false),
            renew_at: None,
            renewal: None,
            prefix,
        }
    }

    /// As the log names it.
    pub fn name(&self) -> String {
        let previous = self.previous.map_or("None".to_owned(), |subnet| subnet.to_string());
        format!("Etcd Local Manager with Previous Subnet: {previous}")
    }

    fn ask(
        &mut self,
        sys: &mut dyn Sys,
        make: impl FnOnce() -> EtcdCall,
    ) -> Poll<Result<EtcdAnswer, EtcdFailure>> {
        let outcome = self.call.get_or_insert_with(make).poll(sys, &mut self.client);
        if outcome.is_ready() {
            self.call = None;
        }
        outcome
    }

    fn key(&self, subnet: Ipv4Net) -> String {
        format!("{}/subnets/{}", self.prefix, subnet_key(subnet))
    }

    /// The network's configuration.
    pub fn config(&mut self, sys: &mut dyn Sys) -> Poll<Result<Config, String>> {
        let key = format!("{}/config", self.prefix);
        self.ask(sys, || EtcdCall::get(&key, false, false)).map(|outcome| {
            let event = outcome.and_then(|answer| answer.event()).map_err(|failure| failure.to_string())?;
            Config::parse(event.node.value.as_deref().unwrap_or_default())?.complete()
        })
    }

    /// Gets a lease: the one that this address has, the one that the node had, or a new one.
    pub fn acquire(
        &mut self,
        sys: &mut dyn Sys,
        log: Log,
        attrs: &LeaseAttrs,
    ) -> Poll<Result<Lease, String>> {
        loop {
            match self.step(sys, log, attrs) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Ok(Some(lease))) => {
                    self.own = Watcher::new(self.key(lease.subnet), false);
                    self.renew_at = lease.expiration.map(|at| at - self.margin);
                    return Poll::Ready(Ok(lease));
                }
                Poll::Ready(Err(error)) => {
                    self.acquire = Acquire::Config;
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// One request on the way to a lease. flannel: `tryAcquireLease`.
    fn step(
        &mut self,
        sys: &mut dyn Sys,
        log: Log,
        attrs: &LeaseAttrs,
    ) -> Poll<Result<Option<Lease>, String>> {
        macro_rules! ready {
            ($poll:expr) => {
                match $poll {
                    Poll::Ready(outcome) => outcome,
                    Poll::Pending => return Poll::Pending,
                }
            };
        }
        let next = match self.acquire.clone() {
            Acquire::Config => match ready!(self.config(sys)) {
                Ok(config) => Ok(Acquire::List(config)),
                Err(error) => Err(error),
            },
            Acquire::List(config) => {
                let key = format!("{}/subnets", self.prefix);
                match ready!(self.ask(sys, || EtcdCall::get(&key, true, false))) {
                    Err(failure) if failure.is(code::KEY_NOT_FOUND) => self.choose(sys, log, config, &[]),
                    Err(failure) => Err(failure.to_string()),
                    Ok(answer) => match answer.event() {
                        Err(failure) => Err(failure.to_string()),
                        Ok(event) => {
                            let leases = leases_of(sys, log, &event.node.nodes);
                            self.look(sys, log, config, leases, attrs.public_ip)
                        }
                    },
                }
            }
            Acquire::Update(mut lease) => {
                let ttl = lease.expiration.map(|_| TTL);
                let key = self.key(lease.subnet);
                match ready!(self.ask(sys, || put(&key, attrs, ttl, None))) {
                    Err(failure) => Err(failure.to_string()),
                    Ok(answer) => {
                        lease.attrs = attrs.clone();
                        lease.expiration = expiration(sys, &answer);
                        return Poll::Ready(Ok(Some(lease)));
                    }
                }
            }
            Acquire::Delete(config, subnet, leases) => {
                let key = self.key(subnet);
                match ready!(self.ask(sys, || EtcdCall::delete(&key, &[]))) {
                    Err(failure) => Err(failure.to_string()),
                    Ok(_) => self.choose(sys, log, config, &leases),
                }
            }
            Acquire::Create(config, subnet) => {
                let key = self.key(subnet);
                match ready!(self.ask(sys, || put(&key, attrs, Some(TTL), Some("false")))) {
                    Ok(answer) => {
                        let public_ip = attrs.public_ip;
                        let text = format!(
                            "Allocated lease (ip: {subnet} ipv6: ::/0) to current node ({public_ip}) "
                        );
                        log.info(sys, "local_manager.go:209", &text);
                        let expiration = expiration(sys, &answer);
                        return Poll::Ready(Ok(Some(Lease { subnet, attrs: attrs.clone(), expiration })));
                    }
                    Err(failure) if failure.is(code::NODE_EXIST) => {
                        self.tries += 1;
                        match self.tries {
                            RACE_RETRIES => Err("max retries reached trying to acquire a subnet".to_owned()),
                            _ => Ok(Acquire::List(config)),
                        }
                    }
                    Err(failure) => Err(failure.to_string()),
                }
            }
        };
        Poll::Ready(next.map(|next| {
            self.acquire = next;
            None
        }))
    }

    /// Looks whether the address has a lease.
    fn look(
        &self,
        sys: &mut dyn Sys,
        log: Log,
        config: Config,
        leases: Vec<Lease>,
        public_ip: Ipv4Addr,
    ) -> Result<Acquire, String> {
        let Some(lease) = leases.iter().find(|lease| lease.attrs.public_ip == public_ip).cloned() else {
            return self.choose(sys, log, config, &leases);
        };
        let subnet = lease.subnet;
        let found = format!("Found lease (ip: {subnet} ipv6: ::/0) for current IP ({public_ip})");
        if config.fits(subnet) {
            log.info(sys, "local_manager.go:158", &format!("{found}, reusing"));
            return Ok(Acquire::Update(lease));
        }
        let text = format!("{found} but not compatible with current config, deleting");
        log.info(sys, "local_manager.go:174", &text);
        Ok(Acquire::Delete(config, subnet, leases))
    }

    /// Chooses a subnet that nobody has. flannel: `allocateSubnet`.
    fn choose(
        &self,
        sys: &mut dyn Sys,
        log: Log,
        config: Config,
        leases: &[Lease],
    ) -> Result<Acquire, String> {
        if let Some(previous) = self.previous
            && leases.iter().all(|lease| lease.subnet != previous)
        {
            let found = format!("Found previously leased subnet ({previous})");
            if config.fits(previous) {
                log.info(sys, "local_manager.go:189", &format!("{found}, reusing"));
                return Ok(Acquire::Create(config, previous));
            }
            let text = format!("{found} that is not compatible with the Etcd network config, ignoring");
            log.error(sys, "local_manager.go:193", &text);
        }
        if let (Some(min), Some(max)) = (config.subnet_min, config.subnet_max) {
            let text = format!("Picking subnet in range {min} ... {max}");
            log.info(sys, "local_manager.go:226", &text);
        }
        let overlaps = |subnet: &Ipv4Net, lease: &Lease| {
            subnet.contains(&lease.subnet.network()) || lease.subnet.contains(&subnet.network())
        };
        let free = config.subnets().filter(|subnet| leases.iter().all(|lease| !overlaps(subnet, lease)));
        let free: Vec<Ipv4Net> = free.take(100).collect();
        let number = usize::try_from(sys.random() % free.len().max(1) as u64).unwrap_or(0);
        match free.get(number) {
            Some(subnet) => Ok(Acquire::Create(config, *subnet)),
            None => Err("out of subnets".to_owned()),
        }
    }

    /// What has happened to the leases.
    pub fn news(&mut self, sys: &mut dyn Sys, log: Log) -> Vec<LeaseNews> {
        let mut news = Vec::new();
        while let Some(heard) = self.leases.poll(sys, log, &mut self.client, "Watch subnets") {
            match heard {
                Heard::Nothing => news.push(LeaseNews::Snapshot(Vec::new())),
                Heard::Present(node) => news.push(LeaseNews::Snapshot(leases_of(sys, log, &node.nodes))),
                Heard::Change(event) => match event_of(sys, &event) {
                    Ok(event) => {
                        let index = self.leases.cursor.unwrap_or_default();
                        let text = format!("watchSubnets: got valid subnet event with revision {index}");
                        log.info(sys, "registry.go:366", &text);
                        news.push(LeaseNews::Event(event));
                    }
                    Err(error) => {
                        log.error(sys, "registry.go:391", &format!("error parsing etcd event: {error}"));
                    }
                },
            }
        }
        news
    }

    /// Keeps the own lease alive. flannel: `CompleteLease`.
    pub fn complete(&mut self, sys: &mut dyn Sys, log: Log, lease: &mut Lease) -> Completion {
        while let Some(heard) = self.own.poll(sys, log, &mut self.client, "Subnet watch failed") {
            let event = match heard {
                Heard::Nothing => continue,
                Heard::Present(node) => {
                    let text = "manager.WatchLease: sending reset results...";
                    log.info(sys, "local_manager.go:322", text);
                    lease_of(sys, &node).map(LeaseEvent::Added)
                }
                Heard::Change(event) => event_of(sys, &event),
            };
            match event {
                Ok(LeaseEvent::Added(seen)) => {
                    lease.expiration = seen.expiration;
                    self.plan_renewal(sys, lease);
                    let left = self.renew_at.unwrap_or(SimTime::ZERO).since(sys.now());
                    let text = format!("Waiting for {} to renew lease", go_duration(left));
                    log.info(sys, "local_manager.go:399", &text);
                }
                Ok(LeaseEvent::Removed(_)) => {
                    log.error(sys, "local_manager.go:402", "Lease has been revoked. Shutting down daemon.");
                    return Completion::Revoked;
                }
                Err(error) => {
                    log.error(sys, "registry.go:485", &format!("couldn't read etcd event: {error}"))
                }
            }
        }
        self.renew(sys, log, lease);
        Completion::Goes
    }

    fn plan_renewal(&mut self, sys: &dyn Sys, lease: &Lease) {
        let end = lease.expiration.unwrap_or(sys.now());
        self.renew_at = Some(end - self.margin);
    }

    fn renew(&mut self, sys: &mut dyn Sys, log: Log, lease: &mut Lease) {
        if self.renewal.is_none() && self.renew_at.is_none_or(|at| sys.now() < at) {
            return;
        }
        let key = self.key(lease.subnet);
        let call = self.renewal.get_or_insert_with(|| put(&key, &lease.attrs, Some(TTL), None));
        let Poll::Ready(outcome) = call.poll(sys, &mut self.client) else { return };
        self.renewal = None;
        match outcome {
            Ok(answer) => {
                lease.expiration = expiration(sys, &answer);
                self.plan_renewal(sys, lease);
                let end = lease.expiration.map_or(String::new(), |end| go_time(sys, end));
                log.info(sys, "local_manager.go:387", &format!("Lease renewed, new expiration: {end}"));
            }
            Err(failure) => {
                let text = format!("Error renewing lease (trying again in 1 min): {failure}");
                log.error(sys, "local_manager.go:382", &text);
                self.renew_at = Some(sys.now() + Duration::from_secs(60));
            }
        }
    }

    /// What it waits for while it starts.
    pub fn wait_starting(&self) -> Wait {
        self.call.as_ref().map_or_else(Wait::default, EtcdCall::wait)
    }

    /// What it waits for once it has a lease.
    pub fn wait(&self) -> Wait {
        let renewal = match &self.renewal {
            Some(call) => call.wait(),
            None => Wait { until: self.renew_at, ..Wait::default() },
        };
        join(join(self.leases.wait(), self.own.wait()), renewal)
    }
}

fn put(key: &str, attrs: &LeaseAttrs, ttl: Option<Duration>, prev_exist: Option<&str>) -> EtcdCall {
    let query: Vec<(&str, String)> =
        prev_exist.map(|value| ("prevExist", value.to_owned())).into_iter().collect();
    let mut form = vec![("value", serde_json::to_string(attrs).unwrap_or_default())];
    form.extend(ttl.map(|ttl| ("ttl", ttl.as_secs().to_string())));
    EtcdCall::put(key, &query, &form)
}

fn expiration(sys: &dyn Sys, answer: &EtcdAnswer) -> Option<SimTime> {
    instant(sys, answer.event().ok()?.node.expiration.as_deref()?)
}
