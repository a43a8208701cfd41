//! Topology and scenario files: reading, running and judging them.
//!
//! Read first: [`Topology`], [`Scenario`], [`Lab`], [`Replay`].
//!
//! A [`Lab`] is a network that runs; [`Lab::run`] types a command and answers with a [`Ran`]: output,
//! packets, the world before and after. An [`Expectation`] is judged by it, and prints and parses as
//! it is written in a scenario. A [`Replay`] does a whole scenario file; a [`Snapshot`] is what it
//! told when somebody last looked at it.
//!
//! ```
//! use std::path::Path;
//!
//! # std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap();
//! let mut lab = lab::Lab::load(Path::new("topologies/two-docker-hosts.ron"), 0)?;
//! let ran = lab.run("node1/web", "ping -c 1 -W 1 172.18.0.2")?;
//! let expected = r#"Dropped(at: "router", reason: "IP_INNOROUTES")"#.parse()?;
//! assert!(ran.judge(&expected)?.held());
//! assert!(ran.print(trace::view::View::Minimal).contains("dropped: no route to the destination"));
//!
//! let mut replay = lab::Replay::load(Path::new("scenarios/two-docker-hosts.ron"), None, None)?;
//! let (transcript, tally) = replay.transcript()?;
//! assert!(tally.holds());
//! assert_eq!(lab::Snapshot::of(Path::new("scenarios/two-docker-hosts.ron"))?.difference(&transcript), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This room reads files and gives data; it prints nothing.

mod compare;
mod culprit;
pub mod diagnose;
mod error;
mod exercise;
mod expect;
mod explain;
pub mod fault;
mod lab;
mod place;
mod ran;
mod report;
mod run;
mod scenario;
mod schema;
mod service_cost;
mod snapshot;
mod syntax;
mod table;
mod topology;

pub use compare::{Backend, Cost, compare, table as cost_table};
pub use culprit::{Culprit, Object};
pub use error::{FileError, Place, Problem};
pub use exercise::{Break, Check, Checked, Command, Exercise};
pub use expect::{Expectation, ExpectationError, Failure, Verdict};
pub use explain::{BareNic, Explanation, Part, Step, bare_world};
pub use lab::{Lab, ServiceSpot, Spot, locate};
pub use place::Places;
pub use ran::{Ran, traces_of};
pub use run::{Replay, StepReport, Tally};
pub use scenario::{Act, Probe, Scenario, ScenarioStep};
pub use schema::{scenario_schema, topology_schema};
pub use service_cost::{ProxyMode, ServiceCost, service_cost_plot, service_cost_table, service_costs};
pub use snapshot::Snapshot;
pub use topology::{Bridge, Cable, Finding, Host, Medium, Nic, Port, Segment, Severity, Topology};
