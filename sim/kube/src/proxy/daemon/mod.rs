//! The process `kube-proxy`: it watches the API server and writes the rules of its node.

mod health;
pub(super) mod node;
pub(super) mod ports;
mod schedule;
mod userspace;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Endpoints, Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use packet::SimTime;
use tools::console::write_all;
use tools::net::read_file;
use world::{Args, Entry, Fd, Next, Program, Signal, Sys, Wait};

use super::input::{KubeProxyConfiguration, Settings, configuration};
use super::iptables::Proxier;
use super::options::Options;
use super::{Family, Mode, PATHS, Profile, ProxyConfig, Tracker};
use crate::api::{API_SERVER, key, prefix};
use crate::controllers::manager::watch;
use crate::time::klog;
use health::{Answer, Servers};
use node::Rejected;
use ports::Ports;
use schedule::Schedule;
use userspace::UserspaceState;

/// The version of a program that doesn't say which it is.
const VERSION: &str = "v1.30.5";
/// The label that names a node's zone.
const ZONE: &str = "topology.kubernetes.io/zone";

/// `kube-proxy`.
///
/// Simplified: it writes IPv4 rules only. Older ones log what 1.30 logs.
#[derive(Clone, Debug)]
pub struct Daemon {
    args: Args,
    stage: Stage,
}

/// How far it has come.
#[derive(Clone, Debug)]
enum Stage {
    /// Nothing was read yet.
    New,
    /// Waits until the API server knows its node.
    Node(Box<Settings>),
    /// Runs.
    Run(Box<State>),
    /// Runs in userspace mode.
    Userspace(Box<UserspaceState>),
}

impl Daemon {
    /// A process called with these arguments.
    pub fn new(args: Args) -> Self {
        Self { args, stage: Stage::New }
    }

    /// Goes as far as it can.
    fn advance(&mut self, sys: &mut dyn Sys) -> Result<Wait, Ended> {
        if let Stage::New = self.stage {
            self.stage = Stage::Node(Box::new(read_settings(sys, &self.args)?));
        }
        if let Stage::Node(settings) = &self.stage {
            let node_key = key::<Node>("", &settings.config.node_name);
            let node = sys.store().get(&node_key).and_then(Entry::get::<Node>);
            let config = settings.on_node(node.as_deref());
            let Some(config) = config.ok().filter(|config| !config.node_ips.is_empty()) else {
                let watch = Some(watch(sys.store().revision(), &[&node_key]));
                return Ok(Wait { watch, ..Wait::default() });
            };
            let sysctls = &settings.sysctls;
            self.stage = match config.mode {
                Mode::Iptables => Stage::Run(Box::new(State::start(sys, config, sysctls))),
                Mode::Userspace => Stage::Userspace(Box::new(UserspaceState::start(sys, config, sysctls))),
                Mode::Ipvs | Mode::Nftables => {
                    let text = format!("hoplab: kube-proxy's mode {} is not simulated", config.mode.name());
                    return Err(Ended(1, format!("Error: {text}\n")));
                }
            };
        }
        match &mut self.stage {
            Stage::Run(state) => Ok(state.turn(sys)),
            Stage::Userspace(state) => Ok(state.turn(sys)),
            Stage::New | Stage::Node(_) => Ok(Wait::default()),
        }
    }
}

/// Its end: a status, and what it says.
struct Ended(i32, String);

/// Reads arguments and file. What is wrong with an argument is said as it is, all else in the log.
fn read_settings(sys: &mut dyn Sys, args: &[String]) -> Result<Settings, Ended> {
    let failed = |error: String| Ended(1, format!("Error: {error}\n"));
    let mut options = Options::parse(args.get(1..).unwrap_or_default()).map_err(failed)?;
    let version = version(sys);
    if options.version {
        return Err(Ended(0, format!("Kubernetes {version}\n")));
    }
    let profile = Profile::of_version(&version).ok_or_else(|| {
        failed(format!("hoplab: kube-proxy {version} is not simulated, only 1.30, 1.9 and 1.1"))
    })?;
    let settings = match options.file.clone() {
        Some(file) => read_configuration(sys, &file)
            .map_err(|why| format!("failed complete: {why}"))
            .and_then(|configuration| {
                options.configuration = configuration;
                options.settings(profile)
            }),
        None => options.settings(profile),
    };
    let mut settings = settings.map_err(|why| {
        klog(sys, 'E', "run.go:74", &format!("\"command failed\" err={why:?}"));
        Ended(1, String::new())
    })?;
    if settings.config.node_name.is_empty() {
        settings.config.node_name = sys.hostname().to_lowercase();
    }
    Ok(settings)
}

