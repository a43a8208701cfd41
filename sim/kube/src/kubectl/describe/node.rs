use serde_json::Value;

use super::{Cx, Page, date};
use crate::kubectl::kinds;
use crate::kubectl::print::{age, list, roles, text};
use crate::scheduler::resources::thousandths;

pub fn describe(cx: &Cx<'_>, page: &mut Page, node: &Value) {
    page.field(0, "Name", text(node, "/metadata/name"));
    page.field(0, "Roles", roles(node));
    page.labels("Labels", node.pointer("/metadata/labels"));
    page.annotations("Annotations", node.pointer("/metadata/annotations"));
    page.field(0, "CreationTimestamp", date(node, "/metadata/creationTimestamp"));
    let mut taints: Vec<&Value> = list(node, "/spec/taints").iter().collect();
    taints.sort_by_key(|taint| (text(taint, "/effect"), text(taint, "/key")));
    let taint = |taint: &&Value| match (text(taint, "/key"), text(taint, "/value"), text(taint, "/effect")) {
        (key, "", effect) => format!("{key}:{effect}"),
        (key, value, effect) => format!("{key}={value}:{effect}"),
    };
    page.lines("Taints", &taints.iter().map(taint).collect::<Vec<_>>());
    page.field(0, "Unschedulable", node["spec"]["unschedulable"] == true);
    let conditions = list(node, "/status/conditions");
    if !conditions.is_empty() {
        page.line(0, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
        page.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    }
    for one in conditions {
        let cells = [
            text(one, "/type"),
            text(one, "/status"),
            &date(one, "/lastHeartbeatTime"),
            &date(one, "/lastTransitionTime"),
            text(one, "/reason"),
            text(one, "/message"),
        ];
        page.line(1, cells.join(" \t"));
    }
    page.line(0, "Addresses:");
    for address in list(node, "/status/addresses") {
        page.field(1, text(address, "/type"), text(address, "/address"));
    }
    for (name, field) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        let Some(all) = node["status"][field].as_object().filter(|all| !all.is_empty()) else { continue };
        page.line(0, format!("{name}:"));
        let mut all: Vec<_> = all.iter().collect();
        all.sort_by_key(|(name, _)| name.as_str());
        all.iter().for_each(|(name, value)| page.field(1, name, value.as_str().unwrap_or_default()));
    }
    page.line(0, "System Info:");
    for (name, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
        ("Kube-Proxy Version", "kubeProxyVersion"),
    ] {
        page.field(1, name, text(node, &format!("/status/nodeInfo/{field}")));
    }
    if !text(node, "/spec/podCIDR").is_empty() {
        page.field(0, "PodCIDR", text(node, "/spec/podCIDR"));
    }
    let cidrs: Vec<&str> = list(node, "/spec/podCIDRs").iter().filter_map(Value::as_str).collect();
    if !cidrs.is_empty() {
        page.field(0, "PodCIDRs", cidrs.join(","));
    }
    if !text(node, "/spec/providerID").is_empty() {
        page.field(0, "ProviderID", text(node, "/spec/providerID"));
    }
    pods(cx, page, node);
    page.events(cx, node);
}

/// The resources that have columns.
const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Thousandths of a quantity: `100m`, `2`, `64Mi`.
fn milli(text: &str) -> i64 {
    thousandths(text).unwrap_or(0)
}

/// A quantity of a resource in its shortest form.
fn quantity(resource: &str, milli: i64) -> String {
    if milli % 1000 != 0 {
        return format!("{milli}m");
    }
    let whole = milli / 1000;
    if resource == "cpu" || whole == 0 {
        return whole.to_string();
    }
    for (suffix, shift) in [("Gi", 30), ("Mi", 20), ("Ki", 10)] {
        if whole % (1 << shift) == 0 {
            return format!("{}{suffix}", whole >> shift);
        }
    }
    whole.to_string()
}

/// What a pod's containers ask for, or may have at most.
fn sum(pod: &Value, kind: &str, resource: &str) -> i64 {
    let of = |container: &Value| {
        let resources = &container["resources"];
        let limit = resources["limits"].get(resource).and_then(Value::as_str);
        let given = resources[kind].get(resource).and_then(Value::as_str).or(limit);
        given.map_or(0, milli)
    };
    let main: i64 = list(pod, "/spec/containers").iter().map(of).sum();
    let init = list(pod, "/spec/initContainers").iter().map(of).max().unwrap_or(0);
    main.max(init)
}

fn pods(cx: &Cx<'_>, page: &mut Page, node: &Value) {
    let own = text(node, "/metadata/name");
    let mut all = kinds::find("pods").map(|kind| kind.list(cx.store, None)).unwrap_or_default();
    all.retain(|pod| {
        text(pod, "/spec/nodeName") == own && !["Succeeded", "Failed"].contains(&text(pod, "/status/phase"))
    });
    let allocatable = |resource: &str| {
        let of = |field: &str| node["status"][field].get(resource).and_then(Value::as_str).map(milli);
        of("allocatable").or_else(|| of("capacity")).unwrap_or(0)
    };
    let share = |resource: &str, milli: i64| {
        let percent = match allocatable(resource) {
            0 => 0,
            all => milli.saturating_mul(100) / all,
        };
        format!("{} ({percent}%)", quantity(resource, milli))
    };
    page.field(0, "Non-terminated Pods", format!("({} in total)", all.len()));
    page.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    page.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    for pod in &all {
        let cell = |resource: &str, kind: &str| share(resource, sum(pod, kind, resource));
        let cells = [
            text(pod, "/metadata/namespace").to_owned(),
            text(pod, "/metadata/name").to_owned(),
            String::new(),
            cell("cpu", "requests"),
            cell("cpu", "limits"),
            cell("memory", "requests"),
            cell("memory", "limits"),
            age(pod, cx.now),
        ];
        page.line(1, cells.join("\t"));
    }
    page.line(0, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)");
    page.line(1, "Resource\tRequests\tLimits");
    page.line(1, "--------\t--------\t------");
    for resource in RESOURCES {
        let total = |kind: &str| share(resource, all.iter().map(|pod| sum(pod, kind, resource)).sum());
        page.line(1, format!("{resource}\t{}\t{}", total("requests"), total("limits")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_and_printed() {
        for (resource, text, expected) in [
            ("cpu", "100m", "100m"),
            ("cpu", "1.5", "1500m"),
            ("cpu", "2", "2"),
            ("memory", "64Mi", "64Mi"),
            ("memory", "0", "0"),
        ] {
            assert_eq!(quantity(resource, milli(text)), expected);
        }
    }
}
