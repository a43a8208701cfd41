//! What a node keeps of a pod: its sandbox and containers. A kubelet that starts finds it again.
//!
//! Simplified: what containerd keeps in a data base lies in a file for each pod.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Container as Spec;
use packet::Pid;
use serde::{Deserialize, Serialize};
use world::Sys;

/// A pod on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The pod's uid.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When the kubelet took it, in seconds since 1970.
    pub since: i64,
    /// How many sandboxes it had.
    pub attempts: u32,
    /// Its sandbox, if it has one.
    pub sandbox: Option<Sandbox>,
    /// Its containers by name, init containers too.
    pub containers: BTreeMap<String, Container>,
}

/// A sandbox: a process that holds the pod's namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// 64 hexadecimal digits.
    pub id: String,
    /// `pause`; 0 if it never ran.
    pub pid: u32,
    /// The namespace's name in /run/netns; empty on the host's network.
    pub netns: String,
    /// The pod's address.
    pub ip: Option<Ipv4Addr>,
}

/// A container of a pod, over all its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// How often it was started again.
    pub restarts: i32,
    /// How it is.
    pub state: State,
    /// Its run before this one.
    pub last: Option<Ended>,
    /// Seconds to wait before the next start; 0 before the first failure.
    pub back_off: u64,
    /// When it may start again, in nanoseconds of virtual time.
    pub not_before: u64,
    /// Whether it passes its readiness probe, or has none.
    pub ready: bool,
    /// Whether it has passed its startup probe, or has none.
    pub started: bool,
    /// Whether its `postStart` hook runs: nobody is told yet that it runs itself.
    #[serde(default)]
    pub hooked: bool,
    /// The environment that its last run began with: commands in it have the same.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// How a container is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It waits to be started.
    Waiting {
        /// One word.
        reason: String,
        /// More.
        message: String,
    },
    /// It runs.
    Running(Run),
    /// It has ended.
    Ended(Ended),
}

impl Default for State {
    fn default() -> Self {
        Self::Waiting { reason: String::new(), message: String::new() }
    }
}

/// A container that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its first process.
    pub pid: u32,
    /// The process that waits for its end.
    pub shim: u32,
    /// When it started, in seconds since 1970.
    pub started: i64,
    /// What it was started from.
    pub image: String,
}

/// A run that is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Exit status.
    pub exit_code: i32,
    /// `Completed`, `Error`, `StartError`.
    pub reason: String,
    /// More, if there is more to say.
    pub message: String,
    /// Seconds since 1970.
    pub started: i64,
    /// Seconds since 1970.
    pub finished: i64,
}

impl Container {
    /// It has begun: with no hook before that.
    pub fn begin(&mut self, spec: &Spec) {
        self.hooked = false;
        self.started = spec.startup_probe.is_none();
        self.ready = self.started && spec.readiness_probe.is_none();
    }

    /// How it is, as far as others are told.
    pub fn shown(&self) -> &State {
        static WAITING: State = State::Waiting { reason: String::new(), message: String::new() };
        if self.hooked { &WAITING } else { &self.state }
    }

    /// Its run, if it runs.
    pub fn run(&self) -> Option<&Run> {
        match &self.state {
            State::Running(run) => Some(run),
            State::Waiting { .. } | State::Ended(_) => None,
        }
    }

    /// How its last run ended, if it isn't running again.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            State::Waiting { .. } => self.last.as_ref(),
            State::Running(_) => None,
        }
    }

    /// It waits for this reason. How it ended is remembered.
    pub fn wait(&mut self, reason: &str, message: &str) {
        let state = State::Waiting { reason: reason.to_owned(), message: message.to_owned() };
        if let State::Ended(ended) = std::mem::replace(&mut self.state, state) {
            self.last = Some(ended);
        }
    }
}

impl Run {
    /// Its first process.
    pub fn pid(&self) -> Pid {
        Pid(self.pid)
    }
}

/// Where the records lie.
const FOLDER: &str = "/var/lib/containerd/io.containerd.metadata.v1.bolt";

impl Record {
    fn path(uid: &str) -> String {
        format!("{FOLDER}/{uid}.json")
    }

    /// All records of a node.
    pub fn load_all(sys: &mut dyn Sys) -> Vec<Self> {
        let entries = sys.read_dir(FOLDER).unwrap_or_default();
        let paths = entries.into_iter().map(|entry| format!("{FOLDER}/{}", entry.name));
        let read = |path: String| serde_json::from_str(&tools::file::read(sys, &path)?).ok();
        paths.filter_map(read).collect()
    }

    /// Writes it.
    pub fn save(&self, sys: &mut dyn Sys) {
        let text = serde_json::to_string(self).unwrap_or_default();
        tools::file::put(sys, &Self::path(&self.uid), &text);
    }

    /// Forgets it.
    pub fn forget(&self, sys: &mut dyn Sys) {
        let _ = sys.unlink(&Self::path(&self.uid));
    }

    /// The pod's folder.
    pub fn folder(&self) -> String {
        format!("/var/lib/kubelet/pods/{}", self.uid)
    }

    /// The folder of its logs.
    pub fn logs(&self) -> String {
        format!("/var/log/pods/{}_{}_{}", self.namespace, self.name, self.uid)
    }
}

/// The directory that is `/` to a container.
pub fn root(id: &str) -> String {
    format!("{}/rootfs", task(id))
}

/// The folder of a container while it runs.
pub fn task(id: &str) -> String {
    format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}")
}
