//! Many hosts, the cables between them, and the processes that run on them.
//!
//! Read first: [`Program`], [`Sys`].

mod program;
mod sys;

pub use program::{Args, Next, Program, Registry, Signal, Wait};
pub use sys::{DirEntry, Fd, FileKind, OpenMode, ReadResult, Spawn, Stat, Sys};
