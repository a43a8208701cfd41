use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::sentence::{Wording, decision_text, devices, kernel_function, sentence};
use super::{View, human_duration};
use crate::describe::describe;
use crate::journey::{Disposition, Hop, Trace};
use crate::{Decision, Names, RewriteBy, Step, StepKind};

/// Columns that the text keeps to.
const WIDTH: usize = 100;

/// Whether text is colored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    /// No escape sequences.
    #[default]
    Plain,
    /// Drops red, rewrites yellow, deliveries green.
    Colored,
}

/// What a line is about, which its color follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Changed,
    Arrived,
    Lost,
}

/// One paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    tone: Tone,
    text: String,
}

/// Prints one packet's way, without color. Ends with a newline.
pub fn print(trace: &Trace, names: &dyn Names, view: View) -> String {
    print_painted(trace, names, view, Paint::Plain)
}

/// Prints one packet's way. Ends with a newline.
pub fn print_painted(trace: &Trace, names: &dyn Names, view: View, paint: Paint) -> String {
    let mut page = Page { trace, names, paint, out: String::new() };
    page.title();
    for (i, hop) in trace.hops.iter().enumerate() {
        match view {
            View::Minimal => page.minimal(hop),
            View::Summary => page.summary(i + 1, hop),
            View::Detailed => page.detailed(i + 1, hop, false),
            View::Full => page.detailed(i + 1, hop, true),
        }
    }
    page.crossings();
    page.out
}

/// Text that is being written.
struct Page<'a> {
    trace: &'a Trace,
    names: &'a dyn Names,
    paint: Paint,
    out: String,
}

