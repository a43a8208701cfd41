//! The words for what happened to a packet.
//!
//! The packet path hands [`Step`]s to an [`Observer`]; a step holds ids and small values, names
//! and rule text are looked up when it is printed. [`Journeys`] sorts a recording by packet and
//! tells each one's [`Trace`]; [`view`] prints it.
//!
//! This room knows packets. It knows nothing of kernels: whoever prints gives it [`Names`].

mod describe;
mod drop_reason;
mod journey;
mod names;
mod observer;
mod step;
pub mod view;

pub use describe::{describe, describe_packet, icmp_word};
pub use drop_reason::DropReason;
pub use journey::{Case, Disposition, Hop, Journeys, Trace, Whose};
pub use names::{Around, Names, RuleWindow};
pub use observer::{Observer, Off, Recorder, emit};
pub use step::{BridgeCall, Decision, FieldChange, HookName, Place, Relation, RewriteBy, Step, StepKind};
