//! Topology and scenario files: reading, running and judging them.
//!
//! Read first: [`Topology`], [`Scenario`], [`run`].
//!
//! This room reads files and gives data; it prints nothing.

mod error;
mod expect;
mod place;
mod run;
mod scenario;
mod syntax;
mod topology;

pub use error::{FileError, Place, Problem};
pub use expect::{Expectation, Verdict};
pub use place::Places;
pub use run::{Lab, Spot, StepReport, locate, run};
pub use scenario::{Act, Scenario, ScenarioStep};
pub use topology::{Cable, HostSpec, LinkSpec, NicSpec, SegmentSpec, Topology};
