//! Tables that a scenario prints.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use packet::{HostId, NetnsId, PacketId};
use trace::{HookName, Step, StepKind};
use unicode_width::UnicodeWidthStr;

/// Rows under heads; columns are as wide as their widest cell, three blanks apart.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            format!("{cell}{blanks}")
        });
        text.push_str(cells.collect::<Vec<_>>().join("   ").trim_end());
        text.push('\n');
    }
    text
}

/// The table of commands: a row a name, ✓ for each that ended with status 0.
pub(crate) fn of_statuses(columns: &[String], rows: &IndexMap<String, Vec<Option<i32>>>) -> String {
    let head = std::iter::once(String::new()).chain(columns.iter().cloned()).collect();
    let cell = |status: &Option<i32>| match status {
        None => "–",
        Some(0) => "✓",
        Some(_) => "✗",
    };
    let rows = rows.iter().map(|(name, cells)| {
        std::iter::once(name.clone()).chain(cells.iter().map(|status| cell(status).to_owned())).collect()
    });
    aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// A row of the table of hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Raw,
    Conntrack,
    Mangle,
    DstNat,
    Filter,
    Security,
    SrcNat,
}

impl Row {
    const ALL: [Self; 7] =
        [Self::Raw, Self::Conntrack, Self::Mangle, Self::DstNat, Self::Filter, Self::Security, Self::SrcNat];

    const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Conntrack => "(connection tracking)",
            Self::Mangle => "mangle",
            Self::DstNat => "nat (DNAT)",
            Self::Filter => "filter",
            Self::Security => "security",
            Self::SrcNat => "nat (SNAT)",
        }
    }

    /// The row of a table at a hook.
    fn of(table: &str, hook: HookName) -> Option<Self> {
        Some(match (table.trim_start_matches("legacy "), hook) {
            ("raw", _) => Self::Raw,
            ("mangle", _) => Self::Mangle,
            ("filter", _) => Self::Filter,
            ("security", _) => Self::Security,
            ("nat", HookName::Prerouting | HookName::Output) => Self::DstNat,
            ("nat", _) => Self::SrcNat,
            _ => return None,
        })
    }
}

/// Which tables packets met at which hooks, by place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    met: BTreeSet<(HostId, NetnsId, Row, HookName)>,
}

impl Hooks {
    /// Adds what packets met in these steps.
    pub fn add(&mut self, steps: &[Step]) {
        // Connection tracking looks at PREROUTING or OUTPUT: at OUTPUT if no device received the
        // packet here.
        let mut received: BTreeSet<(HostId, NetnsId, PacketId)> = BTreeSet::new();
        for step in steps {
            let (host, netns) = (step.place.host, step.place.netns);
            match &step.kind {
                StepKind::Receive(_) => {
                    received.insert((host, netns, step.packet));
                }
                StepKind::Chain { hook, table, .. } => {
                    self.met.extend(Row::of(table, *hook).map(|row| (host, netns, row, *hook)));
                }
                StepKind::Conntrack { state, .. } if !CONFIRMING.contains(state) => {
                    let hook = match received.contains(&(host, netns, step.packet)) {
                        true => HookName::Prerouting,
                        false => HookName::Output,
                    };
                    self.met.insert((host, netns, Row::Conntrack, hook));
                }
                _ => {}
            }
        }
    }

    /// Tables by hooks, with ✓ where a packet met one at a place that `wanted` wants.
    pub fn print(&self, wanted: impl Fn(HostId, NetnsId) -> bool) -> String {
        let head = std::iter::once("Tables↓/Chains→".to_owned())
            .chain(HookName::ALL.iter().map(|hook| hook.as_str().to_owned()));
        let rows = Row::ALL.iter().map(|row| {
            let met = |hook: &HookName| {
                self.met.iter().any(|&(host, netns, r, h)| (r, h) == (*row, *hook) && wanted(host, netns))
            };
            let cells = HookName::ALL.iter().map(|hook| if met(hook) { "✓" } else { "" }.to_owned());
            std::iter::once(row.name().to_owned()).chain(cells).collect()
        });
        aligned(&std::iter::once(head.collect()).chain(rows).collect::<Vec<_>>())
    }
}

/// What connection tracking says at the end of a packet's way, not at its beginning.
const CONFIRMING: [&str; 3] = ["confirmed", "clash", "clash resolved"];