impl Page<'_> {
    fn title(&mut self) {
        let trace = self.trace;
        let (host, netns, _) = trace.sender;
        let (tone, end) = match trace.disposition {
            Disposition::Delivered { host, netns, at } => {
                let took = human_duration(at.since(trace.sent_at));
                (Tone::Arrived, format!("delivered to {}  {took}", self.names.node(host, netns)))
            }
            Disposition::Dropped { host, netns, reason, .. } => {
                (Tone::Lost, format!("dropped at {}  {reason}", self.names.node(host, netns)))
            }
            Disposition::Pending => (Tone::Plain, "still on its way".to_owned()),
        };
        let end = printable(&end);
        let what = printable(&format!("● {}  {}", self.names.node(host, netns), describe(&trace.frame)));
        let width = |text: &str| text.chars().count();
        let gap = WIDTH.saturating_sub(width(&what) + width(&end));
        if gap >= 2 {
            let _ = writeln!(self.out, "{what}{}{}", " ".repeat(gap), self.painted(tone, &end));
        } else {
            match what.strip_prefix("● ") {
                Some(rest) if width(&what) > WIDTH => self.paragraph("● ", Tone::Plain, rest),
                _ => _ = writeln!(self.out, "{what}"),
            }
            let gap = WIDTH.saturating_sub(width(&end));
            let _ = writeln!(self.out, "{}{}", " ".repeat(gap), self.painted(tone, &end));
        }
    }

    /// How often a packet that went through a process went to and fro.
    fn crossings(&mut self) {
        let steps = || self.trace.hops.iter().flat_map(|hop| &hop.steps);
        if steps().any(|step| matches!(step.kind, StepKind::Crossing { .. })) {
            let count = self.trace.crossings();
            let _ = writeln!(self.out, "  {count} crossings between kernel and processes");
        }
    }

    fn painted(&self, tone: Tone, text: &str) -> String {
        let style = match (self.paint, tone) {
            (Paint::Plain, _) | (_, Tone::Plain) => return text.to_owned(),
            (Paint::Colored, Tone::Changed) => color(AnsiColor::Yellow),
            (Paint::Colored, Tone::Arrived) => color(AnsiColor::Green),
            (Paint::Colored, Tone::Lost) => color(AnsiColor::Red),
        };
        format!("{style}{text}{style:#}")
    }

    /// Writes `text` behind `left`, broken at blanks so that it fits, continued under its beginning.
    fn paragraph(&mut self, left: &str, tone: Tone, text: &str) {
        let (left, text) = (printable(left), printable(text));
        let indent = left.chars().count();
        let mut line = String::new();
        let mut lines = Vec::new();
        let mut used = indent;
        for (i, word) in text.split(' ').enumerate() {
            let len = word.chars().count();
            if i > 0 && used + 1 + len > WIDTH && used > indent {
                lines.push(std::mem::take(&mut line));
                used = indent;
            } else if i > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += len;
        }
        lines.push(line);
        for (i, line) in lines.iter().enumerate() {
            let left = if i == 0 { left.clone() } else { " ".repeat(indent) };
            let text = line.trim_end();
            let _ = if text.is_empty() {
                writeln!(self.out, "{}", left.trim_end())
            } else {
                writeln!(self.out, "{left}{}", self.painted(tone, text))
            };
        }
    }

    /// Writes each line behind `left`, the later ones under the first.
    fn lines(&mut self, left: &str, lines: &[Line]) {
        let indent = " ".repeat(left.chars().count());
        let Some((first, rest)) = lines.split_first() else {
            return self.paragraph(left, Tone::Plain, "");
        };
        self.paragraph(left, first.tone, &first.text);
        for line in rest {
            self.paragraph(&indent, line.tone, &line.text);
        }
    }

    /// What a step says, a line for each part of a decision.
    fn tell(&self, step: &Step, full: bool) -> Vec<Line> {
        let tone = match &step.kind {
            StepKind::Rewrite { .. } => Tone::Changed,
            StepKind::Deliver { .. } => Tone::Arrived,
            StepKind::Drop { .. } => Tone::Lost,
            _ => Tone::Plain,
        };
        let StepKind::Drop { reason, decided_by: Some(decision) } = &step.kind else {
            return vec![Line { tone, text: self.sentence(step, full) }];
        };
        let mut lines = vec![Line {
            tone,
            text: format!("dropped by {} ({reason})", decision_text(decision, self.names)),
        }];
        let mut plain = |text: String| lines.push(Line { tone: Tone::Plain, text });
        match decision {
            Decision::Rule { text, .. } => plain(text.clone()),
            Decision::Policy { nearest: Some((rule, failed)), .. } => {
                plain(format!("nearest rule: {rule}"));
                plain(format!("it didn't match: {failed}"));
            }
            Decision::Policy { nearest: None, .. } | Decision::Fabric { .. } => {}
        }
        lines
    }

    fn sentence(&self, step: &Step, full: bool) -> String {
        let wording = if full { Wording::Full } else { Wording::Plain };
        sentence(step, &|id| self.trace.frame_of(id), self.names, wording)
    }

    fn device(&self, step: &Step) -> String {
        step.place.dev.map_or(String::new(), |dev| self.names.dev(step.place.host, dev))
    }

    fn minimal(&mut self, hop: &Hop) {
        for step in &hop.steps {
            if is_milestone(&step.kind) {
                let node = self.names.node(hop.host, hop.netns);
                let left = format!("  {node:<16} {:<10} ", self.device(step));
                self.lines(&left, &self.tell(step, false));
            }
        }
    }

    fn summary(&mut self, number: usize, hop: &Hop) {
        let names: Vec<String> = devices(hop).into_iter().map(|dev| self.names.dev(hop.host, dev)).collect();
        let mut lines: Vec<Line> = Vec::new();
        for (i, step) in hop.steps.iter().enumerate() {
            let plain = |text| vec![Line { tone: Tone::Plain, text }];
            let new = match &step.kind {
                StepKind::Route { route, dev: Some(dev), .. } => {
                    plain(way(route, &self.names.dev(hop.host, *dev)))
                }
                StepKind::Bridge { flooded: true, .. } => plain("flooded to all ports".to_owned()),
                // Of interest only if it waits for ever.
                StepKind::Held(_) if i + 1 < hop.steps.len() => continue,
                StepKind::Held(_) => self.tell(step, false),
                // Every router does it.
                StepKind::Rewrite { by: RewriteBy::Forward, .. } => continue,
                kind if is_milestone(kind) => self.tell(step, false),
                _ => continue,
            };
            if !lines.ends_with(&new) {
                lines.extend(new);
            }
        }
        let node = self.names.node(hop.host, hop.netns);
        self.lines(&format!("  {number} {node:<16} {:<20} ", names.join(" ")), &lines);
    }

    fn detailed(&mut self, number: usize, hop: &Hop, full: bool) {
        let node = self.names.node(hop.host, hop.netns);
        self.paragraph(&format!("  {number} "), Tone::Plain, &node);
        for step in &hop.steps {
            if !full && matches!(step.kind, StepKind::Created { .. }) {
                continue;
            }
            let device = self.device(step);
            let left = if full {
                format!("      {:>12} {:<22} {device:<10} ", step.at, kernel_function(&step.kind))
            } else {
                format!("      {device:<10} ")
            };
            self.lines(&left, &self.tell(step, full));
        }
    }
}

