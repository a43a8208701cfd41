//! A kube-proxy that is told a case's objects, one sync after the other.

use std::collections::BTreeSet;

use kube::proxy::input::{Input, Source};
use kube::proxy::offline::Run;
use kube::proxy::{Family, Profile};

use crate::case::Case;

/// What a sync asks for, in the order of doing.
#[derive(Debug, Default)]
pub struct Sync {
    /// `KEY=VALUE`.
    pub sysctls: Vec<String>,
    /// Arguments of `iptables`, for chains and rules that must exist.
    pub ensure: Vec<String>,
    /// What `iptables-restore --noflush --counters` reads.
    pub filter: String,
    pub nat: String,
    /// Arguments of `conntrack`.
    pub conntrack: Vec<String>,
    /// Events for the objects.
    pub events: Vec<String>,
}

/// kube-proxy 1.30 in iptables mode, for one family.
#[derive(Debug)]
pub struct Proxy {
    run: Run,
    started: bool,
}

/// What a case's file says.
fn input(case: &Case) -> Input {
    let text = case.text("input.yaml");
    let source = Source { name: "input.yaml", text: &text };
    Input::read(&[source], None, Profile::V1_30).expect("a file that can be used")
}

impl Proxy {
    /// A proxy as the case's first object configures it.
    pub fn new(case: &Case, family: Family) -> Self {
        Self { run: Run::new(&input(case), family), started: false }
    }

    /// Whether the case's configuration asks for this family.
    pub fn is_asked(case: &Case, family: Family) -> bool {
        input(case).families.contains(&family)
    }

    /// The next sync, on a node that has these chains in table nat.
    pub fn sync(&mut self, nat_chains: BTreeSet<String>) -> Sync {
        let mut sync = Sync::default();
        if !std::mem::replace(&mut self.started, true) {
            let settings = self.run.proxier.sysctls().into_iter();
            sync.sysctls.extend(settings.map(|(key, value)| format!("{key}={value}")));
        }
        self.run.view.nat_chains = nat_chains;
        let asked = self.run.sync().expect("there is a step for each recorded sync");
        sync.ensure.extend(asked.ensure.iter().map(ToString::to_string));
        let words = "endpointslice has incorrect IP version";
        let events = asked.other_family.iter();
        sync.events
            .extend(events.map(|(_, ip)| format!("Warning KubeProxyIncorrectIPVersion {ip} in {words}")));
        Sync { filter: asked.filter, nat: asked.nat, conntrack: asked.conntrack, ..sync }
    }
}
