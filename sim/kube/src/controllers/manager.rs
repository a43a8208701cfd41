use std::sync::Arc;

use world::{Fd, Next, Program, Sys, Wait, Watch};

use super::cache::Cache;
use super::context::Context;
use super::flags::Flags;
use super::queue::Queue;
use super::route;
use crate::api::API_SERVER;

/// The process `kube-controller-manager`.
///
/// Simplified: there is no leader election; with several of them running each does the work that it
/// finds undone.
#[derive(Clone, Debug)]
pub struct Manager {
    flags: Result<Flags, String>,
    /// It has seen the store up to this revision.
    seen: u64,
    cache: Arc<Cache>,
    queue: Queue,
}

/// What its controllers are woken by: all but events.
const WATCHED: &[&str] = &[
    API_SERVER,
    "/registry/namespaces/",
    "/registry/nodes/",
    "/registry/pods/",
    "/registry/services/",
    "/registry/endpoints/",
    "/registry/endpointslices/",
    "/registry/deployments/",
    "/registry/replicasets/",
    "/registry/daemonsets/",
    "/registry/statefulsets/",
    "/registry/controllerrevisions/",
    "/registry/configmaps/",
    "/registry/serviceaccounts/",
    "/registry/ingresses/",
    "/registry/networkpolicies/",
    "/registry/rolebindings/",
    "/registry/roles/",
    "/registry/clusterrolebindings/",
    "/registry/clusterroles/",
    "/registry/unsimulated/",
];

/// Waits for changes after a revision.
pub fn watch(after: u64, prefixes: &[&str]) -> Watch {
    Watch { after, prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect() }
}

/// Tells why a component ends at its start, as cobra does.
pub fn fail(sys: &mut dyn Sys, message: &str) -> Next {
    let line = match message.starts_with("hoplab: ") {
        true => format!("{message}\n"),
        false => format!("Error: {message}\n"),
    };
    // Nobody may be there to read it.
    let _ = sys.write(Fd::STDERR, line.as_bytes());
    Next::Exit(1)
}

impl Manager {
    /// A process called with these arguments.
    pub fn new(args: &[String]) -> Self {
        let flags = Flags::parse(args);
        Self { flags, seen: 0, cache: Arc::default(), queue: Queue::default() }
    }
}

impl Program for Manager {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let flags = match &self.flags {
            Ok(flags) => flags,
            Err(message) => return fail(sys, message),
        };
        let revision = sys.store().revision();
        if sys.store().get(API_SERVER).is_none() {
            let watch = Some(watch(revision, &[API_SERVER]));
            return Next::Wait(Wait { watch, ..Wait::default() });
        }
        let cache = Arc::make_mut(&mut self.cache);
        for (key, entry) in sys.store().changes(self.seen) {
            if let Some(change) = cache.observe(key, entry) {
                route::route(cache, key, &change, &mut self.queue);
            }
        }
        self.seen = revision;
        let tasks = self.queue.take(sys.now());
        for task in tasks.iter().filter(|task| flags.enables(task.controller)) {
            let mut cx = Context { sys, cache, queue: &mut self.queue, flags };
            task.controller.sync(&mut cx, &task.namespace, &task.name);
        }
        let watch = Some(watch(self.seen, WATCHED));
        Next::Wait(Wait { until: self.queue.next(), watch, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
