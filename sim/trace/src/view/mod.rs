//! The views of a recording: text from short to complete, and one form for machines
//! ([`Recording`]) that is printed as JSON, drawn as diagrams and played by a page.

mod dot;
mod html;
mod layers;
mod map;
mod mermaid;
mod recorder;
mod report;
mod sentence;
mod text;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use dot::dot;
pub use html::html;
pub use layers::{Field, Layer};
pub use map::{
    DeviceKey, DeviceSort, EdgeSort, MapDevice, MapEdge, MapHost, MapNamespace, MapSegment, NetworkMap,
    SegmentSort,
};
pub use mermaid::mermaid;
pub use recorder::{Limits, Packets, RecordingBuilder, Typed};
pub use report::{
    ChangeReport, CommandReport, DecisionReport, DispositionReport, ExpectationReport, FrameReport,
    HopReport, JSON_VERSION, NearestReport, PacketReport, ParentReport, Recording, RewriteReport,
    RuleContext, SenderReport, StepDetail, StepReport, json, schema,
};
pub use sentence::tell;
pub use text::{Paint, print, print_painted};

/// How much a text view tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Changes of the packet, deliveries and drops: what tests snapshot.
    Minimal,
    /// A line a hop.
    #[default]
    Summary,
    /// Every table and chain visited; rules that did nothing are counted.
    Detailed,
    /// Everything, with kernel function names.
    Full,
}

/// The text named no view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownView;

impl fmt::Display for UnknownView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected `minimal`, `summary`, `detailed` or `full`")
    }
}

impl std::error::Error for UnknownView {}

impl FromStr for View {
    type Err = UnknownView;
    fn from_str(s: &str) -> Result<Self, UnknownView> {
        Ok(match s {
            "minimal" => Self::Minimal,
            "summary" => Self::Summary,
            "detailed" => Self::Detailed,
            "full" => Self::Full,
            _ => return Err(UnknownView),
        })
    }
}

/// A duration with three significant digits: `412 µs`, `1.02 ms`, `3.00 s`.
pub fn human_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = nanos / unit;
    let thousandths = nanos % unit * 1000 / unit;
    match whole {
        0..10 => format!("{whole}.{:02} {name}", thousandths / 10),
        10..100 => format!("{whole}.{} {name}", thousandths / 100),
        _ => format!("{whole} {name}"),
    }
}
