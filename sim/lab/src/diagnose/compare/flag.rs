//! Options of the cluster's daemons against what the cluster is.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::get;

use super::Scene;
use crate::culprit::{Culprit, Object};
use crate::diagnose::owner::daemon_set;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let mut found = Vec::new();
    found.extend(masquerade(scene));
    found.extend(cluster_cidr(scene));
    found.extend(network(scene));
    found
}

/// The arguments of a DaemonSet's first container.
fn args(set: &DaemonSet) -> Vec<String> {
    let spec = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    spec.and_then(|spec| spec.containers.first()?.args.clone()).unwrap_or_default()
}

fn flag(component: &str, flag: &str) -> Object {
    Object::Flag { component: component.to_owned(), flag: flag.to_owned() }
}

/// Sets one argument of a DaemonSet's first container.
fn patch(admin: &str, namespace: &str, name: &str, at: Option<usize>, value: &str) -> Fix {
    let (op, place) = match at {
        Some(at) => ("replace", at.to_string()),
        None => ("add", "-".to_owned()),
    };
    let patch = format!(
        r#"[{{"op":"{op}","path":"/spec/template/spec/containers/0/args/{place}","value":"{value}"}}]"#
    );
    let command = format!("kubectl -n {namespace} patch daemonset {name} --type=json -p '{patch}'");
    Fix::one(admin, command, Size::Object)
}

/// flanneld that doesn't give pods' packets the node's address on their way out.
fn masquerade(scene: &Scene<'_>) -> Option<Suspect> {
    let admin = scene.facts.admin()?;
    let (namespace, name, set) = daemon_set(&scene.facts, "flanneld")?;
    let args = args(&set);
    let at = args.iter().position(|arg| arg.starts_with("--ip-masq"));
    if at.is_some_and(|at| !args[at].ends_with("=false")) {
        return None;
    }
    Some(
        Suspect::new(
            Rank::Odd,
            Culprit::CLUSTER,
            flag("flanneld", "--ip-masq"),
            "it is off: what pods send to the world keeps their addresses",
        )
        .because(format!("kubectl -n {namespace} get daemonset {name}: args {}", args.join(" ")))
        .mended_by(patch(&admin, &namespace, &name, at, "--ip-masq")),
    )
}

/// kube-proxy that doesn't know which addresses are pods'.
fn cluster_cidr(scene: &Scene<'_>) -> Option<Suspect> {
    let facts = &scene.facts;
    let admin = facts.admin()?;
    let (namespace, name, set) = daemon_set(facts, "kube-proxy")?;
    let args = args(&set);
    let at = args.iter().position(|arg| arg.starts_with("--cluster-cidr="));
    let told = at.and_then(|at| args[at].split_once('=')?.1.parse::<ipnet::Ipv4Net>().ok());
    let cidrs: Vec<ipnet::Ipv4Net> = facts.nodes.iter().filter_map(|node| node.pod_cidr).collect();
    if cidrs.is_empty() || told.is_some_and(|told| cidrs.iter().all(|cidr| told.contains(cidr))) {
        return None;
    }
    let all = common(&cidrs)?;
    let text = match told {
        Some(told) => format!("it is {told}, and nodes have podCIDRs outside of it"),
        None => "it is missing: kube-proxy doesn't know which addresses are pods'".to_owned(),
    };
    Some(
        Suspect::new(Rank::Odd, Culprit::CLUSTER, flag("kube-proxy", "--cluster-cidr"), text)
            .because(format!("kubectl -n {namespace} get daemonset {name}: args {}", args.join(" ")))
            .mended_by(patch(&admin, &namespace, &name, at, &format!("--cluster-cidr={all}"))),
    )
}

/// The smallest prefix of whole bytes that holds all of these.
fn common(cidrs: &[ipnet::Ipv4Net]) -> Option<ipnet::Ipv4Net> {
    let first = cidrs.first()?;
    [16, 12, 8].into_iter().find_map(|length| {
        let net = ipnet::Ipv4Net::new(first.network(), length).ok()?.trunc();
        cidrs.iter().all(|cidr| net.contains(cidr)).then_some(net)
    })
}

/// flannel's network that doesn't hold the nodes' podCIDRs.
fn network(scene: &Scene<'_>) -> Option<Suspect> {
    let facts = &scene.facts;
    let (namespace, _, set) = daemon_set(facts, "flanneld")?;
    let volumes = set.spec.as_ref()?.template.spec.as_ref()?.volumes.clone()?;
    let map = volumes.iter().find_map(|volume| Some(volume.config_map.as_ref()?.name.clone()))?;
    let config = get::<ConfigMap>(facts.world.store(), &namespace, &map)?;
    let text = config.data.as_ref()?.get("net-conf.json")?.clone();
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let told: ipnet::Ipv4Net = value.get("Network")?.as_str()?.parse().ok()?;
    let node = facts.nodes.iter().find(|node| node.pod_cidr.is_some_and(|cidr| !told.contains(&cidr)))?;
    let object = Object::ApiObject {
        kind: "ConfigMap".to_owned(),
        namespace: namespace.clone(),
        name: map.clone(),
        field: "data.net-conf.json".to_owned(),
    };
    let cidr = node.pod_cidr?;
    let mut suspect = Suspect::new(
        Rank::Odd,
        Culprit::CLUSTER,
        object,
        format!("its Network is {told}, and {} has the podCIDR {cidr}", node.name),
    )
    .because(format!("kubectl -n {namespace} get configmap {map}: Network {told}"));
    let cidrs: Vec<ipnet::Ipv4Net> = facts.nodes.iter().filter_map(|node| node.pod_cidr).collect();
    if let (Some(admin), Some(all)) = (facts.admin(), common(&cidrs)) {
        let mut fixed = value;
        fixed["Network"] = all.to_string().into();
        let patch = serde_json::json!({"data": {"net-conf.json": fixed.to_string()}});
        let mut fix = Fix::one(
            admin,
            format!("kubectl -n {namespace} patch configmap {map} --type=merge -p '{patch}'"),
            Size::Object,
        );
        fix.commands.push(format!("kubectl -n {namespace} rollout restart daemonset"));
        suspect = suspect.mended_by(fix);
    }
    Some(suspect)
}
