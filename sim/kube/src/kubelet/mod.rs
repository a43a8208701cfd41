//! `kubelet`: makes a node's pods what they are to be, and says how they are. Kubernetes:
//! `pkg/kubelet`; containerd 1.7: `pkg/cri`.
//!
//! Read first: [`worker`] (a pod's life), [`sandbox`] and [`container`] (what runs of it),
//! [`network`] (CNI), [`status`] (what is reported).
//!
//! A kubelet that ends leaves all as it is: containers, namespaces, devices. The next one finds it
//! again by what [`record`] keeps.
//!
//! Simplified: containerd's work is done by the kubelet's process.

mod config;
mod container;
mod conversation;
mod dns;
mod env;
pub mod frame;
mod hook;
mod kill;
mod manifests;
mod network;
mod node;
mod probe;
mod record;
mod sandbox;
mod server;
mod shim;
mod status;
mod volume;
mod worker;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use packet::SimTime;
use world::{Args, Next, Program, Registry, Signal, Sys, Wait, Watch};

use config::Config;
use node::NodeReport;
pub use node::PORT;
use record::Record;
pub use server::SESSION;
use server::Server;
use worker::{Here, Source, Worker};

use crate::api::{self, API_SERVER};
use crate::time::klog;

/// Installs `kubelet`.
pub fn install(registry: &mut Registry) {
    registry.install("kubelet", |args| Box::new(Kubelet { args, agent: None }));
}

/// `kubelet`.
#[derive(Clone, Debug)]
struct Kubelet {
    args: Args,
    agent: Option<Box<Agent>>,
}

/// A kubelet at work.
#[derive(Clone, Debug)]
struct Agent {
    here: Here,
    node: NodeReport,
    server: Server,
    /// By uid.
    workers: BTreeMap<String, Worker>,
    /// What an earlier kubelet left, by uid, as long as it isn't known whose it is.
    found: BTreeMap<String, Record>,
    /// Whether the API server's pods have been listed since it came.
    listed: bool,
    /// What has been seen of the store.
    seen: u64,
    /// When it looks for its network again.
    look: SimTime,
    /// When it looks for static pods again.
    read: SimTime,
    /// When it looks whether volumes have changed.
    refresh: SimTime,
}

/// How often the runtime is asked whether it is ready (`updateRuntimeUp`).
const LOOK: Duration = Duration::from_secs(5);
/// `syncFrequency`: how often the files of ConfigMaps are written anew.
const REFRESH: Duration = Duration::from_secs(60);
/// `fileCheckFrequency`.
const READ: Duration = Duration::from_secs(20);

