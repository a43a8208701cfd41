//! A pod's worker: brings what is on the node to what the pod is to be. Kubernetes:
//! `pkg/kubelet/pod_workers.go`, `pkg/kubelet/kuberuntime`.

mod start;
mod stop;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container as Spec, Pod};
use packet::{Pid, SimTime};
use tools::file;
use world::{Fd, Sys, Wait};

use crate::api;
use crate::api::event::{Report, Severity};
use crate::cni::libcni::NetworkList;
use crate::kubelet::config::Config;
use crate::kubelet::container;
use crate::kubelet::dns::PodDns;
use crate::kubelet::env::Facts;
use crate::kubelet::hook::Hook;
use crate::kubelet::kill::Kill;
use crate::kubelet::network::NOT_READY;
use crate::kubelet::probe::{Probe, Purpose, Target, Verdict};
use crate::kubelet::record::{Container, Ended, Record, Sandbox, State};
use crate::kubelet::shim::exit_of;
use crate::kubelet::status::{Picture, restart_policy};
use crate::kubelet::volume::{self, Mounted};
use crate::time::unix;

/// What a worker needs to know of its node.
#[derive(Clone, Debug)]
pub struct Here {
    /// The kubelet's configuration.
    pub config: Config,
    /// The node's address.
    pub host_ip: Option<Ipv4Addr>,
    /// The network of pods, if there is one.
    pub network: Option<NetworkList>,
    /// Whether there is an API server.
    pub api: bool,
}

impl Here {
    /// Says something about a pod, or about a part of it.
    pub fn event(&self, sys: &mut dyn Sys, pod: &Pod, part: &str, event: (Severity, &str, &str)) {
        let (severity, reason, message) = event;
        if !self.api {
            return;
        }
        let report = Report { severity, reason, message, component: "kubelet", host: &self.config.node_name };
        api::event::record_at(sys, pod, part, &report);
    }
}

/// Where a pod comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The API server.
    Api,
    /// A file of the node.
    File,
}

/// Whether a pod is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Runs,
    /// It is to go; the API server still has it or not.
    Stops {
        begun: bool,
        known: bool,
    },
    Gone,
}

/// A pod's worker.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The pod as it is to be.
    pub pod: Arc<Pod>,
    /// Where it comes from.
    pub source: Source,
    /// What the node has of it.
    pub record: Record,
    saved: Option<Record>,
    fate: Fate,
    probes: Vec<Probe>,
    /// The writing ends of the containers' inputs.
    pub inputs: BTreeMap<String, Fd>,
    /// The `postStart` hooks of containers.
    hooks: BTreeMap<String, Hook>,
    /// The containers that are being stopped.
    kills: BTreeMap<String, Kill>,
    retry: Option<SimTime>,
    /// How long it waits before it tries again to make volumes.
    volume_delay: Duration,
    /// Its status may have to be reported.
    dirty: bool,
}

/// Containerd and the kubelet try again after so long.
const RETRY: Duration = Duration::from_secs(10);
/// The longest wait between the starts of a container (`MaxContainerBackOff`).
const MAX_BACK_OFF: u64 = 300;
/// The shortest one.
const FIRST_BACK_OFF: u64 = 10;

/// What didn't work: the worker tries again after so long.
struct Later(Duration);

