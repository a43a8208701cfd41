//! A cluster of one host: the control plane's processes, and a kubelet that only says that pods run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::{self, API_SERVER, ClusterSettings, Kind, manifest};
use packet::{HostId, NetnsId, Pid};
use trace::Off;
use world::{ConsoleId, Next, Program, Signal, Sys, Wait, Watch, World};

pub struct Cluster {
    pub world: World,
    host: HostId,
    console: ConsoleId,
    processes: BTreeMap<String, Pid>,
}

/// Says of a node that it is ready, every ten seconds, and of its pods that they run; takes away
/// those that are to go.
#[derive(Clone, Debug)]
struct Kubelet {
    node: String,
    number: u8,
    next: u32,
    seen: u64,
    beat: u64,
}

impl Program for Kubelet {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let time = Time(
            Timestamp::from_second(i64::try_from(sys.unix_time()).expect("it is not so late"))
                .expect("nor that"),
        );
        if sys.unix_time() >= self.beat {
            self.beat = sys.unix_time() + 10;
            let _ = api::modify::<Node>(sys, "", &self.node, |node| {
                let conditions = node.status.get_or_insert_default().conditions.get_or_insert_default();
                let was = conditions
                    .iter()
                    .find(|known| known.status == "True")
                    .and_then(|known| known.last_transition_time.clone());
                *conditions = vec![NodeCondition {
                    type_: "Ready".to_owned(),
                    status: "True".to_owned(),
                    reason: Some("KubeletReady".to_owned()),
                    last_heartbeat_time: Some(time.clone()),
                    last_transition_time: was.or(Some(time.clone())),
                    ..NodeCondition::default()
                }];
            });
        }
        let changed: Vec<Arc<Pod>> =
            sys.store().changes(self.seen).filter_map(|(_, entry)| entry?.get()).collect();
        self.seen = sys.store().revision();
        for pod in changed
            .iter()
            .filter(|pod| pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(&self.node))
        {
            let (namespace, name) = (api::namespace_of(&**pod), api::name_of(&**pod));
            if pod.metadata.deletion_timestamp.is_some() {
                api::finalize::<Pod>(sys, namespace, name);
            } else if pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Pending") {
                self.next += 1;
                let ip = format!("10.{}.{}.{}", 244 + self.next / 250, self.number, self.next % 250);
                let broken = pod
                    .spec
                    .as_ref()
                    .is_some_and(|spec| spec.containers[0].image.as_deref() == Some("broken"));
                let condition = PodCondition {
                    type_: "Ready".to_owned(),
                    status: if broken { "False" } else { "True" }.to_owned(),
                    last_transition_time: Some(time.clone()),
                    ..PodCondition::default()
                };
                api::modify::<Pod>(sys, namespace, name, |pod| {
                    let status = pod.status.get_or_insert_default();
                    status.phase = Some("Running".to_owned());
                    status.pod_ip = Some(ip);
                    status.conditions.get_or_insert_default().push(condition);
                })
                .expect("the pod is there");
            }
        }
        let until = Some(sys.now() + Duration::from_secs(self.beat.saturating_sub(sys.unix_time())));
        let prefixes = vec![api::prefix::<Pod>(None)];
        Next::Wait(Wait { until, watch: Some(Watch { after: self.seen, prefixes }), ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

impl Cluster {
    /// A control plane that runs, and nodes `n1`, `n2`….
    pub fn new(nodes: u8) -> Self {
        let mut registry = tools::registry();
        kube::controllers::install(&mut registry);
        kube::scheduler::install(&mut registry);
        let mut world = World::new(7);
        let host = world.add_host("master", registry);
        let console = world.add_console(host, false);
        let settings =
            ClusterSettings { api_server: ([10, 0, 0, 1].into(), 6443), ..ClusterSettings::default() };
        world.store_put(ClusterSettings::KEY, Arc::new(settings));
        world.store_put(API_SERVER, Arc::new(()));
        let mut cluster = Self { world, host, console, processes: BTreeMap::new() };
        cluster.act(kube::controllers::system_namespaces);
        cluster.start("kube-controller-manager");
        cluster.start("kube-scheduler");
        cluster.run(1);
        for number in 1..=nodes {
            cluster.join(number);
        }
        cluster.run(1);
        cluster
    }

    /// Starts a program.
    pub fn start(&mut self, line: &str) {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let name = args[0].clone();
        let pid = self
            .world
            .spawn(self.host, NetnsId::INIT, self.console, args, BTreeMap::new())
            .expect("it is installed");
        self.processes.insert(name, pid);
    }

    /// Stops it.
    pub fn stop(&mut self, name: &str) {
        let pid = self.processes.remove(name).expect("it runs");
        self.world.signal(self.host, pid, Signal::Term);
    }

    /// What the programs have printed.
    pub fn printed(&mut self) -> String {
        let output = self.world.take_output(self.host, self.console);
        output.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes)).collect()
    }

    /// A node joins.
    pub fn join(&mut self, number: u8) {
        let name = format!("n{number}");
        let manifest = format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: {name}, labels: {{kubernetes.io/hostname: {name}}}}}, \
             status: {{allocatable: {{cpu: 2, memory: 4Gi, pods: 400}}}}}}"
        );
        self.apply(&manifest);
        let kubelet = Kubelet { node: name.clone(), number, next: 1, seen: 0, beat: 0 };
        let args = vec![format!("kubelet-{name}")];
        let pid = self.world.spawn_program(
            self.host,
            NetnsId::INIT,
            self.console,
            args.clone(),
            Box::new(kubelet),
            BTreeMap::new(),
        );
        self.processes.insert(args[0].clone(), pid);
    }

    /// Lets a client act, at once.
    pub fn act(&mut self, act: impl Fn(&mut dyn Sys) + Send + Sync + 'static) {
        crate::act::act(&mut self.world, self.host, self.console, act);
    }

    /// Makes or replaces the objects of a manifest.
    pub fn apply(&mut self, text: &str) {
        let manifests = manifest::read(text).expect("the manifest is good");
        self.act(move |sys| {
            for manifest in &manifests {
                let namespace = manifest.namespace().unwrap_or("default");
                let there = (manifest.resource.get)(sys.store(), namespace, manifest.name()).is_some();
                let put = if there { manifest.resource.update } else { manifest.resource.create };
                put(sys, &manifest.object).expect("the API server takes it");
            }
        });
    }

    /// Changes an object of namespace `default`.
    pub fn modify<K: Kind>(&mut self, name: &str, change: impl Fn(&mut K) + Send + Sync + 'static) {
        let name = name.to_owned();
        self.act(move |sys| {
            api::modify::<K>(sys, "default", &name, &change).expect("it is there, and the change is good");
        });
    }

    /// Deletes an object of namespace `default`.
    pub fn delete<K: Kind>(&mut self, name: &str) {
        let name = name.to_owned();
        self.act(move |sys| api::delete::<K>(sys, "default", &name, None).expect("it is there"));
    }

    /// Lets seconds pass.
    pub fn run(&mut self, seconds: u64) {
        let until = self.world.now() + Duration::from_secs(seconds);
        self.world.run_until(until, &mut Off);
    }

    /// A line for each object of a kind, in all namespaces.
    pub fn list<K: Kind>(&self, line: impl Fn(&K) -> String) -> String {
        api::list::<K>(self.world.store(), None).iter().map(|object| line(object) + "\n").collect()
    }
}
