use packet::{Body, DevId, EtherPayload, Frame, PacketId, UdpData};

use crate::describe::describe;
use crate::journey::Hop;
use crate::{BridgeCall, Decision, FieldChange, HookName, Names, RewriteBy, Step, StepKind};

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

/// The kernel function in which a step of this kind happens.
pub(super) const fn kernel_function(kind: &StepKind) -> &'static str {
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

/// The place of a decision, and what its chain was made for: `filter FORWARD policy`,
/// `nat PREROUTING → KUBE-SVC #2 (default/web)`.
pub(crate) fn decision_text(decision: &Decision, names: &dyn Names) -> String {
    match decision {
        Decision::Rule { table, chains, number, .. } => {
            let object = behind(chains, names).map_or(String::new(), |object| format!(" ({object})"));
            format!("{table} {} #{number}{object}", chains.join(" → "))
        }
        Decision::Policy { table, chain, .. } => format!("{table} {chain} policy"),
        Decision::Fabric { segment, barrier } => format!("the segment {segment}, which bars `{barrier}`"),
    }
}

/// What the last of those chains that was made for something was made for.
pub(super) fn behind(chains: &[String], names: &dyn Names) -> Option<String> {
    chains.iter().rev().find_map(|chain| names.behind_chain(chain))
}

/// The place of a decision and what stands there.
fn decision_detail(decision: &Decision, names: &dyn Names) -> String {
    match decision {
        Decision::Rule { text, .. } => format!("{}  {text}", decision_text(decision, names)),
        Decision::Policy { nearest: Some((rule, failed)), .. } => {
            format!("{}; nearest rule: {rule} ({failed})", decision_text(decision, names))
        }
        Decision::Policy { nearest: None, .. } | Decision::Fabric { .. } => decision_text(decision, names),
    }
}

/// How much a sentence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// For a reader of text.
    Plain,
    /// With addresses and numbers that most don't want.
    Full,
    /// Without what a report holds beside it: rules and link-layer addresses.
    Brief,
}

/// What a step says. `outer` knows the frames of packets that carry others.
pub(super) fn sentence<'a>(
    step: &Step,
    outer: &dyn Fn(PacketId) -> Option<&'a Frame>,
    names: &dyn Names,
    wording: Wording,
) -> String {
    let host = step.place.host;
    let full = wording == Wording::Full;
    let detail = |decision: &Decision| match wording {
        Wording::Plain | Wording::Full => decision_detail(decision, names),
        Wording::Brief => decision_text(decision, names),
    };
    match &step.kind {
        StepKind::Created { by, parents, frame } => {
            let by =
                by.and_then(|pid| names.process(host, pid)).map_or(String::new(), |p| format!(" by `{p}`"));
            let parents: Vec<String> =
                parents.iter().map(|(relation, id)| format!("{} {id}", relation.words())).collect();
            let from = if parents.is_empty() { String::new() } else { format!(" ({})", parents.join(", ")) };
            format!("packet {}{by}{from}: {}", step.packet, describe(frame))
        }
        StepKind::Receive(frame) if full => format!("in: {} > {}, {}", frame.src, frame.dst, describe(frame)),
        StepKind::Transmit(frame) if full => {
            format!("out: {} > {}, {}", frame.src, frame.dst, describe(frame))
        }
        StepKind::Receive(frame) if wording == Wording::Brief => format!("in: {}", describe(frame)),
        StepKind::Transmit(frame) if wording == Wording::Brief => format!("out: {}", describe(frame)),
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
            "{table} {}: {verdict} by {}, {rules_visited} rule{} visited",
            hook.as_str(),
            detail(decided_by),
            if *rules_visited == 1 { "" } else { "s" },
        ),
        StepKind::Rule { decision, target } => format!("{target} by {}", detail(decision)),
        StepKind::Conntrack { state, entry } => match entry {
            Some(entry) => format!("conntrack {state}: {entry}"),
            None => format!("conntrack {state}"),
        },
        StepKind::Rewrite { by, changes } => {
            let by = match by {
                RewriteBy::Nat(Some(decision)) | RewriteBy::Target(decision) => {
                    format!("  [{}]", decision_text(decision, names))
                }
                RewriteBy::Nat(None) => "  [nat, by its connection]".to_owned(),
                RewriteBy::Forward => String::new(),
            };
            format!("{}{by}", changes_text(changes))
        }
        StepKind::Encapsulated { outer: id, overhead } => {
            let how = outer(*id).and_then(tunnel).unwrap_or_else(|| "encapsulated".to_owned());
            let number = if full { format!(" (packet {id})") } else { String::new() };
            format!("{how}, +{overhead} bytes{number}")
        }
        StepKind::Decapsulated { outer: id } => match outer(*id).and_then(tunnel) {
            Some(how) => format!("decapsulated from {how}"),
            None => "decapsulated".to_owned(),
        },
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
            format!("dropped by {} ({reason})", detail(decision))
        }
        StepKind::Drop { reason, decided_by: None } => format!("dropped: {} ({reason})", reason.sentence()),
    }
}

/// The tunnel of an outer packet: `vxlan vni 1: 192.168.56.101 ⇒ 192.168.56.102:8472`.
fn tunnel(frame: &Frame) -> Option<String> {
    let EtherPayload::Ip(packet) = &frame.payload else { return None };
    let ends = format!("{} ⇒ {}", packet.src(), packet.dst());
    match &packet.body {
        Body::Udp(udp) => match &udp.data {
            UdpData::Vxlan(vni, _) => Some(format!("vxlan vni {}: {ends}:{}", vni.get(), udp.dport)),
            UdpData::Bytes(_) => None,
        },
        Body::Ip(_) => Some(format!("ipip: {ends}")),
        _ => None,
    }
}

/// What a step says to a reader of a capture.
pub fn tell<'a>(step: &Step, outer: &dyn Fn(PacketId) -> Option<&'a Frame>, names: &dyn Names) -> String {
    sentence(step, outer, names, Wording::Plain)
}