impl Agent {
    fn start(sys: &mut dyn Sys, args: &[String]) -> Result<Self, String> {
        let config = Config::parse(sys, args)?;
        if config.kubenet {
            config.kubenet_options.init(sys)?;
        }
        let server = Server::listen(sys)
            .map_err(|errno| format!("listen tcp :{PORT}: bind: {errno}").to_lowercase())?;
        let host_ip = node::address(sys, &config);
        let found = Record::load_all(sys).into_iter().map(|record| (record.uid.clone(), record)).collect();
        Ok(Self {
            here: Here { config, host_ip, network: None, api: false },
            node: NodeReport::default(),
            server,
            workers: BTreeMap::new(),
            found,
            listed: false,
            seen: 0,
            look: SimTime::ZERO,
            read: SimTime::ZERO,
            refresh: sys.now() + REFRESH,
        })
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Wait {
        let now = sys.now();
        let had_api = std::mem::replace(&mut self.here.api, api_server(sys).is_some());
        if now >= self.look {
            self.look = now + LOOK;
            self.look_for_network(sys);
        }
        if now >= self.read {
            self.read = now + READ;
            self.read_manifests(sys);
        }
        if !self.here.api {
            // All pods are listed again when it comes back.
            self.seen = sys.store().revision();
        }
        if self.here.api {
            self.node.turn(sys, &self.here.config, self.here.host_ip, self.here.network.is_some());
            self.take_pods(sys, had_api);
            if !had_api {
                self.workers.values_mut().for_each(Worker::touch);
            }
        }
        let refresh = now >= self.refresh;
        if refresh {
            self.refresh = now + REFRESH;
        }
        for worker in self.workers.values_mut() {
            if refresh {
                worker.refresh(sys, &self.here);
            }
            worker.turn(sys, &self.here);
        }
        self.workers.retain(|_, worker| !worker.is_gone());
        self.server.turn(sys, &self.here, &self.workers);
        self.wait()
    }

    fn wait(&self) -> Wait {
        let mut until = self.look;
        if !self.here.config.manifests.is_empty() {
            until = until.min(self.read);
        }
        let mut prefixes = vec![API_SERVER.to_owned()];
        if self.here.api {
            until = until.min(self.node.next());
            prefixes.push(api::prefix::<Pod>(None));
        }
        let mut wait = Wait {
            fds: self.server.fds().collect(),
            until: Some(until),
            watch: Some(Watch { after: self.seen, prefixes }),
            ..Wait::default()
        };
        for worker in self.workers.values() {
            worker.wait(&mut wait);
        }
        wait
    }

    fn look_for_network(&mut self, sys: &mut dyn Sys) {
        let cidr = match self.here.config.kubenet {
            true => api::get::<Node>(sys.store(), "", &self.here.config.node_name)
                .and_then(|node| node.spec.as_ref()?.pod_cidr.clone()),
            false => None,
        };
        let cidr = cidr.or_else(|| self.here.config.pod_cidr.map(|cidr| cidr.to_string()));
        self.here.network = network::load(sys, &self.here.config, cidr.as_deref());
    }

    fn read_manifests(&mut self, sys: &mut dyn Sys) {
        let pods = manifests::read(sys, &self.here.config);
        for (uid, worker) in &mut self.workers {
            if worker.source == Source::File && !pods.contains_key(uid) {
                worker.stop(false);
            }
        }
        for (uid, pod) in pods {
            if self.here.api || api_server(sys).is_some() {
                manifests::mirror(sys, &pod);
            }
            if !self.workers.contains_key(&uid) {
                let worker = Worker::new(sys, pod, Source::File, self.found.remove(&uid));
                self.workers.insert(uid, worker);
            }
        }
    }

    /// Takes what has changed among the API server's pods; all of them when it has come.
    fn take_pods(&mut self, sys: &mut dyn Sys, had_api: bool) {
        let revision = sys.store().revision();
        if !had_api || !self.listed {
            self.listed = true;
            let pods = api::list::<Pod>(sys.store(), None);
            let known: Vec<String> = pods.iter().filter_map(|pod| pod.metadata.uid.clone()).collect();
            for pod in pods {
                self.take(sys, pod);
            }
            for (uid, worker) in &mut self.workers {
                if worker.source == Source::Api && !known.contains(uid) {
                    worker.stop(false);
                }
            }
            // Nobody wants what is still left.
            for (uid, record) in std::mem::take(&mut self.found) {
                let mut worker = Worker::new(sys, Arc::new(remnant(&record)), Source::Api, Some(record));
                worker.stop(false);
                self.workers.insert(uid, worker);
            }
        } else {
            let prefix = api::prefix::<Pod>(None);
            let read = |(key, entry): (&str, Option<&world::Entry>)| {
                let (namespace, name) = key.strip_prefix(&prefix)?.split_once('/')?;
                Some((namespace.to_owned(), name.to_owned(), entry.and_then(world::Entry::get::<Pod>)))
            };
            let changes: Vec<_> = sys.store().changes(self.seen).filter_map(read).collect();
            for (namespace, name, pod) in changes {
                let uid = pod.as_ref().and_then(|pod| pod.metadata.uid.as_ref());
                for (own, worker) in &mut self.workers {
                    let Record { namespace: its, name: own_name, .. } = &worker.record;
                    let is_other = worker.source == Source::Api && Some(own) != uid;
                    if is_other && *own_name == name && *its == namespace {
                        worker.stop(false);
                    }
                }
                if let Some(pod) = pod {
                    self.take(sys, pod);
                }
            }
        }
        self.seen = revision;
    }

    fn take(&mut self, sys: &mut dyn Sys, pod: Arc<Pod>) {
        let here = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref());
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        if here != Some(&self.here.config.node_name) {
            return;
        }
        if manifests::is_mirror(&pod) {
            let behind = self.workers.values().find(|worker| {
                worker.source == Source::File && api::name_of(&*worker.pod) == api::name_of(&*pod)
            });
            if behind.is_none() || pod.metadata.deletion_timestamp.is_some() {
                api::finalize::<Pod>(sys, api::namespace_of(&*pod), api::name_of(&*pod));
            }
            if let Some(worker) = behind.filter(|_| pod.metadata.deletion_timestamp.is_some()) {
                manifests::mirror(sys, &worker.pod);
            }
            return;
        }
        match self.workers.get_mut(&uid) {
            Some(worker) => worker.update(pod),
            None => {
                let record = self.found.remove(&uid);
                let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
                let over = matches!(phase, Some("Succeeded" | "Failed"));
                let deleted = pod.metadata.deletion_timestamp.is_some();
                if over && record.is_none() && !deleted {
                    return;
                }
                let mut worker = Worker::new(sys, Arc::clone(&pod), Source::Api, record);
                worker.update(pod);
                self.workers.insert(uid, worker);
            }
        }
    }
}

/// A pod of which only what an earlier kubelet kept is known.
fn remnant(record: &Record) -> Pod {
    let metadata = ObjectMeta {
        name: Some(record.name.clone()),
        namespace: Some(record.namespace.clone()),
        uid: Some(record.uid.clone()),
        ..ObjectMeta::default()
    };
    Pod { metadata, ..Pod::default() }
}

/// Where the API server is, if there is one.
pub fn api_server(sys: &dyn Sys) -> Option<SocketAddr> {
    sys.store().get(API_SERVER)?.get::<SocketAddr>().map(|addr| *addr)
}

impl Program for Kubelet {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut agent = match self.agent.take() {
            Some(agent) => agent,
            None => match Agent::start(sys, &self.args) {
                Ok(agent) => Box::new(agent),
                Err(why) => {
                    klog(sys, 'E', "run.go:74", &format!("\"command failed\" err={why:?}"));
                    return Next::Exit(1);
                }
            },
        };
        let wait = agent.turn(sys);
        self.agent = Some(agent);
        Next::Wait(wait)
    }

    fn signal(&mut self, _sys: &mut dyn Sys, signal: Signal) -> Next {
        Next::Exit(if signal == Signal::Kill { 128 + signal.number() } else { 0 })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
