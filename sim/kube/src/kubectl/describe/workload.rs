use serde_json::Value;

use super::{Cx, Page, controller, date, pod};
use crate::kubectl::kinds;
use crate::kubectl::print::{labels, list, number, selector, text};

/// How many pods of a controller are in which phase.
fn pods(cx: &Cx<'_>, object: &Value) -> String {
    let uid = text(object, "/metadata/uid");
    let namespace = text(object, "/metadata/namespace");
    let all = kinds::find("pods").map(|kind| kind.list(cx.store, Some(namespace))).unwrap_or_default();
    let own = |pod: &&Value| {
        list(pod, "/metadata/ownerReferences")
            .iter()
            .any(|owner| owner["controller"] == true && text(owner, "/uid") == uid)
    };
    let count =
        |phase: &str| all.iter().filter(own).filter(|pod| text(pod, "/status/phase") == phase).count();
    format!(
        "{} Running / {} Waiting / {} Succeeded / {} Failed",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    )
}

fn conditions(page: &mut Page, object: &Value) {
    let all = list(object, "/status/conditions");
    if all.is_empty() {
        return;
    }
    page.line(0, "Conditions:\n  Type\tStatus\tReason");
    page.line(1, "----\t------\t------");
    for one in all {
        page.line(1, format!("{} \t{}\t{}", text(one, "/type"), text(one, "/status"), text(one, "/reason")));
    }
}

/// A number or a percentage.
fn amount(value: Option<&Value>) -> String {
    value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
}

pub fn deployment(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    let count = |field: &str| number(object, &format!("/status/{field}"));
    page.field(0, "Name", text(object, "/metadata/name"));
    page.field(0, "Namespace", text(object, "/metadata/namespace"));
    page.field(0, "CreationTimestamp", date(object, "/metadata/creationTimestamp"));
    page.labels("Labels", object.pointer("/metadata/labels"));
    page.annotations("Annotations", object.pointer("/metadata/annotations"));
    page.field(0, "Selector", selector(object.pointer("/spec/selector")));
    page.field(
        0,
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            number(object, "/spec/replicas"),
            count("updatedReplicas"),
            count("replicas"),
            count("availableReplicas"),
            count("unavailableReplicas")
        ),
    );
    page.field(0, "StrategyType", text(object, "/spec/strategy/type"));
    page.field(0, "MinReadySeconds", number(object, "/spec/minReadySeconds"));
    if let Some(rolling) = object.pointer("/spec/strategy/rollingUpdate") {
        let (unavailable, surge) = (amount(rolling.get("maxUnavailable")), amount(rolling.get("maxSurge")));
        page.field(0, "RollingUpdateStrategy", format!("{unavailable} max unavailable, {surge} max surge"));
    }
    pod::template(page, &object["spec"]["template"]);
    conditions(page, object);
    replica_sets(cx, page, object);
    page.events(cx, object);
}

/// The sets of the present template and of earlier ones.
fn replica_sets(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    let uid = text(object, "/metadata/uid");
    let namespace = text(object, "/metadata/namespace");
    let mut all =
        kinds::find("replicasets").map(|kind| kind.list(cx.store, Some(namespace))).unwrap_or_default();
    all.retain(|set| list(set, "/metadata/ownerReferences").iter().any(|owner| text(owner, "/uid") == uid));
    if all.is_empty() {
        return;
    }
    let plain = |template: &Value| {
        let mut template = template.clone();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.shift_remove("pod-template-hash");
        }
        template
    };
    let wanted = plain(&object["spec"]["template"]);
    let (new, old): (Vec<Value>, Vec<Value>) =
        all.into_iter().partition(|set| plain(&set["spec"]["template"]) == wanted);
    let shown = |sets: &[Value]| {
        let one = |set: &Value| {
            let (now, wanted) = (number(set, "/status/replicas"), number(set, "/spec/replicas"));
            format!("{} ({now}/{wanted} replicas created)", text(set, "/metadata/name"))
        };
        crate::kubectl::print::or_none(sets.iter().map(one).collect::<Vec<_>>().join(", "))
    };
    page.field(0, "OldReplicaSets", shown(&old));
    page.field(0, "NewReplicaSet", shown(&new));
}

pub fn replica_set(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    page.field(0, "Name", text(object, "/metadata/name"));
    page.field(0, "Namespace", text(object, "/metadata/namespace"));
    page.field(0, "Selector", selector(object.pointer("/spec/selector")));
    page.labels("Labels", object.pointer("/metadata/labels"));
    page.annotations("Annotations", object.pointer("/metadata/annotations"));
    if let Some(controller) = controller(object) {
        page.field(0, "Controlled By", controller);
    }
    let (now, wanted) = (number(object, "/status/replicas"), number(object, "/spec/replicas"));
    page.field(0, "Replicas", format!("{now} current / {wanted} desired"));
    page.field(0, "Pods Status", pods(cx, object));
    pod::template(page, &object["spec"]["template"]);
    conditions(page, object);
    page.events(cx, object);
}

pub fn daemon_set(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    let count = |field: &str| number(object, &format!("/status/{field}"));
    page.field(0, "Name", text(object, "/metadata/name"));
    page.field(0, "Selector", selector(object.pointer("/spec/selector")));
    page.field(0, "Node-Selector", labels(object.pointer("/spec/template/spec/nodeSelector")));
    page.labels("Labels", object.pointer("/metadata/labels"));
    page.annotations("Annotations", object.pointer("/metadata/annotations"));
    for (name, field) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        page.line(0, format!("{name}: {}", count(field)));
    }
    page.field(0, "Pods Status", pods(cx, object));
    pod::template(page, &object["spec"]["template"]);
    page.events(cx, object);
}
