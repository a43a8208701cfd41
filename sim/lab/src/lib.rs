//! Topology and scenario files: reading, running and judging them.
//!
//! Read first: [`Topology`], [`Scenario`], [`Lab`], [`Replay`].
//!
//! This room reads files and gives data; it prints nothing.

mod error;
mod expect;
mod lab;
mod place;
mod ran;
mod report;
mod run;
mod scenario;
mod snapshot;
mod syntax;
mod table;
mod topology;

pub use error::{FileError, Place, Problem};
pub use expect::{Expectation, ExpectationError, Failure, Verdict};
pub use lab::{Lab, Spot, locate};
pub use place::Places;
pub use ran::Ran;
pub use run::{Replay, StepReport, Tally};
pub use scenario::{Act, Probe, Scenario, ScenarioStep};
pub use snapshot::Snapshot;
pub use topology::{Bridge, Cable, Finding, Host, Medium, Nic, Port, Segment, Severity, Topology};