fn read_configuration(sys: &mut dyn Sys, file: &str) -> Result<KubeProxyConfiguration, String> {
    let text = read_file(sys, file).ok_or_else(|| format!("open {file}: no such file or directory"))?;
    let (configuration, strange) = configuration(&text)?;
    if let Some(strange) = strange {
        let text = format!("\"Using lenient decoding as strict decoding failed\" err={strange:?}");
        klog(sys, 'I', "server.go:511", &text);
    }
    Ok(configuration)
}

/// The version that the program's file says it has.
fn version(sys: &mut dyn Sys) -> String {
    let texts = PATHS.iter().filter_map(|path| read_file(sys, path));
    let versions = texts.filter_map(|text| Some(text.strip_prefix("ELF ")?.trim().to_owned()));
    versions.into_iter().find(|version| version.starts_with('v')).unwrap_or_else(|| VERSION.to_owned())
}

#[derive(Clone, Debug)]
struct State {
    config: Arc<ProxyConfig>,
    proxier: Proxier,
    /// It has seen the store up to this revision.
    seen: u64,
    schedule: Schedule,
    /// When it looks whether its rules were flushed.
    next_look: SimTime,
    servers: Servers,
    ports: Ports,
    last_sync: Option<SimTime>,
    /// Whether load balancers may send to this node.
    is_eligible: bool,
}