/// A duration in seconds as Go prints it: `1m20s`.
fn go_seconds(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// All containers of a pod, init containers first.
fn specs(pod: &Pod) -> impl Iterator<Item = (&Spec, bool)> {
    let spec = pod.spec.as_ref();
    let init = spec.and_then(|spec| spec.init_containers.as_ref()).into_iter().flatten();
    let main = spec.into_iter().flat_map(|spec| &spec.containers);
    init.map(|spec| (spec, true)).chain(main.map(|spec| (spec, false)))
}

/// `spec.containers{web}`.
fn part(name: &str, is_init: bool) -> String {
    let list = if is_init { "initContainers" } else { "containers" };
    format!("spec.{list}{{{name}}}")
}

impl Worker {
    /// A worker for a pod; what the node already has of it is in `record`.
    pub fn new(sys: &dyn Sys, pod: Arc<Pod>, source: Source, record: Option<Record>) -> Self {
        let fresh = || Record {
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            namespace: api::namespace_of(&*pod).to_owned(),
            name: api::name_of(&*pod).to_owned(),
            since: unix(sys),
            ..Record::default()
        };
        let saved = record.clone();
        let mut worker = Self {
            source,
            record: record.unwrap_or_else(fresh),
            saved,
            fate: Fate::Runs,
            probes: Vec::new(),
            inputs: BTreeMap::new(),
            hooks: BTreeMap::new(),
            kills: BTreeMap::new(),
            retry: None,
            volume_delay: Duration::from_millis(500),
            dirty: true,
            pod,
        };
        // Those that run already are probed again from the beginning; a hook isn't run again.
        let pod = Arc::clone(&worker.pod);
        for (spec, _) in specs(&pod) {
            let Some(it) = worker.record.containers.get_mut(&spec.name) else { continue };
            if it.run().is_some() {
                if it.hooked {
                    it.begin(spec);
                }
                worker.probes.extend(Probe::all(spec, sys.now()));
            }
        }
        worker
    }

    /// Takes a changed pod.
    pub fn update(&mut self, pod: Arc<Pod>) {
        self.dirty = true;
        if pod.metadata.deletion_timestamp.is_some() {
            self.stop(true);
        }
        self.pod = pod;
    }

    /// The pod is to go; the API server still has it or not.
    pub fn stop(&mut self, known: bool) {
        self.fate = match self.fate {
            Fate::Runs => {
                self.retry = None;
                Fate::Stops { begun: false, known }
            }
            Fate::Stops { begun, .. } => Fate::Stops { begun, known },
            Fate::Gone => Fate::Gone,
        };
    }

    /// Whether nothing is left of the pod.
    pub fn is_gone(&self) -> bool {
        self.fate == Fate::Gone
    }

    /// Its status has to be reported again.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    fn host_network(&self) -> bool {
        self.pod.spec.as_ref().is_some_and(|spec| spec.host_network == Some(true))
    }

    /// Where its containers are asked.
    fn ip(&self, here: &Here) -> Ipv4Addr {
        let own = self.record.sandbox.as_ref().and_then(|sandbox| sandbox.ip);
        own.or(here.host_ip).unwrap_or(Ipv4Addr::LOCALHOST)
    }

    fn facts<'a>(&'a self, here: &'a Here) -> Facts<'a> {
        Facts {
            pod: &self.pod,
            record: &self.record,
            node: &here.config.node_name,
            host_ip: here.host_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        }
    }

    /// Does what can be done now.
    pub fn turn(&mut self, sys: &mut dyn Sys, here: &Here) {
        self.note_ends(sys, here);
        self.go_on_killing(sys, here);
        match self.fate {
            Fate::Runs => {
                self.go_on_with_hooks(sys, here);
                self.ask(sys, here);
                if self.retry.is_none_or(|at| sys.now() >= at) {
                    self.retry = self.sync(sys, here).err().map(|Later(after)| sys.now() + after);
                }
            }
            Fate::Stops { begun, known } => self.go_on_stopping(sys, here, begun, known),
            Fate::Gone => return,
        }
        if self.saved.as_ref() != Some(&self.record) && self.fate != Fate::Gone {
            self.record.save(sys);
            self.saved = Some(self.record.clone());
            self.dirty = true;
        }
        if self.dirty && here.api && self.fate != Fate::Gone {
            self.dirty = false;
            self.report(sys, here);
        }
    }

    /// Writes what has changed of the volumes of a pod that runs.
    pub fn refresh(&self, sys: &mut dyn Sys, here: &Here) {
        let changes = |volume: &k8s_openapi::api::core::v1::Volume| {
            volume.config_map.is_some() || volume.downward_api.is_some() || volume.projected.is_some()
        };
        let mut volumes = self.pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        if self.fate == Fate::Runs && here.api && self.runs() && volumes.any(changes) {
            // What is gone from the API stays as it was.
            let _ = volume::prepare(sys, &self.facts(here));
        }
    }

    /// What it waits for.
    pub fn wait(&self, wait: &mut Wait) {
        if let Some(at) = self.retry {
            not_later(wait, at);
        }
        for (name, it) in &self.record.containers {
            if it.not_before > 0 && it.run().is_none() && self.fate == Fate::Runs {
                not_later(wait, SimTime::ZERO + Duration::from_nanos(it.not_before));
            }
            if let Some(run) = it.run() {
                wait.pids.push(Pid(run.shim));
                let kill = self.kills.get(name).map(Kill::wait);
                let hook = self.hooks.get(name).map(Hook::wait);
                kill.into_iter().chain(hook).for_each(|more| join(wait, more));
            }
        }
        if let Some(sandbox) = self.record.sandbox.as_ref().filter(|sandbox| sandbox.pid != 0)
            && self.retry.is_none()
            && self.fate == Fate::Runs
        {
            wait.pids.push(Pid(sandbox.pid));
        }
        if self.fate != Fate::Runs {
            return;
        }
        for probe in self.probes.iter().filter(|probe| self.asks(probe)) {
            join(wait, probe.wait());
        }
    }

    /// Notes containers that have ended.
    fn note_ends(&mut self, sys: &mut dyn Sys, here: &Here) {
        let mut runs = self.record.containers.values().filter_map(Container::run);
        if runs.all(|run| sys.args_of_pid(Pid(run.shim)).is_some()) {
            return;
        }
        let pod = Arc::clone(&self.pod);
        for (spec, is_init) in specs(&pod) {
            let Some(it) = self.record.containers.get_mut(&spec.name) else { continue };
            let Some(run) = it.run().cloned() else { continue };
            if sys.args_of_pid(Pid(run.shim)).is_some() {
                continue;
            }
            let noted = exit_of(sys, &run.id).or_else(|| Some((sys.exit_status(run.pid())?, unix(sys))));
            let (exit_code, finished) = noted.unwrap_or((255, unix(sys)));
            container::remove(sys, &run.id);
            let reason = if exit_code == 0 { "Completed" } else { "Error" }.to_owned();
            let ended = Ended {
                id: run.id,
                exit_code,
                reason,
                message: String::new(),
                started: run.started,
                finished,
            };
            (it.ready, it.started, it.hooked) = (false, false, false);
            it.state = State::Ended(ended);
            self.kills.remove(&spec.name);
            if let Some(hook) = self.hooks.remove(&spec.name) {
                hook.cancel(sys);
            }
            if let Some(fd) = self.inputs.remove(&spec.name) {
                sys.close(fd);
            }
            let (gone, kept) =
                std::mem::take(&mut self.probes).into_iter().partition(|probe| probe.container == spec.name);
            self.probes = kept;
            for mut probe in Vec::from_iter::<Vec<Probe>>(gone) {
                probe.cancel(sys);
            }
            if self.fate == Fate::Runs {
                self.back_off(sys, here, spec, is_init);
            }
        }
    }

    /// Whether a container that has ended is to start again.
    fn restarts(&self, spec: &Spec, is_init: bool, exit_code: i32) -> bool {
        match restart_policy(&self.pod) {
            "Never" => false,
            _ if is_init && spec.restart_policy.as_deref() != Some("Always") => exit_code != 0,
            "OnFailure" => exit_code != 0,
            _ => true,
        }
    }

    /// A container has ended: says when it may start again. Kubernetes: `doBackOff`.
    fn back_off(&mut self, sys: &mut dyn Sys, here: &Here, spec: &Spec, is_init: bool) {
        let Some(ended) = self.record.containers.get(&spec.name).and_then(Container::ended).cloned() else {
            return;
        };
        if !self.restarts(spec, is_init, ended.exit_code) {
            return;
        }
        let Some(it) = self.record.containers.get_mut(&spec.name) else { return };
        let ran = ended.finished - ended.started;
        let ran_long = ended.started > 0 && ran > i64::try_from(2 * MAX_BACK_OFF).unwrap_or(i64::MAX);
        if it.back_off == 0 || ran_long {
            it.back_off = FIRST_BACK_OFF;
            it.not_before = 0;
            return;
        }
        let seconds = it.back_off;
        it.not_before = (sys.now() + Duration::from_secs(seconds)).as_nanos();
        it.back_off = (seconds * 2).min(MAX_BACK_OFF);
        let pod = format!("{}_{}({})", self.record.name, self.record.namespace, self.record.uid);
        let name = &spec.name;
        let message =
            format!("back-off {} restarting failed container={name} pod={pod}", go_seconds(seconds));
        it.wait("CrashLoopBackOff", &message);
        let message = format!("Back-off restarting failed container {name} in pod {pod}");
        let event = (Severity::Warning, "BackOff", message.as_str());
        here.event(sys, &self.pod, &part(name, is_init), event);
    }

    /// Whether a probe asks at the moment: the others wait for the startup probe.
    fn asks(&self, probe: &Probe) -> bool {
        let Some(it) = self.record.containers.get(&probe.container) else { return false };
        let killed = self.kills.contains_key(&probe.container);
        it.run().is_some() && !killed && it.started != (probe.purpose == Purpose::Startup)
    }

    /// Lets the probes ask.
    fn ask(&mut self, sys: &mut dyn Sys, here: &Here) {
        let pod = Arc::clone(&self.pod);
        let mut probes = std::mem::take(&mut self.probes);
        for probe in &mut probes {
            if !self.asks(probe) || !probe.has_turn(sys.now()) {
                continue;
            }
            let Some((spec, is_init)) = specs(&pod).find(|(spec, _)| spec.name == probe.container) else {
                continue;
            };
            let Some(run) = self.record.containers.get(&spec.name).and_then(Container::run).cloned() else {
                continue;
            };
            let ip = self.ip(here);
            let env = match probe.runs_a_command() {
                true => self.environment_of(sys, here, &spec.name),
                false => BTreeMap::new(),
            };
            let Some(finding) = probe.turn(sys, &Target { spec, ip, pid: run.pid(), env }) else {
                continue;
            };
            if let Some(complaint) = finding.complaint {
                let message = format!("{} probe failed: {complaint}", probe.purpose.word());
                let event = (Severity::Warning, "Unhealthy", message.as_str());
                here.event(sys, &self.pod, &part(&spec.name, is_init), event);
            }
            self.judge(sys, here, (spec, is_init), (probe.purpose, finding.verdict));
        }
        self.probes = probes;
    }

    /// Draws the consequence of a probe.
    fn judge(
        &mut self,
        sys: &mut dyn Sys,
        here: &Here,
        (spec, is_init): (&Spec, bool),
        (purpose, verdict): (Purpose, Verdict),
    ) {
        let Some(it) = self.record.containers.get_mut(&spec.name) else { return };
        match (purpose, verdict) {
            (_, Verdict::Open) | (Purpose::Liveness, Verdict::Passed) => {}
            (Purpose::Startup, Verdict::Passed) => {
                it.started = true;
                it.ready = spec.readiness_probe.is_none();
            }
            (Purpose::Readiness, verdict) => it.ready = verdict == Verdict::Passed,
            (Purpose::Startup | Purpose::Liveness, Verdict::Failed) => {
                let again = if restart_policy(&self.pod) == "Never" { "" } else { ", will be restarted" };
                let word = purpose.word().to_lowercase();
                let message = format!("Container {} failed {word} probe{again}", spec.name);
                let grace = self.grace();
                self.kill(sys, here, (spec, is_init), &message, grace);
            }
        }
    }

    /// Brings the pod to what it is to be. Kubernetes: `Kubelet.SyncPod`,
    /// `kubeGenericRuntimeManager.SyncPod`.
    fn sync(&mut self, sys: &mut dyn Sys, here: &Here) -> Result<(), Later> {
        if matches!(self.picture(sys, here, &self.pod).phase(), "Succeeded" | "Failed") {
            if !self.runs() {
                return self.stop_sandbox(sys, here).map_err(|_| Later(jittered(sys, RETRY)));
            }
            return Ok(());
        }
        if self.is_steady(sys) {
            return Ok(());
        }
        let alive = self
            .record
            .sandbox
            .as_ref()
            .is_some_and(|sandbox| sandbox.pid != 0 && sys.args_of_pid(Pid(sandbox.pid)).is_some());
        if alive && !self.has_to_start(sys) {
            return Ok(());
        }
        if here.network.is_none() && !self.host_network() {
            let message = format!("network is not ready: {NOT_READY}");
            here.event(sys, &self.pod, "", (Severity::Warning, "NetworkNotReady", message.as_str()));
            return Err(Later(jittered(sys, Duration::from_secs(2))));
        }
        let volumes = self.volumes(sys, here)?;
        if !alive {
            self.renew_sandbox(sys, here)?;
        }
        self.start_containers(sys, here, &volumes)
    }

    /// Whether the sandbox and all containers run as they are to.
    fn is_steady(&self, sys: &dyn Sys) -> bool {
        let Some(spec) = &self.pod.spec else { return true };
        let run = |container: &Spec| {
            let run = self.record.containers.get(&container.name).and_then(Container::run);
            run.is_some_and(|run| Some(&run.image) == container.image.as_ref())
        };
        let runs = |sandbox: &Sandbox| sys.args_of_pid(Pid(sandbox.pid)).is_some();
        self.record.sandbox.as_ref().is_some_and(runs) && spec.containers.iter().all(run)
    }

    fn volumes(&mut self, sys: &mut dyn Sys, here: &Here) -> Result<Vec<Mounted>, Later> {
        match volume::prepare(sys, &self.facts(here)) {
            Ok(volumes) => {
                self.volume_delay = Duration::from_millis(500);
                Ok(volumes)
            }
            Err(why) => {
                here.event(sys, &self.pod, "", (Severity::Warning, "FailedMount", why.as_str()));
                let delay = self.volume_delay;
                self.volume_delay = (delay * 2).min(Duration::from_secs(122));
                Err(Later(delay))
            }
        }
    }

    /// Makes the pod's sandbox, after the one that is there has gone.
    fn renew_sandbox(&mut self, sys: &mut dyn Sys, here: &Here) -> Result<(), Later> {
        if self.record.sandbox.is_some() {
            if self.runs() {
                self.kill_all(sys, here, Duration::ZERO);
                return Err(Later(Duration::from_secs(1)));
            }
            let message = "Pod sandbox changed, it will be killed and re-created.";
            here.event(sys, &self.pod, "", (Severity::Normal, "SandboxChanged", message));
            if self.stop_sandbox(sys, here).is_err() {
                return Err(Later(jittered(sys, RETRY)));
            }
            // Init containers run again in the new one.
            for (spec, _) in specs(&self.pod).filter(|(_, is_init)| *is_init) {
                if let Some(it) = self.record.containers.get_mut(&spec.name) {
                    it.wait("", "");
                }
            }
        }
        let (dns, warnings) = PodDns::of(sys, &here.config, &self.pod);
        for (reason, message) in warnings {
            here.event(sys, &self.pod, "", (Severity::Warning, reason, message.as_str()));
        }
        for name in volume::not_simulated(&self.pod) {
            let message =
                format!("hoplab: volume {name:?} is kept as an empty folder: its kind is not simulated");
            here.event(sys, &self.pod, "", (Severity::Warning, "NotSimulated", message.as_str()));
        }
        self.record.attempts += 1;
        match self.around(here, &dns).run(sys) {
            Ok(sandbox) => {
                let place = self.place_name(sys);
                sys.name_place(&place, Pid(sandbox.pid));
                self.record.sandbox = Some(sandbox);
                Ok(())
            }
            Err(failure) => {
                let message = format!(
                    "Failed to create pod sandbox: rpc error: code = Unknown desc = {}",
                    failure.message
                );
                let event = (Severity::Warning, "FailedCreatePodSandBox", message.as_str());
                here.event(sys, &self.pod, "", event);
                self.record.sandbox = failure.left;
                Err(Later(jittered(sys, RETRY)))
            }
        }
    }

    /// The pod's name; with its namespace behind it if another pod here has the same.
    fn place_name(&self, sys: &dyn Sys) -> String {
        let Record { name, namespace, .. } = &self.record;
        if sys.place_pid(name).is_some() { format!("{name}.{namespace}") } else { name.clone() }
    }

    fn picture<'a>(&'a self, sys: &dyn Sys, here: &Here, pod: &'a Pod) -> Picture<'a> {
        Picture { pod, record: &self.record, host_ip: here.host_ip, now: unix(sys) }
    }

    /// Tells the API server how the pod is.
    fn report(&mut self, sys: &mut dyn Sys, here: &Here) {
        let (namespace, name) = (self.record.namespace.clone(), self.record.name.clone());
        let Some(known) = api::get::<Pod>(sys.store(), &namespace, &name) else { return };
        if self.source == Source::Api && known.metadata.uid != self.pod.metadata.uid {
            return;
        }
        let status = self.picture(sys, here, &known).status();
        if known.status.as_ref() == Some(&status) {
            return;
        }
        // A pod that went meanwhile needs no status.
        if let Ok(pod) = api::modify::<Pod>(sys, &namespace, &name, |pod| pod.status = Some(status))
            && self.source == Source::Api
        {
            self.pod = pod;
        }
    }
}

/// `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`.
fn link_log(sys: &mut dyn Sys, record: &Record, name: &str, id: &str, log: &str) {
    file::make_dirs(sys, "/var/log/containers");
    let link = format!("/var/log/containers/{}_{}_{name}-{id}.log", record.name, record.namespace);
    let _ = sys.symlink(log, &link);
}

/// Waits for something else too.
fn join(wait: &mut Wait, more: Wait) {
    wait.fds.extend(more.fds);
    wait.pids.extend(more.pids);
    if let Some(time) = more.until {
        not_later(wait, time);
    }
}

/// Lets a wait end at this time at the latest.
fn not_later(wait: &mut Wait, time: SimTime) {
    wait.until = Some(wait.until.map_or(time, |old| old.min(time)));
}

/// A wait with up to half as much again. Kubernetes: `wait.Jitter(…, 0.5)`.
fn jittered(sys: &mut dyn Sys, wait: Duration) -> Duration {
    let millis = u64::try_from(wait.as_millis()).unwrap_or(0).max(2);
    wait + Duration::from_millis(sys.random() % (millis / 2))
}
