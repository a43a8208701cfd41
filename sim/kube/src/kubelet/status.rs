//! A pod's status as its kubelet reports it. Kubernetes: `pkg/kubelet/kubelet_pods.go`,
//! `pkg/kubelet/status/generate.go`.

use k8s_openapi::api::core::v1::{
    Container as Spec, ContainerState, ContainerStateRunning, ContainerStateTerminated,
    ContainerStateWaiting, ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus,
};
use sha2::{Digest, Sha256};

use super::record::{Container, Ended, Record, State};
use crate::time::time;

/// What a status is made of.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What the node has of it.
    pub record: &'a Record,
    /// The node's address.
    pub host_ip: Option<std::net::Ipv4Addr>,
    /// Seconds since 1970.
    pub now: i64,
}

/// `docker.io/library/nginx:latest` for `nginx`.
pub fn full_reference(image: &str) -> String {
    let tagged = tools::image::tagged(image);
    let first = tagged.split('/').next().unwrap_or_default();
    let has_registry = tagged.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    match (has_registry, tagged.contains('/')) {
        (true, _) => tagged,
        (false, true) => format!("docker.io/{tagged}"),
        (false, false) => format!("docker.io/library/{tagged}"),
    }
}

/// Simplified: the digest is that of the reference.
fn image_id(image: &str) -> String {
    let full = full_reference(image);
    let digest: String = Sha256::digest(&full).iter().map(|byte| format!("{byte:02x}")).collect();
    let name = full.rsplit_once(':').map_or(full.as_str(), |(name, _)| name);
    format!("{name}@sha256:{digest}")
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn terminated(ended: &Ended) -> ContainerStateTerminated {
    ContainerStateTerminated {
        container_id: some(&ended.id).map(|id| format!("containerd://{id}")),
        exit_code: ended.exit_code,
        finished_at: Some(time(ended.finished)),
        started_at: Some(time(ended.started)),
        message: some(&ended.message),
        reason: some(&ended.reason),
        signal: None,
    }
}

impl Picture<'_> {
    fn lists(&self) -> (&[Spec], &[Spec]) {
        let spec = self.pod.spec.as_ref();
        let init = spec.and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
        (init, spec.map_or(&[][..], |spec| &spec.containers))
    }

    fn container(&self, name: &str) -> Option<&Container> {
        self.record.containers.get(name)
    }

    /// Whether all init containers are through.
    fn is_initialized(&self) -> bool {
        self.lists().0.iter().all(|init| self.container(&init.name).is_some_and(|it| passed(init, it)))
    }

    fn container_status(&self, spec: &Spec, is_init: bool) -> ContainerStatus {
        let none = Container::default();
        let it = self.container(&spec.name).unwrap_or(&none);
        let image = spec.image.clone().unwrap_or_default();
        let mut state = ContainerState::default();
        let mut last = it.last.as_ref();
        let mut id = String::new();
        match it.shown() {
            State::Waiting { reason, message } => {
                let default = if !self.is_initialized() || is_init && self.lists().0.len() > 1 {
                    "PodInitializing"
                } else {
                    "ContainerCreating"
                };
                let waits = !self.lists().0.is_empty();
                let default = if waits { default } else { "ContainerCreating" };
                let reason = if reason.is_empty() { default } else { reason };
                state.waiting = Some(ContainerStateWaiting { message: some(message), reason: some(reason) });
                id = last.map(|last| last.id.clone()).unwrap_or_default();
            }
            State::Running(run) => {
                state.running = Some(ContainerStateRunning { started_at: Some(time(run.started)) });
                id.clone_from(&run.id);
            }
            State::Ended(ended) => {
                state.terminated = Some(terminated(ended));
                id.clone_from(&ended.id);
                if last.is_some_and(|last| last.id == ended.id) {
                    last = None;
                }
            }
        }
        let running = it.run().is_some() && !it.hooked;
        let done = it.ended().is_some_and(|ended| ended.exit_code == 0);
        let last_state = ContainerState { terminated: last.map(terminated), ..ContainerState::default() };
        let image_text = if id.is_empty() { image.clone() } else { full_reference(&image) };
        ContainerStatus {
            container_id: some(&id).map(|id| format!("containerd://{id}")),
            image: image_text,
            image_id: if id.is_empty() { String::new() } else { image_id(&image) },
            last_state: Some(last_state),
            name: spec.name.clone(),
            ready: if is_init { done || running && it.ready } else { running && it.ready },
            restart_count: it.restarts,
            started: Some(running && it.started),
            state: Some(state),
            ..ContainerStatus::default()
        }
    }

    /// Kubernetes: `getPhase`.
    pub fn phase(&self) -> &'static str {
        let (init, main) = self.lists();
        let policy = restart_policy(self.pod);
        let failed = |spec: &Spec| {
            self.container(&spec.name).and_then(Container::ended).is_some_and(|ended| ended.exit_code != 0)
        };
        if !self.is_initialized() {
            return if policy == "Never" && init.iter().any(failed) { "Failed" } else { "Pending" };
        }
        let (mut running, mut waiting, mut stopped, mut succeeded) = (0, 0, 0, 0);
        for spec in main {
            match self.container(&spec.name) {
                Some(it) if it.hooked => waiting += 1,
                Some(it) if it.run().is_some() => running += 1,
                Some(it) => match it.ended() {
                    Some(ended) => {
                        stopped += 1;
                        succeeded += usize::from(ended.exit_code == 0);
                    }
                    None => waiting += 1,
                },
                None => waiting += 1,
            }
        }
        match () {
            () if waiting > 0 => "Pending",
            () if running > 0 => "Running",
            () if stopped == 0 => "Pending",
            () if policy == "Always" => "Running",
            () if stopped == succeeded => "Succeeded",
            () if policy == "Never" => "Failed",
            () => "Running",
        }
    }

    fn conditions(&self, phase: &str) -> Vec<PodCondition> {
        let (init, main) = self.lists();
        let old =
            self.pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let has_sandbox = self.record.sandbox.as_ref().is_some_and(|sandbox| sandbox.pid != 0);
        let unready = |list: &[Spec], good: &dyn Fn(&Spec) -> bool| -> Vec<String> {
            list.iter().filter(|spec| !good(spec)).map(|spec| spec.name.clone()).collect()
        };
        let initialized = self.is_initialized();
        let incomplete = unready(init, &|spec| self.container(&spec.name).is_some_and(|it| passed(spec, it)));
        let not_ready = unready(main, &|spec| {
            self.container(&spec.name).is_some_and(|it| it.run().is_some() && it.ready)
        });
        let completed = phase == "Succeeded";
        let ready = match (completed, phase, not_ready.is_empty()) {
            (true, ..) => Err(("PodCompleted", String::new())),
            (_, "Failed", _) => Err(("PodFailed", String::new())),
            (_, _, true) => Ok(""),
            _ => Err((
                "ContainersNotReady",
                format!("containers with unready status: [{}]", not_ready.join(" ")),
            )),
        };
        let initialized = match (initialized, completed) {
            (true, true) => Ok("PodCompleted"),
            (true, false) => Ok(""),
            (false, _) => Err((
                "ContainersNotInitialized",
                format!("containers with incomplete status: [{}]", incomplete.join(" ")),
            )),
        };
        let sandboxed = if has_sandbox { Ok("") } else { Err(("", String::new())) };
        let mut list: Vec<PodCondition> = [
            ("PodReadyToStartContainers", sandboxed),
            ("Initialized", initialized),
            ("Ready", ready.clone()),
            ("ContainersReady", ready),
        ]
        .into_iter()
        .map(|(name, state)| self.condition(old, name, state))
        .collect();
        let scheduled = old.iter().find(|condition| condition.type_ == "PodScheduled").cloned();
        list.push(scheduled.unwrap_or_else(|| self.condition(old, "PodScheduled", Ok(""))));
        let others = old.iter().filter(|old| list.iter().all(|new| new.type_ != old.type_));
        let others: Vec<PodCondition> = others.cloned().collect();
        list.extend(others);
        list
    }

    fn condition(
        &self,
        old: &[PodCondition],
        name: &str,
        state: Result<&str, (&str, String)>,
    ) -> PodCondition {
        let (status, reason, message) = match state {
            Ok(reason) => ("True", reason, String::new()),
            Err((reason, message)) => ("False", reason, message),
        };
        let same = old.iter().find(|old| old.type_ == name && old.status == status);
        let since = same.and_then(|old| old.last_transition_time.clone());
        PodCondition {
            type_: name.to_owned(),
            status: status.to_owned(),
            reason: some(reason),
            message: some(&message),
            last_transition_time: Some(since.unwrap_or_else(|| time(self.now))),
            ..PodCondition::default()
        }
    }

    /// The status. What others say in it stays.
    pub fn status(&self) -> PodStatus {
        let (init, main) = self.lists();
        let phase = self.phase();
        let host_network = self.pod.spec.as_ref().is_some_and(|spec| spec.host_network == Some(true));
        let ip = match &self.record.sandbox {
            Some(sandbox) if sandbox.pid != 0 && host_network => self.host_ip,
            Some(sandbox) if sandbox.pid != 0 => sandbox.ip,
            _ => None,
        };
        // A pod that is over keeps the address that it had.
        let old = self.pod.status.clone().unwrap_or_default();
        let ip = ip
            .map(|ip| ip.to_string())
            .or_else(|| old.pod_ip.clone().filter(|_| matches!(phase, "Succeeded" | "Failed")));
        let host = self.host_ip.map(|ip| ip.to_string());
        let statuses = |list: &[Spec], is_init| -> Option<Vec<ContainerStatus>> {
            let all: Vec<ContainerStatus> =
                list.iter().map(|spec| self.container_status(spec, is_init)).collect();
            Some(all).filter(|all| !all.is_empty())
        };
        PodStatus {
            conditions: Some(self.conditions(phase)),
            container_statuses: statuses(main, false),
            host_ip: host.clone(),
            host_ips: host.map(|ip| vec![HostIP { ip }]),
            init_container_statuses: statuses(init, true),
            phase: Some(phase.to_owned()),
            pod_ip: ip.clone(),
            pod_ips: ip.map(|ip| vec![PodIP { ip }]),
            qos_class: old.qos_class,
            start_time: Some(time(self.record.since)),
            ..PodStatus::default()
        }
    }
}

/// Whether an init container lets the next one start: it is through or, one that goes on, has
/// started.
pub fn passed(spec: &Spec, it: &Container) -> bool {
    match spec.restart_policy.as_deref() {
        Some("Always") => it.run().is_some() && it.started,
        _ => matches!(&it.state, State::Ended(ended) if ended.exit_code == 0),
    }
}

/// What happens to a pod's containers that end.
pub fn restart_policy(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always")
}
