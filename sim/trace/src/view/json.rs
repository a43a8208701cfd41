use serde_json::{Value, json};

use super::text::{decision_text, devices, sentence};
use crate::journey::{Disposition, Trace};
use crate::{Decision, FieldChange, Names, Step, StepKind, describe};

/// Version of the JSON form; changes when a field changes its meaning or goes.
pub const JSON_VERSION: u32 = 1;

/// One packet's way as a JSON object.
pub fn to_json(trace: &Trace, names: &dyn Names) -> Value {
    let (host, netns, pid) = trace.sender;
    let disposition = match trace.disposition {
        Disposition::Delivered { host, netns, at } => {
            json!({"kind": "delivered", "node": names.node(host, netns), "at_ns": at.as_nanos()})
        }
        Disposition::Dropped { host, netns, reason, at } => json!({
            "kind": "dropped", "node": names.node(host, netns), "reason": reason.name(),
            "sentence": reason.sentence(), "at_ns": at.as_nanos(),
        }),
        Disposition::Pending => json!({"kind": "pending"}),
    };
    json!({
        "version": JSON_VERSION,
        "packet": trace.packet.0,
        "description": describe(&trace.frame),
        "sender": {"node": names.node(host, netns), "process": pid.and_then(|pid| names.process(host, pid))},
        "sent_at_ns": trace.sent_at.as_nanos(),
        "disposition": disposition,
        "hops": trace.hops.iter().map(|hop| json!({
            "node": names.node(hop.host, hop.netns),
            "devices": devices(hop).into_iter().map(|dev| names.dev(hop.host, dev)).collect::<Vec<_>>(),
            "steps": hop.steps.iter().map(|step| step_json(step, names)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

fn decision_json(decision: &Decision) -> Value {
    match decision {
        Decision::Rule { table, chains, number, text } => {
            json!({"table": table, "chains": chains, "rule": number, "text": text})
        }
        Decision::Policy { table, chain, nearest } => json!({
            "table": table, "chain": chain, "policy": true,
            "nearest": nearest.as_ref().map(|(rule, failed)| json!({"rule": rule, "failed": failed})),
        }),
    }
}

fn changes_json(changes: &[FieldChange]) -> Value {
    changes.iter().map(|c| json!({"field": c.field, "before": c.before, "after": c.after})).collect()
}

fn step_json(step: &Step, names: &dyn Names) -> Value {
    let host = step.place.host;
    let mut value = json!({
        "at_ns": step.at.as_nanos(),
        "packet": step.packet.0,
        "device": step.place.dev.map(|dev| names.dev(host, dev)),
        "text": sentence(step, names, true),
    });
    let (kind, detail) = match &step.kind {
        StepKind::Created { .. } => ("created", Value::Null),
        StepKind::Receive(frame) => ("receive", json!({"bytes": frame.len()})),
        StepKind::Transmit(frame) => ("transmit", json!({"bytes": frame.len()})),
        StepKind::Route { route, gateway, dev } => {
            ("route", json!({"route": route, "gateway": gateway, "dev": dev.map(|dev| names.dev(host, dev))}))
        }
        StepKind::Neighbour { addr, mac } => {
            ("neighbour", json!({"addr": addr, "mac": mac.map(|m| m.to_string())}))
        }
        StepKind::Bridge { port, local, flooded } => (
            "bridge",
            json!({"port": port.map(|dev| names.dev(host, dev)), "local": local, "flooded": flooded}),
        ),
        StepKind::BridgeNetfilter { hook, physindev, physoutdev, by } => (
            "bridge_netfilter",
            json!({"hook": hook.as_str(),
            "physindev": physindev.map(|dev| names.dev(host, dev)),
            "physoutdev": physoutdev.map(|dev| names.dev(host, dev)),
            "by": match by {
                crate::BridgeCall::Sysctl => "sysctl",
                crate::BridgeCall::Bridge => "bridge",
            }}),
        ),
        StepKind::SabotageIn => ("sabotage_in", Value::Null),
        StepKind::Chain { hook, table, rules_visited, decided_by, verdict } => (
            "chain",
            json!({"hook": hook.as_str(), "table": table, "rules_visited": rules_visited, "verdict": verdict,
                   "decided_by": decision_json(decided_by)}),
        ),
        StepKind::Rule { decision, target } => {
            ("rule", json!({"target": target, "rule": decision_json(decision)}))
        }
        StepKind::Conntrack { state, entry } => ("conntrack", json!({"state": state, "entry": entry})),
        StepKind::Rewrite { by, changes } => {
            let by = match by {
                crate::RewriteBy::Nat(decision) => json!({"nat": decision.as_ref().map(decision_text)}),
                crate::RewriteBy::Target(decision) => json!({"target": decision_text(decision)}),
                crate::RewriteBy::Forward => json!("forward"),
            };
            ("rewrite", json!({"by": by, "changes": changes_json(changes)}))
        }
        StepKind::Encapsulated { outer, overhead } => {
            ("encapsulated", json!({"outer": outer.0, "overhead": overhead}))
        }
        StepKind::Decapsulated { outer } => ("decapsulated", json!({"outer": outer.0})),
        StepKind::Deliver { to, socket } => {
            ("deliver", json!({"socket": socket, "process": to.and_then(|pid| names.process(host, pid))}))
        }
        StepKind::Crossing { to_kernel } => ("crossing", json!({"to_kernel": to_kernel})),
        StepKind::Held(why) => ("held", json!({"why": why})),
        StepKind::Drop { reason, decided_by } => {
            ("drop", json!({"reason": reason.name(), "decided_by": decided_by.as_ref().map(decision_json)}))
        }
    };
    value["kind"] = json!(kind);
    if let (Value::Object(fields), Value::Object(detail)) = (&mut value, detail) {
        fields.extend(detail);
    }
    value
}
