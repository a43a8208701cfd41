//! The objects that the kubernetes plugin watches.

use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use packet::SimTime;
use world::{Entry, Sys, Watch};

use crate::api::{API_SERVER, prefix};
use crate::controllers::manager::watch;
use crate::coredns::Cluster;
use crate::coredns::corefile::{Corefile, Endpoints, Pods};
use crate::time::unix;

/// Which kinds are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kinds {
    slices: bool,
    pods: bool,
}

/// Whether a cluster is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watching {
    /// No plugin wants to know.
    Never,
    /// It is.
    Now,
    /// No more: what was known stays.
    Over,
}

/// What one instance knows of its cluster.
///
/// Simplified: it hears of objects out of band.
#[derive(Clone, Debug)]
pub(super) struct Watcher {
    /// What it knows.
    pub cluster: Cluster,
    kinds: Kinds,
    seen: u64,
    watching: Watching,
}

impl Watcher {
    /// One for the kubernetes plugins of a Corefile.
    pub fn of(corefile: &Corefile) -> Self {
        let plugins = || corefile.servers.iter().filter_map(|server| server.plugins.kubernetes.as_ref());
        let kinds = Kinds {
            slices: plugins().any(|plugin| plugin.endpoints == Endpoints::Watched),
            pods: plugins().any(|plugin| plugin.pods == Pods::Verified),
        };
        let watching = if plugins().next().is_some() { Watching::Now } else { Watching::Never };
        Self { cluster: Cluster::new(), kinds, seen: 0, watching }
    }

    /// Whether there is nothing more to wait for.
    pub fn is_ready(&self) -> bool {
        self.watching == Watching::Never || self.cluster.is_synced()
    }

    /// Takes what has changed. Nothing does as long as there is no API server.
    pub fn turn(&mut self, sys: &dyn Sys) {
        if self.watching != Watching::Now || sys.store().get(API_SERVER).is_none() {
            return;
        }
        let unix = u32::try_from(unix(sys)).unwrap_or(u32::MAX);
        for (key, entry) in sys.store().changes(self.seen) {
            self.take(key, entry, unix);
        }
        self.seen = sys.store().revision();
        self.cluster.set_synced(true);
    }

    fn take(&mut self, key: &str, entry: Option<&Entry>, unix: u32) {
        let in_namespace = |prefix: String| key.strip_prefix(&prefix)?.split_once('/');
        if let Some((namespace, name)) = in_namespace(prefix::<Service>(None)) {
            self.cluster.set_service(namespace, name, entry.and_then(Entry::get).as_deref(), unix);
        } else if let Some((namespace, name)) = in_namespace(prefix::<EndpointSlice>(None)) {
            if self.kinds.slices {
                self.cluster.set_slice(namespace, name, entry.and_then(Entry::get).as_deref(), unix);
            }
        } else if let Some((namespace, name)) = in_namespace(prefix::<Pod>(None)) {
            if self.kinds.pods {
                self.cluster.set_pod(namespace, name, entry.and_then(Entry::get).as_deref(), unix);
            }
        } else if let Some(name) = key.strip_prefix(&prefix::<Namespace>(None)) {
            self.cluster.set_namespace(name, entry.and_then(Entry::get).as_deref());
        }
    }

    /// What it waits for.
    pub fn wait(&self) -> Option<Watch> {
        let mut prefixes = vec![API_SERVER.to_owned(), prefix::<Service>(None), prefix::<Namespace>(None)];
        prefixes.extend(self.kinds.slices.then(|| prefix::<EndpointSlice>(None)));
        prefixes.extend(self.kinds.pods.then(|| prefix::<Pod>(None)));
        let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        (self.watching == Watching::Now).then(|| watch(self.seen, &prefixes))
    }

    /// Stops watching; what it knows stays.
    pub fn stop(&mut self) {
        if self.watching == Watching::Now {
            self.watching = Watching::Over;
        }
    }
}

/// How often it is looked whether the lists have come, before a server starts.
const CHECK: std::time::Duration = std::time::Duration::from_millis(100);
/// How often that is logged.
const LOG: std::time::Duration = std::time::Duration::from_millis(500);
/// How long a server waits for it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The time until the lists have come. CoreDNS: `InitKubeCache`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syncing {
    check: SimTime,
    log: SimTime,
    end: SimTime,
}

/// How a look at the lists ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Synced {
    /// They have come.
    Yes,
    /// Not yet.
    NotYet,
    /// Nor will they be waited for any longer.
    Late,
}

impl Syncing {
    /// It begins.
    pub fn start(now: SimTime) -> Self {
        Self { check: now + CHECK, log: now + LOG, end: now + PATIENCE }
    }

    /// When there is something to do.
    pub fn next(&self) -> SimTime {
        self.check.min(self.log).min(self.end)
    }

    /// Looks, and says what is to be logged.
    pub fn turn(&mut self, now: SimTime, is_synced: bool) -> (Synced, Option<&'static str>) {
        if now >= self.check {
            self.check = now + CHECK;
            if is_synced {
                return (Synced::Yes, None);
            }
        }
        if now >= self.end {
            let text = "[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API";
            return (Synced::Late, Some(text));
        }
        if now >= self.log {
            self.log = now + LOG;
            let text = "[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server";
            return (Synced::NotYet, Some(text));
        }
        (Synced::NotYet, None)
    }
}
