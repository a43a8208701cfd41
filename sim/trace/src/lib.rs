//! The words for what happened to a packet.
//!
//! The packet path hands [`Step`]s to an [`Observer`]; a step holds ids and small values, names
//! and rule text are looked up when it is printed. Journeys are built from steps afterwards.
//!
//! This room knows packets. It knows nothing of kernels: whoever prints gives it [`Names`].

mod drop_reason;
mod observer;
mod step;

pub use drop_reason::DropReason;
pub use observer::{Observer, Off, Recorder, emit};
pub use step::{Decision, FieldChange, HookName, Place, Relation, RewriteBy, Step, StepKind};
