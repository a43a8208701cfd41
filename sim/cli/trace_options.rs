use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lab::{Checked, Ran, StepReport, Verdict};
use trace::view::{Limits, Packets, Paint, Recording, RecordingBuilder, Typed, View, print_painted};
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
    /// Which packets are told: `subjects` (the first one sent, the first one back, drops and
    /// errors), `dns` (these and DNS), `all`, or the number of one.
    #[arg(long, value_name = "WHICH", value_parser = packets)]
    packets: Option<Packets>,
    /// Writes what `--format` makes to FILE instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Writes all frames that any device saw to FILE (pcapng).
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Colors in text.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

/// Form of the traces.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned text.
    Text,
    /// One JSON document (schemas/trace.schema.json).
    Json,
    /// One page that plays the packets, for a browser.
    Html,
    /// A Mermaid sequence diagram.
    Mermaid,
    /// Graphviz: the network with a packet's way on it, a graph for each packet.
    Dot,
}

/// When text is colored.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

fn packets(text: &str) -> Result<Packets, String> {
    match text {
        "subjects" => Ok(Packets::Subjects),
        "dns" => Ok(Packets::Dns),
        "all" => Ok(Packets::All),
        _ => text
            .parse()
            .map(Packets::One)
            .map_err(|_| "expected `subjects`, `dns`, `all` or a packet's number".to_owned()),
    }
}

impl TraceOptions {
    /// Whether anyone asked for traces or captures.
    pub fn wanted(&self) -> bool {
        self.shows() || self.pcap.is_some()
    }

    /// Whether anyone asked for traces.
    pub fn shows(&self) -> bool {
        self.view.is_some() || self.packets.is_some() || self.is_document()
    }

    /// Whether the traces are told in one document for a machine, not in text between others.
    pub fn is_document(&self) -> bool {
        self.format != Format::Text
    }

    /// Whether the form that is asked for has room for one recording only.
    pub fn holds_one(&self) -> bool {
        match self.format {
            Format::Text => false,
            Format::Html | Format::Mermaid => true,
            Format::Json | Format::Dot => self.output.is_some(),
        }
    }

    /// Whether such a document takes standard output for itself.
    pub fn takes_stdout(&self) -> bool {
        self.is_document() && self.output.is_none()
    }

    /// The option that asks for something of one recording only, if one is given.
    pub fn of_one(&self) -> Option<&'static str> {
        match (self.holds_one(), self.output.is_some(), self.pcap.is_some()) {
            (true, ..) => Some("--format"),
            (_, true, _) => Some("--output"),
            (.., true) => Some("--pcap"),
            _ => None,
        }
    }

    fn paint(&self) -> Paint {
        let colored = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::io::stdout().is_terminal()
                    && !anstyle_query::no_color()
                    && anstyle_query::term_supports_ansi_color()
            }
        };
        if colored { Paint::Colored } else { Paint::Plain }
    }

    /// The text of some traces.
    pub fn show(&self, world: &World, traces: &[Trace]) -> String {
        let (view, paint) = (self.view.unwrap_or_default(), self.paint());
        traces.iter().map(|trace| print_painted(trace, world, view, paint)).collect()
    }

    /// The text of the packets of a recording that are asked for; of `default` if nothing is.
    pub fn show_some(&self, world: &World, steps: &[Step], default: Packets) -> String {
        let journeys = Journeys::new(steps);
        self.show(world, &self.packets.unwrap_or(default).of(&journeys))
    }

    /// The text of the packets of a command that are asked for; of those that matter if nothing is.
    pub fn show_run(&self, ran: &Ran) -> String {
        match self.packets {
            None => self.show(&ran.world, &ran.traces),
            Some(packets) => self.show_some(&ran.world, &ran.steps, packets),
        }
    }

    /// Begins the document that is asked for.
    pub fn document(&self, title: &str, default: Packets) -> Document {
        let page = self.format == Format::Html;
        // A page shows all packets and picks the ones that matter itself.
        let packets = self.packets.unwrap_or(if page { Packets::All } else { default });
        let limits = if page { Limits::PAGE } else { Limits::NONE };
        Document { builder: RecordingBuilder::new(title, packets, limits) }
    }

    /// Writes a document where it belongs.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self, document: Document) -> Result<(), String> {
        let text = self.render(&document.builder.finish());
        match &self.output {
            Some(path) => std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display())),
            None => std::io::stdout().write_all(text.as_bytes()).map_err(|e| format!("standard output: {e}")),
        }
    }

    fn render(&self, recording: &Recording) -> String {
        match self.format {
            Format::Text => String::new(),
            Format::Json => trace::view::json(recording),
            Format::Html => trace::view::html(recording),
            Format::Mermaid => trace::view::mermaid(recording),
            Format::Dot => trace::view::dot(recording),
        }
    }

    /// Whether a capture was asked for.
    pub fn captures(&self) -> bool {
        self.pcap.is_some()
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

/// A document that is being made.
pub(crate) struct Document {
    builder: RecordingBuilder,
}

impl Document {
    /// Adds a command with the steps that it caused, in the network as it is after them.
    pub fn command(&mut self, world: &World, typed: Typed, steps: &[Step]) {
        self.builder.command(world, world.map(), typed, steps);
    }

    /// Adds a step of a scenario.
    pub fn step(&mut self, report: &StepReport) {
        match report {
            StepReport::Act(name) => self.builder.act(name),
            StepReport::Checked(Checked { ran: None, .. }) => {}
            StepReport::Command(ran)
            | StepReport::Table(ran)
            | StepReport::Checked(Checked { ran: Some(ran), .. }) => {
                let typed = Typed {
                    on: ran.on.clone(),
                    command: ran.cmd.clone(),
                    output: ran.output.clone(),
                    status: Some(ran.status),
                    subjects: ran.traces.iter().map(|trace| trace.packet).collect(),
                };
                self.command(&ran.world, typed, &ran.steps);
            }
            StepReport::Judged { expectation, verdict, .. } => match verdict {
                Verdict::Held => self.builder.expectation(expectation, None),
                Verdict::Failed(failure) => self.builder.expectation(expectation, Some(&failure.instead)),
            },
        }
    }
}
