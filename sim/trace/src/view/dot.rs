use std::collections::BTreeSet;
use std::fmt::Write;

use super::map::{DeviceKey, DeviceSort, EdgeSort, MapDevice, NetworkMap, SegmentSort};
use super::report::{DispositionReport, PacketReport, Recording, StepDetail};

/// Graphviz: the network with a packet's way on it, a graph for each packet; the network alone if
/// there is none.
pub fn dot(recording: &Recording) -> String {
    let packets = recording.commands.iter().flat_map(|command| &command.packets);
    let graphs: Vec<String> = packets.map(|packet| graph(&recording.map, Some(packet))).collect();
    if graphs.is_empty() { graph(&recording.map, None) } else { graphs.join("\n") }
}

/// The devices that a packet passed, in order, each once in a row.
pub(super) fn passed(packet: &PacketReport) -> Vec<DeviceKey> {
    let steps = packet.hops.iter().flat_map(|hop| &hop.steps);
    let mut devices: Vec<DeviceKey> = steps
        .filter(|step| matches!(step.detail, StepDetail::Receive { .. } | StepDetail::Transmit { .. }))
        .filter_map(|step| step.device_id)
        .collect();
    devices.dedup();
    devices
}

fn graph(map: &NetworkMap, packet: Option<&PacketReport>) -> String {
    let way = packet.map(passed).unwrap_or_default();
    let seen: BTreeSet<DeviceKey> = way.iter().copied().collect();
    let mut out = String::from("digraph hoplab {\n");
    out.push_str("  graph [fontname=\"sans-serif\", labelloc=t, nodesep=0.4, ranksep=0.7];\n");
    out.push_str("  node [fontname=\"sans-serif\", fontsize=11, shape=box, style=\"rounded,filled\", fillcolor=white];\n");
    out.push_str("  edge [fontname=\"sans-serif\", fontsize=11, color=gray40];\n");
    if let Some(packet) = packet {
        let end = match &packet.disposition {
            DispositionReport::Delivered { node, .. } => format!("delivered to {node}"),
            DispositionReport::Dropped { node, reason, .. } => format!("dropped at {node}: {reason}"),
            DispositionReport::Pending => "still on its way".to_owned(),
        };
        let _ = writeln!(out, "  label={};", quote(&format!("{}\n{end}", packet.description)));
    }
    for host in &map.hosts {
        let _ = writeln!(out, "  subgraph cluster_{} {{", host.id);
        let _ = writeln!(out, "    label={}; style=rounded; color=gray40;", quote(&host.name));
        for ns in &host.namespaces {
            let shown: Vec<&MapDevice> = ns
                .devices
                .iter()
                .filter(|dev| dev.kind != DeviceSort::Loopback || seen.contains(&dev.id))
                .collect();
            let inner = ns.id != 0;
            if inner {
                let _ = writeln!(out, "    subgraph cluster_{}_{} {{", host.id, ns.id);
                let _ = writeln!(out, "      label={}; style=\"rounded,dashed\";", quote(&ns.name));
            }
            for device in shown {
                let last = way.last() == Some(&device.id);
                node(&mut out, device, last.then_some(packet).flatten());
            }
            if inner {
                out.push_str("    }\n");
            }
        }
        out.push_str("  }\n");
    }
    for (i, segment) in map.segments.iter().enumerate() {
        let kind = match segment.kind {
            SegmentSort::Hub => "hub",
            SegmentSort::Switch => "switch",
        };
        let label = quote(&format!("{}\n{kind}", segment.name));
        let _ = writeln!(out, "  segment{i} [label={label}, shape=box3d, style=filled, fillcolor=gray90];");
        for port in &segment.ports {
            let _ = writeln!(out, "  \"{port}\" -> segment{i} [dir=none];");
        }
    }
    for edge in &map.edges {
        let style = match edge.kind {
            EdgeSort::Cable => "dir=none, penwidth=2",
            EdgeSort::Veth => "dir=none",
            EdgeSort::Port => "dir=none, color=gray60",
            EdgeSort::Lower => "dir=none, style=dotted",
            EdgeSort::Tunnel => "dir=none, style=dashed, constraint=false",
        };
        let _ = writeln!(out, "  \"{}\" -> \"{}\" [{style}];", edge.from, edge.to);
    }
    for (i, pair) in way.windows(2).enumerate() {
        let shared = map.segments.iter().position(|s| pair.iter().all(|device| s.ports.contains(device)));
        let style = format!(
            "color=\"#0b6bcb\", fontcolor=\"#0b6bcb\", penwidth=2.5, constraint=false, label=\"{}\"",
            i + 1
        );
        let _ = match shared {
            Some(segment) => writeln!(
                out,
                "  \"{}\" -> segment{segment} [{style}];\n  segment{segment} -> \"{}\" [{style}];",
                pair[0], pair[1]
            ),
            None => writeln!(out, "  \"{}\" -> \"{}\" [{style}];", pair[0], pair[1]),
        };
    }
    out.push_str("}\n");
    out
}

/// A device; `end` is the packet whose way ends there.
fn node(out: &mut String, device: &MapDevice, end: Option<&PacketReport>) {
    let mut label = device.name.clone();
    for line in device.detail.iter().chain(&device.addresses) {
        let _ = write!(label, "\n{line}");
    }
    let fill = match end.map(|packet| &packet.disposition) {
        Some(DispositionReport::Delivered { .. }) => ", fillcolor=\"#d3f2da\", penwidth=2.5",
        Some(DispositionReport::Dropped { .. }) => ", fillcolor=\"#fbd9d7\", penwidth=2.5",
        Some(DispositionReport::Pending) | None if device.kind == DeviceSort::Bridge => ", fillcolor=gray95",
        Some(DispositionReport::Pending) | None => "",
    };
    let _ = writeln!(out, "      \"{}\" [label={}{fill}];", device.id, quote(&label));
}

/// A quoted string: a newline breaks the line, nothing else is read as anything but itself.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
