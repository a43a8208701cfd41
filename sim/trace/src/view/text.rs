use std::fmt::Write;

use packet::DevId;

use super::{View, human_duration};
use crate::describe::describe;
use crate::journey::{Disposition, Hop, Trace};
use crate::{BridgeCall, Decision, FieldChange, HookName, Names, RewriteBy, Step, StepKind};

/// Columns that the text keeps to.
const WIDTH: usize = 100;

/// Prints one packet's way. Ends with a newline.
pub fn print(trace: &Trace, names: &dyn Names, view: View) -> String {
    let mut out = title(trace, names);
    for (i, hop) in trace.hops.iter().enumerate() {
        match view {
            View::Minimal => minimal(&mut out, hop, names),
            View::Summary => summary(&mut out, i + 1, hop, names),
            View::Detailed | View::Full => detailed(&mut out, i + 1, hop, names, view == View::Full),
        }
    }
    out
}

fn title(trace: &Trace, names: &dyn Names) -> String {
    let (host, netns, _) = trace.sender;
    let end = match trace.disposition {
        Disposition::Delivered { host, netns, at } => {
            format!("delivered to {}  {}", names.node(host, netns), human_duration(at.since(trace.sent_at)))
        }
        Disposition::Dropped { host, netns, reason, .. } => {
            format!("dropped at {}  {reason}", names.node(host, netns))
        }
        Disposition::Pending => "still on its way".to_owned(),
    };
    let what = format!("● {}  {}", names.node(host, netns), describe(&trace.frame));
    let mut line = String::new();
    let used = what.chars().count() + 2 + end.chars().count();
    if used <= WIDTH {
        let gap = " ".repeat(WIDTH - used + 2);
        let _ = writeln!(line, "{what}{gap}{end}");
    } else {
        let _ = writeln!(line, "{what}\n{end:>WIDTH$}");
    }
    line
}

