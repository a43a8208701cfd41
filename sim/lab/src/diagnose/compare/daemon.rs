//! Processes that run on peers and not here.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use kube::api::{list, name_of, namespace_of};
use packet::HostId;

use super::Scene;
use crate::culprit::{Culprit, Object};
use crate::diagnose::facts::Facts;
use crate::diagnose::owner::Owner;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let facts = &scene.facts;
    let mut found = Vec::new();
    let hosts: Vec<HostId> = facts.world.hosts().map(|host| host.id).collect();
    for host in hosts {
        found.extend(not_running(scene, host));
        found.extend(units(scene, host));
    }
    found.extend(sets(scene));
    found
}

/// The names of a host's own processes.
pub(in crate::diagnose) fn running(facts: &Facts<'_>, host: HostId) -> BTreeSet<String> {
    let pids = facts.world.processes(host).into_iter();
    let lines = pids.filter_map(|pid| facts.world.cmdline(host, pid));
    lines
        .filter_map(|line| line.words().next().map(|word| word.rsplit('/').next().unwrap_or(word).to_owned()))
        .collect()
}

/// Daemons of the network that all peers run.
fn not_running(scene: &Scene<'_>, host: HostId) -> Vec<Suspect> {
    let facts = &scene.facts;
    let peers = facts.peers(host);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for &peer in &peers {
        for name in running(facts, peer) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let own = running(facts, host);
    let node = facts.name(host).to_owned();
    let owners = [Owner::KubeProxy, Owner::Flannel, Owner::Kubelet, Owner::Docker];
    let gone = owners.into_iter().filter(|owner| {
        let name = owner.process();
        !own.contains(name) && counts.get(name).is_some_and(|count| *count == peers.len())
    });
    let gone = gone.map(|owner| {
        let object = Object::Process { name: owner.process().to_owned() };
        let mut suspect = Suspect::new(
            scene.rank(host, Rank::Contradicted),
            node.clone(),
            object,
            "it doesn't run here, and it runs on the peers",
        )
        .because(format!("{node}: ps shows no {}", owner.process()));
        suspect.fixes = owner.restart(facts, host);
        suspect
    });
    gone.collect()
}

/// Units of systemd that are enabled by lying in /etc and have no process.
fn units(scene: &Scene<'_>, host: HostId) -> Vec<Suspect> {
    let facts = &scene.facts;
    let own = running(facts, host);
    let node = facts.name(host).to_owned();
    let mut found = Vec::new();
    for unit in unit_files(facts, host) {
        let path = format!("/etc/systemd/system/{unit}.service");
        let Some(text) = facts.world.file(host, &path) else { continue };
        let text = String::from_utf8_lossy(&text).into_owned();
        let start = text.lines().find_map(|line| line.strip_prefix("ExecStart="));
        let Some(program) = start.and_then(|start| start.split_whitespace().next()) else { continue };
        let program = program.rsplit('/').next().unwrap_or(program);
        if own.contains(program) {
            continue;
        }
        let object = Object::Process { name: program.to_owned() };
        found.push(
            Suspect::new(
                scene.rank(host, Rank::Odd),
                node.clone(),
                object,
                format!("the unit {unit} is there, and the process doesn't run"),
            )
            .because(format!("{node}: systemctl status {unit}: not running"))
            .mended_by(Fix::one(
                node.clone(),
                format!("systemctl restart {unit}"),
                Size::Restart,
            )),
        );
    }
    found
}

/// The names of the units that a host's administrator keeps.
fn unit_files(facts: &Facts<'_>, host: HostId) -> Vec<String> {
    let Some(pid) = facts.world.processes(host).first().copied() else { return Vec::new() };
    let entries = facts.world.read_dir(host, pid, "/etc/systemd/system").unwrap_or_default();
    entries.into_iter().filter_map(|entry| entry.name.strip_suffix(".service").map(str::to_owned)).collect()
}

/// DaemonSets and Deployments that have fewer pods than they want, or want none.
fn sets(scene: &Scene<'_>) -> Vec<Suspect> {
    let facts = &scene.facts;
    let Some(admin) = facts.admin() else { return Vec::new() };
    let store = facts.world.store();
    let mut found = Vec::new();
    let object = |kind: &str, namespace: &str, name: &str, field: &str| Object::ApiObject {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        field: field.to_owned(),
    };
    for set in list::<DaemonSet>(store, None) {
        let (namespace, name) = (namespace_of(&*set), name_of(&*set));
        let selector = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()?.node_selector.clone());
        let wanted = set.status.as_ref().map_or(0, |status| status.desired_number_scheduled);
        let nodes = i32::try_from(facts.nodes.len()).unwrap_or(i32::MAX);
        if wanted < nodes
            && let Some(selector) = selector
        {
            for key in selector.keys().filter(|key| *key != "kubernetes.io/os") {
                let path = key.replace('~', "~0").replace('/', "~1");
                let patch =
                    format!(r#"[{{"op":"remove","path":"/spec/template/spec/nodeSelector/{path}"}}]"#);
                let command =
                    format!("kubectl -n {namespace} patch daemonset {name} --type=json -p '{patch}'");
                found.push(
                    Suspect::new(
                        Rank::Odd,
                        Culprit::CLUSTER,
                        object("DaemonSet", namespace, name, "spec.template.spec.nodeSelector"),
                        format!("it asks for nodes with {key}, and runs on {wanted} of {nodes}"),
                    )
                    .because(format!("kubectl -n {namespace} get daemonset {name}: desired {wanted}"))
                    .mended_by(Fix::one(admin.clone(), command, Size::Object)),
                );
            }
        }
    }
    for deployment in list::<Deployment>(store, None) {
        let (namespace, name) = (namespace_of(&*deployment), name_of(&*deployment));
        let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        if wanted == 0 {
            let command = format!("kubectl -n {namespace} scale deployment {name} --replicas=1");
            found.push(
                Suspect::new(
                    Rank::Odd,
                    Culprit::CLUSTER,
                    object("Deployment", namespace, name, "spec.replicas"),
                    "it is 0: there are no pods",
                )
                .because(format!("kubectl -n {namespace} get deployment {name}: 0/0"))
                .mended_by(Fix::one(admin.clone(), command, Size::Object)),
            );
        }
    }
    found
}
