use std::fmt::Write;

use super::report::{
    DecisionReport, DispositionReport, HopReport, PacketReport, Recording, StepDetail, StepReport,
};

/// A Mermaid sequence diagram of the packets of a recording, one after the other: the namespaces
/// they pass, and what changes or ends them there.
pub fn mermaid(recording: &Recording) -> String {
    let mut out = String::from(
        "%%{init: {\"sequence\": {\"wrap\": true, \"width\": 260}}}%%\nsequenceDiagram\n    autonumber\n",
    );
    let packets = || recording.commands.iter().flat_map(|command| &command.packets);
    let mut nodes: Vec<&str> = Vec::new();
    for hop in packets().flat_map(|packet| &packet.hops) {
        if !nodes.contains(&hop.node.as_str()) {
            nodes.push(&hop.node);
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        let _ = writeln!(out, "    participant n{i} as {}", escape(node));
    }
    let number = |node: &str| nodes.iter().position(|known| *known == node).unwrap_or_default();
    for command in recording.commands.iter().filter(|command| !command.packets.is_empty()) {
        let typed = format!("{}$ {}", command.on, first_line(&command.command));
        let over = match nodes.len() {
            0 | 1 => "n0".to_owned(),
            n => format!("n0,n{}", n - 1),
        };
        let _ = writeln!(out, "    Note over {over}: {}", escape(&typed));
        for packet in &command.packets {
            one_packet(&mut out, packet, &number);
        }
    }
    if nodes.is_empty() {
        // A diagram without anyone in it is an error to Mermaid.
        let _ = writeln!(out, "    participant n0 as no packet was sent");
    }
    out
}

fn one_packet(out: &mut String, packet: &PacketReport, number: &impl Fn(&str) -> usize) {
    let mut before: Option<&HopReport> = None;
    for hop in &packet.hops {
        let here = number(&hop.node);
        if let Some(before) = before {
            let devices = match (before.devices.last(), hop.devices.first()) {
                (Some(from), Some(to)) => format!("{from} → {to}"),
                (Some(one), None) | (None, Some(one)) => one.clone(),
                (None, None) => String::new(),
            };
            let what = if before.steps.first().is_some_and(is_birth) {
                format!("{devices}: {}", packet.description)
            } else {
                devices
            };
            let _ = writeln!(out, "    n{}->>n{here}: {}", number(&before.node), escape(&what));
        } else if packet.hops.len() == 1 {
            let _ = writeln!(out, "    n{here}->>n{here}: {}", escape(&packet.description));
        }
        for step in hop.steps.iter().filter(|step| is_worth_a_note(&step.detail)) {
            let _ = writeln!(out, "    Note over n{here}: {}", escape(&note(step)));
        }
        before = Some(hop);
    }
    if let (DispositionReport::Pending, Some(hop)) = (&packet.disposition, packet.hops.last()) {
        let _ = writeln!(out, "    Note over n{}: still on its way", number(&hop.node));
    }
}

/// Whether a packet's way begins with this step.
fn is_birth(step: &StepReport) -> bool {
    matches!(step.detail, StepDetail::Created { .. })
}

fn is_worth_a_note(detail: &StepDetail) -> bool {
    match detail {
        StepDetail::Rewrite { by, .. } => !matches!(by, super::report::RewriteReport::Forward),
        StepDetail::Encapsulated { .. }
        | StepDetail::Decapsulated { .. }
        | StepDetail::Deliver { .. }
        | StepDetail::Crossing { .. }
        | StepDetail::Drop { .. } => true,
        _ => false,
    }
}

/// A step in few words.
fn note(step: &StepReport) -> String {
    let StepDetail::Drop { reason, decided_by: Some(decision), .. } = &step.detail else {
        return step.text.clone();
    };
    match decision {
        DecisionReport::Rule { table, chains, number, .. } => {
            format!("dropped by {table} {} #{number} ({reason})", chains.join(" → "))
        }
        DecisionReport::Policy { table, chain, .. } => {
            format!("dropped by {table} {chain} policy ({reason})")
        }
        DecisionReport::Fabric { segment, barrier } => {
            format!("dropped by the segment {segment}, which bars {barrier} ({reason})")
        }
    }
}

fn first_line(text: &str) -> String {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    if lines.next().is_some() { format!("{first} …") } else { first.to_owned() }
}

/// Text of a diagram: what Mermaid or a browser would read as its own is written as an entity.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' | ';' | '<' | '>' | '"' | '%' | '&' | '{' | '}' | '`' | '\\' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