/// Writes `text` behind `left`, broken at blanks so that it fits, continued under its beginning.
fn columns(out: &mut String, left: &str, text: &str) {
    let indent = left.chars().count();
    let mut line = left.to_owned();
    let mut used = indent;
    for (i, word) in text.split(' ').enumerate() {
        let len = word.chars().count();
        if i > 0 && used + 1 + len > WIDTH && used > indent {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(indent);
            used = indent;
        } else if i > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += len;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

/// Writes each text behind `left`, the later ones under the first.
fn paragraphs(out: &mut String, left: &str, texts: &[String]) {
    let indent = " ".repeat(left.chars().count());
    columns(out, left, texts.first().map_or("", String::as_str));
    for text in texts.iter().skip(1) {
        columns(out, &indent, text);
    }
}

/// What a step says, a paragraph for each part of a decision.
fn paragraphs_of(step: &Step, names: &dyn Names, full: bool) -> Vec<String> {
    match &step.kind {
        StepKind::Drop { reason, decided_by: Some(decision) } => {
            let mut texts = vec![format!("dropped by {} ({reason})", decision_text(decision))];
            match decision {
                Decision::Rule { text, .. } => texts.push(text.clone()),
                Decision::Policy { nearest: Some((rule, failed)), .. } => {
                    texts.push(format!("nearest rule: {rule}"));
                    texts.push(format!("it didn't match: {failed}"));
                }
                Decision::Policy { nearest: None, .. } => {}
            }
            texts
        }
        _ => vec![sentence(step, names, full)],
    }
}

fn minimal(out: &mut String, hop: &Hop, names: &dyn Names) {
    for step in &hop.steps {
        if is_milestone(&step.kind) {
            let left = format!("  {:<16} {:<10} ", names.node(hop.host, hop.netns), device(step, names));
            paragraphs(out, &left, &paragraphs_of(step, names, false));
        }
    }
}

/// Whether the packet changed or ended here.
const fn is_milestone(kind: &StepKind) -> bool {
    match kind {
        StepKind::Rewrite { .. }
        | StepKind::Encapsulated { .. }
        | StepKind::Decapsulated { .. }
        | StepKind::Deliver { .. }
        | StepKind::Crossing { .. }
        | StepKind::Drop { .. } => true,
        StepKind::Created { .. }
        | StepKind::Receive(_)
        | StepKind::Transmit(_)
        | StepKind::Route { .. }
        | StepKind::Neighbour { .. }
        | StepKind::Bridge { .. }
        | StepKind::BridgeNetfilter { .. }
        | StepKind::SabotageIn
        | StepKind::Chain { .. }
        | StepKind::Rule { .. }
        | StepKind::Conntrack { .. }
        | StepKind::Held(_) => false,
    }
}

fn device(step: &Step, names: &dyn Names) -> String {
    step.place.dev.map_or(String::new(), |dev| names.dev(step.place.host, dev))
}

/// The devices that the packet passed in a hop, in order, each once in a row.
pub(super) fn devices(hop: &Hop) -> Vec<DevId> {
    let mut devices: Vec<DevId> = hop
        .steps
        .iter()
        .filter(|step| matches!(step.kind, StepKind::Receive(_) | StepKind::Transmit(_)))
        .filter_map(|step| step.place.dev)
        .collect();
    devices.dedup();
    devices
}

fn summary(out: &mut String, number: usize, hop: &Hop, names: &dyn Names) {
    let devices: Vec<String> = devices(hop).into_iter().map(|dev| names.dev(hop.host, dev)).collect();
    let mut texts: Vec<String> = Vec::new();
    for (i, step) in hop.steps.iter().enumerate() {
        let new = match &step.kind {
            StepKind::Route { route, dev: Some(dev), .. } => vec![way(route, &names.dev(hop.host, *dev))],
            StepKind::Bridge { flooded: true, .. } => vec!["flooded to all ports".to_owned()],
            // Of interest only if it waits for ever.
            StepKind::Held(_) if i + 1 < hop.steps.len() => continue,
            StepKind::Held(_) => paragraphs_of(step, names, false),
            // Every router does it.
            StepKind::Rewrite { by: RewriteBy::Forward, .. } => continue,
            kind if is_milestone(kind) => paragraphs_of(step, names, false),
            _ => continue,
        };
        if !texts.ends_with(&new) {
            texts.extend(new);
        }
    }
    let left = format!("  {number} {:<16} {:<20} ", names.node(hop.host, hop.netns), devices.join(" "));
    paragraphs(out, &left, &texts);
}

/// A route in short: where it leads, its gateway and device, what else is unusual.
fn way(route: &str, dev: &str) -> String {
    let mut words = route.split(' ');
    let mut short = words.next().unwrap_or_default().to_owned();
    let mut rest = String::new();
    while let Some(word) = words.next() {
        match word {
            "via" => short.push_str(&format!(" via {}", words.next().unwrap_or_default())),
            "proto" | "scope" | "src" | "metric" => drop(words.next()),
            word => rest.push_str(&format!(" {word}")),
        }
    }
    format!("{short} dev {dev}{rest}")
}

fn detailed(out: &mut String, number: usize, hop: &Hop, names: &dyn Names, full: bool) {
    let _ = writeln!(out, "  {number} {}", names.node(hop.host, hop.netns));
    for step in &hop.steps {
        if !full && matches!(step.kind, StepKind::Created { .. }) {
            continue;
        }
        let mut left = format!("      {:<10} ", device(step, names));
        if full {
            left = format!(
                "      {:>12} {:<22} {:<10} ",
                step.at,
                kernel_function(&step.kind),
                device(step, names)
            );
        }
        paragraphs(out, &left, &paragraphs_of(step, names, full));
    }
}

/// The kernel function in which a step of this kind happens.
const fn kernel_function(kind: &StepKind) -> &'static str {
    match kind {
        StepKind::Created { .. } => "",
        StepKind::Receive(_) => "netif_receive_skb",
        StepKind::Transmit(_) => "dev_queue_xmit",
        StepKind::Route { .. } => "fib_lookup",
        StepKind::Neighbour { .. } => "neigh_resolve_output",
        StepKind::Bridge { .. } => "br_handle_frame_finish",
        StepKind::BridgeNetfilter { hook, .. } => match hook {
            HookName::Forward => "br_nf_forward_ip",
            HookName::Postrouting => "br_nf_post_routing",
            HookName::Prerouting | HookName::Input | HookName::Output => "br_nf_pre_routing",
        },
        StepKind::SabotageIn => "ip_sabotage_in",
        StepKind::Chain { .. } | StepKind::Rule { .. } => "nf_hook_slow",
        StepKind::Conntrack { .. } => "nf_conntrack_in",
        StepKind::Rewrite { by, .. } => match by {
            RewriteBy::Nat(_) => "nf_nat_manip_pkt",
            RewriteBy::Target(_) => "nf_hook_slow",
            RewriteBy::Forward => "ip_forward",
        },
        StepKind::Encapsulated { .. } => "ndo_start_xmit",
        StepKind::Decapsulated { .. } => "udp_tunnel_encap_rcv",
        StepKind::Deliver { .. } => "ip_local_deliver",
        StepKind::Crossing { to_kernel: true } => "tun_get_user",
        StepKind::Crossing { to_kernel: false } => "tun_net_xmit",
        StepKind::Held(_) => "",
        StepKind::Drop { .. } => "kfree_skb_reason",
    }
}

fn changes_text(changes: &[FieldChange]) -> String {
    changes.iter().map(|c| format!("{} {} ⇒ {}", c.field, c.before, c.after)).collect::<Vec<_>>().join(", ")
}

/// The place of a decision: `filter FORWARD policy`, `nat PREROUTING → KUBE-SVC #2`.
pub(crate) fn decision_text(decision: &Decision) -> String {
    match decision {
        Decision::Rule { table, chains, number, .. } => format!("{table} {} #{number}", chains.join(" → ")),
        Decision::Policy { table, chain, .. } => format!("{table} {chain} policy"),
    }
}

fn decision_detail(decision: &Decision) -> String {
    match decision {
        Decision::Rule { text, .. } => format!("{}  {text}", decision_text(decision)),
        Decision::Policy { nearest: Some((rule, failed)), .. } => {
            format!("{}; nearest rule: {rule} ({failed})", decision_text(decision))
        }
        Decision::Policy { nearest: None, .. } => decision_text(decision),
    }
}

/// What a step says.
pub(super) fn sentence(step: &Step, names: &dyn Names, full: bool) -> String {
    let host = step.place.host;
    match &step.kind {
        StepKind::Created { by, parents, frame } => {
            let by =
                by.and_then(|pid| names.process(host, pid)).map_or(String::new(), |p| format!(" by `{p}`"));
            let parents: Vec<String> =
                parents.iter().map(|(relation, id)| format!("{relation:?} {id}")).collect();
            let from = if parents.is_empty() { String::new() } else { format!(" ({})", parents.join(", ")) };
            format!("packet {}{by}{from}: {}", step.packet, describe(frame))
        }
        StepKind::Receive(frame) if full => format!("in: {} > {}, {}", frame.src, frame.dst, describe(frame)),
        StepKind::Transmit(frame) if full => {
            format!("out: {} > {}, {}", frame.src, frame.dst, describe(frame))
        }
        StepKind::Receive(_) => "in".to_owned(),
        StepKind::Transmit(_) => "out".to_owned(),
        StepKind::Route { route, dev, .. } => match dev {
            Some(dev) => format!("route {route} dev {}", names.dev(host, *dev)),
            None => format!("route {route}"),
        },
        StepKind::Neighbour { addr, mac: Some(mac) } => format!("neighbour {addr} is at {mac}"),
        StepKind::Neighbour { addr, mac: None } => format!("neighbour {addr} not resolved: ARP is asked"),
        StepKind::Bridge { port, local, flooded } => {
            let mut parts = Vec::new();
            if *flooded {
                parts.push("flooded to all ports".to_owned());
            }
            if let Some(port) = port {
                parts.push(format!("forwarded to port {}", names.dev(host, *port)));
            }
            if *local {
                parts.push("passed up to the bridge".to_owned());
            }
            format!("bridge: {}", parts.join(", "))
        }
        StepKind::BridgeNetfilter { hook, physindev, physoutdev, by } => {
            let port = |word: &str, dev: &Option<DevId>| {
                dev.map_or(String::new(), |dev| format!(" {word} {}", names.dev(host, dev)))
            };
            let by = match by {
                BridgeCall::Sysctl => "bridge-nf-call-iptables=1",
                BridgeCall::Bridge => "nf_call_iptables of the bridge",
            };
            let ports = format!("{}{}", port("in", physindev), port("out", physoutdev));
            format!("{by}: the bridged packet ({}) meets {}", ports.trim_start(), hook.as_str())
        }
        StepKind::SabotageIn => "PREROUTING left out: the packet met it on the bridge".to_owned(),
        StepKind::Chain { hook, table, rules_visited, decided_by, verdict } => format!(
            "{table} {}: {verdict} by {}, {rules_visited} rules visited",
            hook.as_str(),
            decision_detail(decided_by)
        ),
        StepKind::Rule { decision, target } => format!("{target} by {}", decision_detail(decision)),
        StepKind::Conntrack { state, entry } => match entry {
            Some(entry) => format!("conntrack {state}: {entry}"),
            None => format!("conntrack {state}"),
        },
        StepKind::Rewrite { by, changes } => {
            let by = match by {
                RewriteBy::Nat(Some(decision)) | RewriteBy::Target(decision) => {
                    format!("  [{}]", decision_text(decision))
                }
                RewriteBy::Nat(None) => "  [nat, by its connection]".to_owned(),
                RewriteBy::Forward => String::new(),
            };
            format!("{}{by}", changes_text(changes))
        }
        StepKind::Encapsulated { outer, overhead } if full => {
            format!("encapsulated in packet {outer}, +{overhead} bytes")
        }
        StepKind::Encapsulated { overhead, .. } => format!("encapsulated, +{overhead} bytes"),
        StepKind::Decapsulated { .. } => "decapsulated".to_owned(),
        StepKind::Deliver { to, socket } => match to.and_then(|pid| names.process(host, pid)) {
            Some(process) => format!("delivered to {socket} of `{process}`"),
            None => format!("delivered to {socket}"),
        },
        StepKind::Crossing { to_kernel: true } => "written into the kernel by a process".to_owned(),
        StepKind::Crossing { to_kernel: false } => "handed to a process".to_owned(),
        StepKind::Held("neighbour") => "waits for ARP".to_owned(),
        StepKind::Held("fragments") => "waits for its other fragments".to_owned(),
        StepKind::Held(why) => format!("waits: {why}"),
        StepKind::Drop { reason, decided_by: Some(decision) } => {
            format!("dropped by {} ({reason})", decision_detail(decision))
        }
        StepKind::Drop { reason, decided_by: None } => format!("dropped: {} ({reason})", reason.sentence()),
    }
}
