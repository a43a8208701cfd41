//! Many hosts, the cables between them, and the processes that run on them.
//!
//! Read first: [`World`], [`Program`], [`Sys`].
//!
//! Invariant: only this room advances time; events run in the order of (time, sequence).

mod asked;
mod barrier;
mod cable;
mod capture;
mod date;
mod etc;
mod fabric;
mod files;
mod inject;
mod map;
mod names;
mod node;
mod probability;
mod process;
mod procnet;
mod program;
mod queue;
mod rng;
mod selinux;
mod store;
mod synthetic;
mod sys;
mod syscalls;
mod world;

pub use asked::{Asked, Asker, Object};
pub use barrier::{BadBarrier, Barred, Barrier};
pub use cable::{CableOptions, Endpoint, SegmentKind};
pub use capture::Capture;
pub use date::{civil_date, ctime};
pub use fabric::{FabricChange, FabricSegment};
pub use files::{ConsoleId, Stream};
pub use inject::{Follow, Probe, ProbeError, ProbeOutcome, ProbeReport, ProbeVerdict};
pub use probability::Probability;
pub use process::Cmdline;
pub use rng::stream_key;
pub use store::{Entry, Shared, Store, Watch};
pub use world::{EPOCH, EVENT_LIMIT, HOME, Outcome, SILENCE_LIMIT, SegmentId, WATCH_LATENCY, World};

pub use program::{Args, Next, Program, Registry, Signal, Wait};
pub use sys::{DirEntry, Fd, FileKind, OpenMode, ReadResult, Spawn, Stat, Sys};
