//! What the plugins' directives say. Zones are lower case and fully qualified.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use dns::Name;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use regex::Regex;

use super::zone;

/// Where a plugin listens: `:8080`, `localhost:9153`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Its address; none for all.
    pub ip: Option<IpAddr>,
    /// Its port.
    pub port: u16,
}

/// For which names a plugin that knows nothing asks the next one; for none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fallthrough(pub Vec<Name>);

impl Fallthrough {
    /// Of a directive's arguments: all names if there are none.
    pub(super) fn of(args: &[String]) -> Self {
        if args.is_empty() {
            Self(vec![Name::root()])
        } else {
            Self(args.iter().flat_map(|arg| zone::zones(arg)).collect())
        }
    }

    /// Whether the next plugin is asked for this name.
    pub fn through(&self, name: &Name) -> bool {
        self.0.iter().any(|zone| zone.zone_of(name))
    }
}

/// A regular expression, in Go's syntax as far as Rust's regex has it.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// A level of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `[DEBUG]`: not printed unless `debug` is on.
    Debug,
    /// `[INFO]`.
    Info,
    /// `[WARNING]`.
    Warning,
    /// `[ERROR]`.
    Error,
}

/// `errors`: failed queries are logged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ErrorLog {
    /// Errors that are counted and logged once in a while.
    pub consolidate: Vec<Consolidate>,
}

/// `consolidate DURATION REGEXP [LEVEL]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Consolidate {
    /// How often.
    pub period: Duration,
    /// Which errors.
    pub pattern: Pattern,
    /// How loud.
    pub level: Level,
}

/// `health`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Where it answers.
    pub listen: Listen,
    /// How long the process stays, answering, after it was told to end.
    pub lameduck: Duration,
}

/// `reload [INTERVAL] [JITTER]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// How often the file is read.
    pub interval: Duration,
    /// The interval differs by up to half of this, either way.
    pub jitter: Duration,
}

/// A class of answers, for `log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// All.
    All,
    /// Answers and referrals.
    Success,
    /// No such name, or no record of that type.
    Denial,
    /// The rest.
    Error,
}

/// A rule of `log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRule {
    /// Queries below this name.
    pub scope: Name,
    /// The line, with its fields: `{remote}:{port} …`.
    pub format: String,
    /// Only for these.
    pub classes: BTreeSet<Class>,
}

/// `cache [TTL] [ZONES…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// Only names below these are cached.
    pub zones: Vec<Name>,
    /// Answers.
    pub success: CacheSide,
    /// Denials.
    pub denial: CacheSide,
    /// Fetches popular names before they expire.
    pub prefetch: Option<Prefetch>,
    /// Answers with what has expired.
    pub serve_stale: Option<ServeStale>,
    /// How long failures of servers are kept.
    pub servfail: Duration,
    /// Whether answers keep the TTL that they came with.
    pub ttl: CachedTtl,
}

/// The TTL of an answer from the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachedTtl {
    /// What is left.
    Left,
    /// `keepttl`: the first.
    Kept,
}

/// Half of a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSide {
    /// How many answers it holds.
    pub capacity: usize,
    /// The longest time that an answer is kept.
    pub max_ttl: Duration,
    /// The shortest.
    pub min_ttl: Duration,
    /// `disable`: names below these are not cached.
    pub except: Vec<Name>,
}

/// `prefetch AMOUNT [DURATION] [PERCENTAGE%]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefetch {
    /// How many queries make a name popular,
    pub amount: usize,
    /// without a gap longer than this.
    pub duration: Duration,
    /// When so much of the TTL is left it is fetched, 10..=90.
    pub percentage: u8,
}

/// `serve_stale [DURATION] [REFRESH_MODE]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeStale {
    /// For so long after it has expired.
    pub up_to: Duration,
    /// When the server is asked.
    pub refresh: Refresh,
}

/// When the server is asked for what has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// After the stale answer was given.
    Immediate,
    /// Before it is given.
    Verify,
}

/// `loadbalance`: how answers are shuffled. `weighted` is not simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shuffle {
    /// `round_robin`, which is at random.
    RoundRobin,
}