impl State {
    fn start(sys: &mut dyn Sys, config: ProxyConfig, sysctls: &[(String, String)]) -> Self {
        klog(sys, 'I', "server_linux.go:69", "\"Using iptables proxy\"");
        let ips: Vec<String> = config.node_ips.iter().map(|ip| format!("{:?}", ip.to_string())).collect();
        let text = format!("\"Successfully retrieved node IP(s)\" IPs=[{}]", ips.join(","));
        klog(sys, 'I', "server.go:1062", &text);
        node::set_conntrack(sys, sysctls);
        let config = Arc::new(config);
        let proxier = Proxier::new(Family::Ipv4, Arc::clone(&config));
        let text = "\"kube-proxy running in single-stack mode\" ipFamily=\"IPv4\"";
        klog(sys, 'I', "server.go:661", text);
        klog(sys, 'I', "server_linux.go:165", "\"Using iptables Proxier\"");
        for (name, value) in proxier.sysctls() {
            let why = "to allow node-ports on localhost; to change this either disable \
                       iptables.localhostNodePorts (--iptables-localhost-nodeports) or set nodePortAddresses \
                       (--nodeport-addresses) to filter loopback addresses";
            klog(sys, 'I', "proxier.go:243", &format!("\"Setting route_localnet=1 {why}\""));
            node::set_sysctl(sys, name, value);
        }
        let version = version(sys);
        klog(sys, 'I', "server.go:872", &format!("\"Version info\" version={version:?}"));
        for (place, what) in [("192", "service"), ("101", "endpoint slice"), ("319", "node")] {
            klog(sys, 'I', &format!("config.go:{place}"), &format!("\"Starting {what} config controller\""));
            let text = format!("Waiting for caches to sync for {what} config");
            klog(sys, 'I', "shared_informer.go:313", &text);
        }
        node::ensure_kubelet(sys, &config);
        node::ensure_canaries(sys, &proxier);
        let schedule = Schedule::new(config.min_sync_period);
        let next_look = sys.now() + config.sync_period;
        let (servers, ports) = (Servers::start(sys), Ports::default());
        let (seen, last_sync, is_eligible) = (0, None, true);
        Self { config, proxier, seen, schedule, next_look, servers, ports, last_sync, is_eligible }
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Wait {
        let revision = sys.store().revision();
        let is_connected = sys.store().get(API_SERVER).is_some();
        let node_key = key::<Node>("", &self.config.node_name);
        let watches_endpoints = self.config.profile != Profile::V1_30;
        if is_connected {
            let mut changed = false;
            for (key, entry) in sys.store().changes(self.seen) {
                changed |= observe(
                    &mut self.proxier,
                    &mut self.is_eligible,
                    watches_endpoints,
                    &node_key,
                    key,
                    entry,
                );
            }
            if self.seen == 0 {
                for what in ["service", "endpoint slice", "node"] {
                    let text = format!("Caches are synced for {what} config");
                    klog(sys, 'I', "shared_informer.go:320", &text);
                }
                self.schedule.ask_now();
            } else if changed {
                self.schedule.ask(sys.now());
            }
            self.seen = revision;
        }
        if sys.now() >= self.next_look {
            self.next_look = sys.now() + self.config.sync_period;
            if self.last_sync.is_some() && !node::has_canary(sys, &self.proxier) {
                self.proxier.force_full_sync();
                node::ensure_canaries(sys, &self.proxier);
                self.schedule.ask_now();
            }
        }
        if self.schedule.is_due(sys.now()) {
            self.sync(sys);
        }
        self.serve(sys);
        let endpoints =
            if watches_endpoints { prefix::<Endpoints>(None) } else { prefix::<EndpointSlice>(None) };
        let prefixes = [API_SERVER, &prefix::<Service>(None), &endpoints, &node_key];
        let until = self.schedule.next().map_or(self.next_look, |next| next.min(self.next_look));
        let after = if is_connected { self.seen } else { revision };
        Wait {
            fds: self.servers.fds(),
            until: Some(until),
            watch: Some(watch(after, &prefixes)),
            ..Wait::default()
        }
    }

    fn sync(&mut self, sys: &mut dyn Sys) {
        let now = sys.now();
        let view = node::view(sys, self.proxier.looks_for_old_chains(since_start(now)));
        let mut sync = self.proxier.sync(&view);
        let refused = self.ports.open(sys, &sync.listen);
        if !refused.is_empty() {
            sync = self.proxier.without(&view, sync, &refused);
        }
        for ((namespace, name), ip) in &sync.other_family {
            let text = format!(
                "\"IP in endpointslice has incorrect IP version\" service=\"{namespace}/{name}\" ip={ip:?}"
            );
            klog(sys, 'E', "utils.go:151", &text);
        }
        let applied = node::apply(sys, &sync);
        self.ports.settle(sys, &sync.listen, applied.is_ok());
        match applied {
            Ok(()) => {
                self.schedule.ran(now);
                self.last_sync = Some(now);
                self.servers.set_services(sys, &sync.health);
            }
            Err(Rejected { place, message }) => {
                klog(sys, 'E', place, &message);
                let period = self.config.sync_period.as_secs();
                klog(sys, 'I', "proxier.go:810", &format!("\"Sync failed\" retryingTime=\"{period}s\""));
                self.proxier.force_full_sync();
                self.schedule.retry_at(now + self.config.sync_period);
            }
        }
    }

    fn serve(&mut self, sys: &mut dyn Sys) {
        let answer = Answer { last_sync: self.last_sync, is_eligible: self.is_eligible };
        self.servers.serve(sys, &answer);
    }
}

/// Tells a proxier of a change; answers whether it matters to it.
fn observe(
    proxier: &mut Proxier,
    is_eligible: &mut bool,
    watches_endpoints: bool,
    node_key: &str,
    changed: &str,
    entry: Option<&Entry>,
) -> bool {
    if let Some(matters) = track(&mut proxier.tracker, watches_endpoints, changed, entry) {
        return matters;
    }
    if changed == node_key {
        let node = entry.and_then(Entry::get::<Node>);
        let metadata = node.as_ref().map(|node| &node.metadata);
        let zone = metadata.and_then(|metadata| metadata.labels.as_ref()?.get(ZONE).cloned());
        *is_eligible = metadata.is_some_and(|metadata| metadata.deletion_timestamp.is_none());
        return proxier.set_zone(zone);
    }
    false
}

/// Tells a tracker of a change; answers whether it matters to it, and nothing if it is of another
/// kind.
fn track(
    tracker: &mut Tracker,
    watches_endpoints: bool,
    changed: &str,
    entry: Option<&Entry>,
) -> Option<bool> {
    let object = |prefix: &str| -> Option<(String, String)> {
        let (namespace, name) = changed.strip_prefix(prefix)?.split_once('/')?;
        Some((namespace.to_owned(), name.to_owned()))
    };
    if let Some(name) = object(&prefix::<Service>(None)) {
        tracker.set_service(name, entry.and_then(Entry::get::<Service>));
    } else if let Some((namespace, name)) = object(&prefix::<EndpointSlice>(None)) {
        if watches_endpoints {
            return Some(false);
        }
        tracker.set_slice(&namespace, &name, entry.and_then(Entry::get::<EndpointSlice>));
    } else {
        let name = object(&prefix::<Endpoints>(None))?;
        if !watches_endpoints {
            return Some(false);
        }
        tracker.set_endpoints(&name, entry.and_then(Entry::get::<Endpoints>).as_deref());
    }
    Some(true)
}

fn since_start(at: SimTime) -> Duration {
    Duration::from_nanos(at.as_nanos())
}

impl Program for Daemon {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        match self.advance(sys) {
            Ok(wait) => Next::Wait(wait),
            Err(Ended(status, message)) => {
                write_all(sys, if status == 0 { Fd::STDOUT } else { Fd::STDERR }, &message);
                Next::Exit(status)
            }
        }
    }

    /// What it did to the kernel stays.
    fn signal(&mut self, _: &mut dyn Sys, signal: Signal) -> Next {
        Next::Exit(128 + signal.number())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
