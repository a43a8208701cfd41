//! Stopping containers, and a pod as a whole.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tools::file;
use world::Sys;

use super::{Fate, Here, RETRY, Source, Spec, Worker, jittered, part, specs};
use crate::api;
use crate::api::event::Severity;
use crate::kubelet::dns::PodDns;
use crate::kubelet::kill::{Kill, PreStop};
use crate::kubelet::manifests::unmirror;
use crate::kubelet::probe::Target;
use crate::kubelet::record::Container;
use crate::kubelet::sandbox::Around;

impl Worker {
    pub(super) fn grace(&self) -> Duration {
        let metadata = &self.pod.metadata;
        let own = self.pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
        let seconds = metadata.deletion_grace_period_seconds.or(own).unwrap_or(30);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1))
    }

    /// Begins to stop a container.
    pub(super) fn kill(
        &mut self,
        sys: &mut dyn Sys,
        here: &Here,
        (spec, is_init): (&Spec, bool),
        message: &str,
        grace: Duration,
    ) {
        let Some(run) = self.record.containers.get(&spec.name).and_then(Container::run).cloned() else {
            return;
        };
        if self.kills.contains_key(&spec.name) {
            return;
        }
        here.event(sys, &self.pod, &part(&spec.name, is_init), (Severity::Normal, "Killing", message));
        let env = self.environment_of(sys, here, &spec.name);
        let target = Target { spec, ip: self.ip(here), pid: run.pid(), env };
        let (kill, hook) = Kill::begin(sys, &target, grace);
        self.complain(sys, here, &part(&spec.name, is_init), hook);
        self.kills.insert(spec.name.clone(), kill);
    }

    /// Says that a `preStop` hook failed; not why, as that may be a secret.
    fn complain(&self, sys: &mut dyn Sys, here: &Here, part: &str, hook: PreStop) {
        if hook == PreStop::Failed {
            let event = (Severity::Warning, "FailedPreStopHook", "PreStopHook failed");
            here.event(sys, &self.pod, part, event);
        }
    }

    pub(super) fn go_on_killing(&mut self, sys: &mut dyn Sys, here: &Here) {
        let pod = Arc::clone(&self.pod);
        for (spec, is_init) in specs(&pod) {
            let Some(run) = self.record.containers.get(&spec.name).and_then(Container::run) else { continue };
            let pid = run.pid();
            let Some(kill) = self.kills.get_mut(&spec.name) else { continue };
            let hook = kill.turn(sys, pid);
            self.complain(sys, here, &part(&spec.name, is_init), hook);
        }
    }

    pub(super) fn runs(&self) -> bool {
        self.record.containers.values().any(|it| it.run().is_some())
    }

    pub(super) fn kill_all(&mut self, sys: &mut dyn Sys, here: &Here, grace: Duration) {
        let pod = Arc::clone(&self.pod);
        for (spec, is_init) in specs(&pod) {
            let message = format!("Stopping container {}", spec.name);
            self.kill(sys, here, (spec, is_init), &message, grace);
        }
    }

    pub(super) fn around<'a>(&'a self, here: &'a Here, dns: &'a PodDns) -> Around<'a> {
        Around { config: &here.config, network: here.network.as_ref(), pod: &self.pod, dns }
    }

    pub(super) fn stop_sandbox(&mut self, sys: &mut dyn Sys, here: &Here) -> Result<(), String> {
        let Some(sandbox) = self.record.sandbox.clone() else { return Ok(()) };
        let (dns, _) = PodDns::of(sys, &here.config, &self.pod);
        self.around(here, &dns).stop(sys, &sandbox)?;
        self.record.sandbox = None;
        Ok(())
    }

    /// Stops the pod: its containers, then its sandbox; then it is forgotten. Kubernetes:
    /// `SyncTerminatingPod`, `SyncTerminatedPod`.
    pub(super) fn go_on_stopping(&mut self, sys: &mut dyn Sys, here: &Here, begun: bool, known: bool) {
        if !begun {
            self.fate = Fate::Stops { begun: true, known };
            for mut probe in std::mem::take(&mut self.probes) {
                probe.cancel(sys);
            }
            for hook in std::mem::take(&mut self.hooks).into_values() {
                hook.cancel(sys);
            }
            let grace = self.grace();
            self.kill_all(sys, here, grace);
        }
        if self.runs() || self.retry.is_some_and(|at| sys.now() < at) {
            return;
        }
        self.retry = None;
        if let Err(why) = self.stop_sandbox(sys, here) {
            let uid = &self.record.uid;
            let why = format!("rpc error: code = Unknown desc = {why}");
            let message = format!(
                "error killing pod: failed to \"KillPodSandbox\" for {uid:?} with KillPodSandboxError: {why:?}"
            );
            here.event(sys, &self.pod, "", (Severity::Warning, "FailedKillPod", message.as_str()));
            self.retry = Some(sys.now() + jittered(sys, RETRY));
            return;
        }
        if known && !here.api {
            // The API server has to hear of it first.
            return;
        }
        if known && self.source == Source::Api {
            let (namespace, name) = (&self.record.namespace, &self.record.name);
            let same = api::get::<Pod>(sys.store(), namespace, name)
                .is_some_and(|pod| pod.metadata.uid == self.pod.metadata.uid);
            if same {
                api::finalize::<Pod>(sys, namespace, name);
            }
        }
        if self.source == Source::File && here.api {
            unmirror(sys, &self.pod);
        }
        file::remove_tree(sys, &self.record.folder());
        file::remove_tree(sys, &self.record.logs());
        let prefix = format!("{}_{}_", self.record.name, self.record.namespace);
        for entry in sys.read_dir("/var/log/containers").unwrap_or_default() {
            if entry.name.starts_with(&prefix) {
                let _ = sys.unlink(&format!("/var/log/containers/{}", entry.name));
            }
        }
        self.record.forget(sys);
        self.fate = Fate::Gone;
    }
}