/// `hosts [FILE [ZONES…]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// The file.
    pub path: String,
    /// The zones it is asked for.
    pub zones: Vec<Name>,
    /// Further lines, as in the file.
    pub inline: Vec<String>,
    /// For which names the next plugin is asked.
    pub fallthrough: Fallthrough,
    /// Whether addresses have names.
    pub reverse: Reverse,
    /// The TTL of its answers, in seconds.
    pub ttl: u32,
    /// How often the file is looked at; zero for never.
    pub reload: Duration,
}

/// Whether `hosts` answers PTR queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reverse {
    /// It does.
    Answered,
    /// `no_reverse`.
    Unanswered,
}

/// `kubernetes [ZONES…]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Kubernetes {
    /// Its zones, reverse ones too.
    pub zones: Vec<Name>,
    /// Which of them is the cluster's domain: the first that is not a reverse one.
    pub primary: usize,
    /// How names of pods (`1-2-3-4.ns.pod.…`) are answered.
    pub pods: Pods,
    /// How endpoints without a host name are named.
    pub endpoint_names: EndpointNames,
    /// Only these namespaces; all if empty.
    pub namespaces: BTreeSet<String>,
    /// Only objects with these labels.
    pub labels: Option<LabelSelector>,
    /// Only namespaces with these labels.
    pub namespace_labels: Option<LabelSelector>,
    /// The TTL of its answers, in seconds, up to 3600.
    pub ttl: u32,
    /// For which names the next plugin is asked.
    pub fallthrough: Fallthrough,
    /// Whether endpoints are watched.
    pub endpoints: Endpoints,
    /// Whether a Service without ready endpoints has a name.
    pub empty_services: IfEmpty,
    /// `multicluster`: those of its zones that are a set of clusters'. Since CoreDNS 1.12.2.
    pub multicluster: Vec<Name>,
    /// Whether names may choose endpoints by their zone. Newer than CoreDNS 1.14.7.
    pub zonal: Zonal,
}

/// Whether `ZONE.pin._zone.SERVICE.NAMESPACE.svc…` names a Service's endpoints in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zonal {
    /// It doesn't.
    Unknown,
    /// `zonal`: it does, and `ZONE.prefer._zone.…` all of them if the zone has none.
    Named,
}

/// `pods`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pods {
    /// They have no names.
    Disabled,
    /// Any address in a namespace has one.
    Insecure,
    /// Only pods that are there.
    Verified,
}

/// How endpoints without a host name are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointNames {
    /// `1-2-3-4`.
    Address,
    /// `endpoint_pod_names`: the pod's name.
    Pod,
}

/// Whether endpoints are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// They are.
    Watched,
    /// `noendpoints`.
    Ignored,
}

/// What happens to a Service without ready endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfEmpty {
    /// It has its name.
    Answered,
    /// `ignore empty_service`.
    Ignored,
}

/// `forward FROM TO…`.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// Queries below this name,
    pub from: Name,
    /// except those below these,
    pub except: Vec<Name>,
    /// go to one of these servers.
    pub to: Vec<SocketAddr>,
    /// Which is asked first.
    pub policy: Policy,
    /// So many queries at a time; none for no limit.
    pub max_concurrent: Option<u32>,
    /// By which protocol.
    pub protocol: Upstream,
    /// Idle TCP connections are closed after this.
    pub expire: Duration,
    /// So many failed health checks make a server down; 0 for never.
    pub max_fails: u32,
    /// How a server is checked.
    pub health_check: HealthCheck,
}

/// Which server is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Any.
    Random,
    /// The next one.
    RoundRobin,
    /// The first that is up.
    Sequential,
}

/// By which protocol servers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// That of the query.
    AsAsked,
    /// `force_tcp`, which wins.
    ForceTcp,
    /// `prefer_udp`: UDP, and TCP if the answer was truncated.
    PreferUdp,
}

/// `health_check INTERVAL [no_rec] [domain NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The time between two checks, once a server has failed.
    pub interval: Duration,
    /// Whether the check's query desires recursion.
    pub recursion: Recursion,
    /// The name that it asks for the servers of.
    pub domain: Name,
}

/// Whether a query desires recursion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recursion {
    /// It does.
    Desired,
    /// `no_rec`.
    Off,
}
