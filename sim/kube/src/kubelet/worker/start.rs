//! Starting containers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;

use k8s_openapi::api::core::v1::Pod;
use packet::{NetnsId, Pid};
use tools::file;
use tools::image::{self, new_id};
use world::Sys;

use super::{FIRST_BACK_OFF, Here, Later, RETRY, Spec, Worker, jittered, link_log, part, specs};
use crate::api::event::Severity;
use crate::kubelet::container::Start;
use crate::kubelet::dns;
use crate::kubelet::env::environment;
use crate::kubelet::hook::Hook;
use crate::kubelet::probe::{Probe, Target};
use crate::kubelet::record::{Container, Ended, Sandbox, State};
use crate::kubelet::status::passed;
use crate::kubelet::volume::Mounted;
use crate::time::unix;

impl Worker {
    /// Whether a container is to start now.
    pub(super) fn may_start(&self, sys: &dyn Sys, spec: &Spec, is_init: bool) -> bool {
        let Some(it) = self.record.containers.get(&spec.name) else { return true };
        if it.run().is_some() || it.not_before > sys.now().as_nanos() {
            return false;
        }
        match it.ended() {
            None => true,
            Some(ended) => self.restarts(spec, is_init, ended.exit_code),
        }
    }

    /// The init container that is next; none when all are through.
    pub(super) fn next_init<'a>(&self, pod: &'a Pod) -> Option<&'a Spec> {
        let init = pod.spec.as_ref()?.init_containers.as_ref()?;
        let main_began = specs(pod).any(|(spec, is_init)| {
            !is_init && self.record.containers.get(&spec.name).is_some_and(|it| it.state != State::default())
        });
        let open = |spec: &&Spec| self.record.containers.get(&spec.name).is_none_or(|it| !passed(spec, it));
        init.iter().find(open).filter(|_| !main_began)
    }

    /// The containers of a pod that are to start now.
    pub(super) fn to_start<'a>(&self, sys: &dyn Sys, pod: &'a Pod) -> Vec<(&'a Spec, bool)> {
        match self.next_init(pod) {
            Some(init) => {
                vec![(init, true)].into_iter().filter(|(spec, _)| self.may_start(sys, spec, true)).collect()
            }
            None => {
                let goes_on = |spec: &Spec| spec.restart_policy.as_deref() == Some("Always");
                let all = specs(pod).filter(|(spec, is_init)| !is_init || goes_on(spec));
                all.filter(|(spec, is_init)| self.may_start(sys, spec, *is_init)).collect()
            }
        }
    }

    pub(super) fn has_to_start(&self, sys: &dyn Sys) -> bool {
        !self.to_start(sys, &self.pod).is_empty() || !self.changed_images(&self.pod).is_empty()
    }

    /// The containers that run from another image than they are to.
    pub(super) fn changed_images<'a>(&self, pod: &'a Pod) -> Vec<&'a Spec> {
        let differs = |spec: &Spec| {
            let run = self.record.containers.get(&spec.name).and_then(Container::run);
            run.is_some_and(|run| Some(&run.image) != spec.image.as_ref())
                && !self.kills.contains_key(&spec.name)
        };
        let main = specs(pod).filter(|(_, is_init)| !is_init).map(|(spec, _)| spec);
        main.filter(|spec| differs(spec)).collect()
    }

    pub(super) fn start_containers(
        &mut self,
        sys: &mut dyn Sys,
        here: &Here,
        volumes: &[Mounted],
    ) -> Result<(), Later> {
        let pod = Arc::clone(&self.pod);
        for spec in self.changed_images(&pod) {
            let message = format!("Container {} definition changed, will be restarted", spec.name);
            let grace = self.grace();
            self.kill(sys, here, (spec, false), &message, grace);
        }
        let mut outcome = Ok(());
        loop {
            let list = self.to_start(sys, &pod);
            if list.is_empty() {
                return outcome;
            }
            for (spec, is_init) in list {
                // The others wait for a hook.
                if !self.hooks.is_empty() {
                    return outcome;
                }
                if let Err(later) = self.start(sys, here, (spec, is_init), volumes) {
                    outcome = Err(later);
                }
            }
            if outcome.is_err() || self.next_init(&pod).is_some() {
                return outcome;
            }
        }
    }

    pub(super) fn environment(
        &self,
        sys: &dyn Sys,
        here: &Here,
        spec: &Spec,
    ) -> Result<BTreeMap<String, String>, String> {
        let mut env = image::environment(&dns::hostname(&here.config, &self.pod).0);
        env.extend(environment(sys.store(), &self.facts(here), spec)?);
        Ok(env)
    }

    /// The environment of a container for a command in it.
    pub fn environment_of(&self, sys: &dyn Sys, here: &Here, name: &str) -> BTreeMap<String, String> {
        let known = self.record.containers.get(name).map(|container| &container.env);
        if let Some(env) = known.filter(|env| !env.is_empty()) {
            return env.clone();
        }
        let spec = specs(&self.pod).find(|(spec, _)| spec.name == name);
        spec.and_then(|(spec, _)| self.environment(sys, here, spec).ok()).unwrap_or_default()
    }

    /// Starts a container.
    pub(super) fn start(
        &mut self,
        sys: &mut dyn Sys,
        here: &Here,
        (spec, is_init): (&Spec, bool),
        volumes: &[Mounted],
    ) -> Result<(), Later> {
        let name = &spec.name;
        let part = part(name, is_init);
        let pod = Arc::clone(&self.pod);
        let say = |sys: &mut dyn Sys, severity, reason: &str, message: &str| {
            here.event(sys, &pod, &part, (severity, reason, message));
        };
        let image = spec.image.clone().unwrap_or_default();
        let present = format!("Container image {image:?} already present on machine");
        say(sys, Severity::Normal, "Pulled", &present);
        let env = match self.environment(sys, here, spec) {
            Ok(env) => env,
            Err(why) => {
                say(sys, Severity::Warning, "Failed", &format!("Error: {why}"));
                let it = self.record.containers.entry(name.clone()).or_default();
                it.wait("CreateContainerConfigError", &why);
                return Err(Later(jittered(sys, RETRY)));
            }
        };
        self.record.containers.entry(name.clone()).or_default().env.clone_from(&env);
        let Some(sandbox) = self.record.sandbox.clone() else { return Err(Later(RETRY)) };
        let netns = sys.netns_of_pid(Pid(sandbox.pid)).unwrap_or(NetnsId::INIT);
        let hosts = self.write_hosts(sys, here, &sandbox);
        let before = self.record.containers.get(name).cloned().unwrap_or_default();
        let again = before.ended().is_some();
        let restarts = before.restarts + i32::from(again);
        let log = format!("{}/{name}/{restarts}.log", self.record.logs());
        let hostname = match self.host_network() {
            true => sys.hostname(),
            false => dns::hostname(&here.config, &self.pod).0,
        };
        let start = Start {
            container: spec,
            sandbox: &sandbox.id,
            netns,
            env,
            volumes,
            hosts: &hosts,
            hostname: &hostname,
            log: log.clone(),
        };
        let outcome = start.start(sys);
        say(sys, Severity::Normal, "Created", &format!("Created container {name}"));
        let it = self.record.containers.entry(name.clone()).or_default();
        it.restarts = restarts;
        it.not_before = 0;
        if let State::Ended(ended) = &it.state {
            it.last = Some(ended.clone());
        }
        match outcome {
            Ok(begun) => {
                it.state = State::Running(begun.run.clone());
                it.begin(spec);
                link_log(sys, &self.record, name, &begun.run.id, &log);
                if let Some(fd) = begun.input {
                    self.inputs.insert(name.clone(), fd);
                }
                say(sys, Severity::Normal, "Started", &format!("Started container {name}"));
                self.post_start(sys, here, (spec, is_init), begun.run.pid());
                Ok(())
            }
            Err(why) => {
                say(sys, Severity::Warning, "Failed", &format!("Error: {why}"));
                let ended = Ended {
                    id: new_id(sys),
                    exit_code: 128,
                    reason: "StartError".to_owned(),
                    message: why.clone(),
                    started: 0,
                    finished: unix(sys),
                };
                it.last = Some(ended);
                it.state = State::Waiting { reason: "RunContainerError".to_owned(), message: why };
                if it.back_off > 0 {
                    self.back_off(sys, here, spec, is_init);
                } else {
                    it.back_off = FIRST_BACK_OFF;
                    it.not_before = (sys.now() + jittered(sys, RETRY)).as_nanos();
                }
                Ok(())
            }
        }
    }

    /// A container runs: its hook is next, then its probes.
    fn post_start(&mut self, sys: &mut dyn Sys, here: &Here, (spec, is_init): (&Spec, bool), pid: Pid) {
        let handler = spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.as_ref());
        let Some(handler) = handler else {
            return self.probes.extend(Probe::all(spec, sys.now()));
        };
        let env = self.environment_of(sys, here, &spec.name);
        match Hook::begin(sys, &Target { spec, ip: self.ip(here), pid, env }, handler) {
            Some(hook) => {
                self.hooks.insert(spec.name.clone(), hook);
                if let Some(it) = self.record.containers.get_mut(&spec.name) {
                    (it.hooked, it.started, it.ready) = (true, false, false);
                }
            }
            None => self.post_start_failed(sys, here, (spec, is_init)),
        }
    }

    /// Looks whether hooks are over. Kubernetes: `startContainer`.
    pub(super) fn go_on_with_hooks(&mut self, sys: &mut dyn Sys, here: &Here) {
        let pod = Arc::clone(&self.pod);
        for (spec, is_init) in specs(&pod) {
            let Some(Poll::Ready(is_well)) = self.hooks.get_mut(&spec.name).map(|hook| hook.poll(sys)) else {
                continue;
            };
            self.hooks.remove(&spec.name);
            if !is_well {
                self.post_start_failed(sys, here, (spec, is_init));
                continue;
            }
            if let Some(it) = self.record.containers.get_mut(&spec.name) {
                it.begin(spec);
                self.probes.extend(Probe::all(spec, sys.now()));
            }
        }
    }

    /// A container whose hook failed is stopped; why isn't said, as that may be a secret.
    fn post_start_failed(&mut self, sys: &mut dyn Sys, here: &Here, (spec, is_init): (&Spec, bool)) {
        let event = (Severity::Warning, "FailedPostStartHook", "PostStartHook failed");
        here.event(sys, &self.pod, &part(&spec.name, is_init), event);
        let grace = self.grace();
        self.kill(sys, here, (spec, is_init), "FailedPostStartHook", grace);
    }

    /// Writes the pod's /etc/hosts; answers where it lies.
    pub(super) fn write_hosts(&self, sys: &mut dyn Sys, here: &Here, sandbox: &Sandbox) -> String {
        let path = format!("{}/etc-hosts", self.record.folder());
        if sys.stat(&path).is_err() {
            let text = dns::hosts(sys, &here.config, &self.pod, sandbox.ip);
            file::put(sys, &path, &text);
        }
        path
    }
}