fn color(color: AnsiColor) -> Style {
    color.on_default()
}

/// Control characters of a name or a rule's comment, written so that no terminal obeys them.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
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

#[cfg(test)]
mod tests {
    use packet::{
        Body, DevId, EtherPayload, Frame, HostId, Icmp, MacAddr, NetnsId, Packet, PacketId, Payload, Pid,
        SimTime, VlanTags,
    };

    use super::*;
    use crate::{FieldChange, Place};

    /// One host, whose name would clear a terminal.
    struct Hostile;

    impl Names for Hostile {
        fn host(&self, _: HostId) -> String {
            "\u{1b}[2Jnode".to_owned()
        }
        fn netns(&self, _: HostId, _: NetnsId) -> String {
            String::new()
        }
        fn dev(&self, _: HostId, _: DevId) -> String {
            "eth0\r\n".to_owned()
        }
        fn process(&self, _: HostId, _: Pid) -> Option<String> {
            None
        }
    }

    fn trace() -> Trace {
        let icmp = Icmp::Echo { request: true, id: 1, seq: 1, payload: Payload::EMPTY };
        let addr = |last| std::net::IpAddr::from([10, 0, 0, last]);
        let frame = Frame {
            dst: MacAddr([2; 6]),
            src: MacAddr([4; 6]),
            tags: VlanTags::NONE,
            payload: EtherPayload::Ip(Packet::new(addr(1), addr(2), Body::Icmp(icmp))),
        };
        let place = Place { host: HostId(0), netns: NetnsId::INIT, dev: Some(DevId(1)) };
        let at = SimTime::ZERO;
        let step = |kind| Step { at, packet: PacketId(1), place, kind };
        let change =
            FieldChange { field: "dst", before: "10.0.0.2".to_owned(), after: "10.0.0.3".to_owned() };
        let steps = vec![
            step(StepKind::Rewrite { by: RewriteBy::Nat(None), changes: vec![change] }),
            step(StepKind::Deliver { to: None, socket: "udp ".repeat(40) }),
        ];
        Trace {
            packet: PacketId(1),
            frame,
            sender: (HostId(0), NetnsId::INIT, None),
            sent_at: at,
            disposition: Disposition::Delivered { host: HostId(0), netns: NetnsId::INIT, at },
            hops: vec![Hop { host: HostId(0), netns: NetnsId::INIT, steps }],
        }
    }

    #[test]
    fn colors_change_nothing_else_and_names_command_no_terminal() {
        for view in [View::Minimal, View::Summary, View::Detailed, View::Full] {
            let plain = print(&trace(), &Hostile, view);
            assert!(plain.lines().all(|line| line.chars().count() <= WIDTH), "{plain}");
            assert!(plain.lines().all(|line| line.trim_end() == line), "{plain}");
            assert!(!plain.contains(|c: char| c.is_control() && c != '\n'), "{plain}");
            let painted = print_painted(&trace(), &Hostile, view, Paint::Colored);
            assert!(painted.contains("\u{1b}[33mdst 10.0.0.2 ⇒ 10.0.0.3"), "{painted}");
            let mut stripped = String::new();
            for part in painted.split('\u{1b}') {
                let text =
                    if part.starts_with('[') { part.split_once('m').map(|(_, text)| text) } else { None };
                stripped.push_str(text.unwrap_or(part));
            }
            assert_eq!(stripped, plain);
        }
    }
}
