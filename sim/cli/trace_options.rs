use std::fs::File;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use trace::view::{View, print, to_json};
use trace::{Journeys, Step, Trace};
use world::World;

/// How a recording is shown.
#[derive(Args)]
pub(crate) struct TraceOptions {
    /// How much a trace tells: minimal, summary, detailed or full.
    #[arg(long, value_name = "VIEW")]
    view: Option<View>,
    /// Form of the traces.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Writes all frames that any device saw to FILE (pcapng).
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

/// Form of the traces.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned text.
    Text,
    /// A JSON object a packet, one a line.
    Json,
}

impl TraceOptions {
    /// Whether anyone asked for traces or captures.
    pub fn wanted(&self) -> bool {
        self.shows() || self.pcap.is_some()
    }

    /// Whether anyone asked for traces.
    pub fn shows(&self) -> bool {
        self.view.is_some() || self.format != Format::Text
    }

    /// The text of some traces.
    pub fn show(&self, world: &World, traces: &[Trace]) -> String {
        let view = self.view.unwrap_or_default();
        traces
            .iter()
            .map(|trace| match self.format {
                Format::Text => print(trace, world, view),
                Format::Json => format!("{}\n", to_json(trace, world)),
            })
            .collect()
    }

    /// The traces of every packet that is nobody's continuation.
    pub fn show_all(&self, world: &World, steps: &[Step]) -> String {
        let journeys = Journeys::new(steps);
        let traces: Vec<Trace> = journeys.roots().filter_map(|id| journeys.trace(id)).collect();
        self.show(world, &traces)
    }

    /// Writes the capture file, if one was asked for.
    pub fn write_capture(&self, world: &World, steps: &[Step]) -> Result<(), String> {
        let Some(path) = &self.pcap else { return Ok(()) };
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = File::create(path).map_err(|e| fail(&e))?;
        let mut capture = world::Capture::new(std::io::BufWriter::new(file)).map_err(|e| fail(&e))?;
        capture.add(world, steps).map_err(|e| fail(&e))
    }
}
