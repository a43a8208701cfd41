//! Connection tracking: which packets belong together.
//!
//! Read first: [`Conn`], `track.rs`, `tcp_packet.rs`, `confirm.rs`.

mod change;
mod confirm;
mod conn;
mod event;
mod filter;
mod sctp;
mod state;
mod stats;
mod sysctl;
mod table;
mod tcp;
mod tcp_packet;
mod tcp_window;
mod text;
mod track;
mod tuple;
mod zone;

pub use change::{ConnSpec, ConnUpdate, ConntrackChange};
pub(crate) use confirm::allows_clash;
pub use conn::{Conn, CtCounter, Dir, EventCache, NatStatus, ProtoState};
pub use event::{CtEvent, EventKind, EventMask};
pub use filter::{ConntrackFilter, NatFilter, NatTo, StatusFilter};
pub use sctp::{SctpState, SctpTrack};
pub use state::StateSet;
pub use stats::CtStats;
pub use sysctl::CtSysctl;
pub use table::Conntrack;
pub use tcp::{TcpIndex, TcpState, TcpTrack};
pub use text::{Shown, protocol_name};
pub(crate) use track::TrackCx;
pub use track::Tracked;
pub(crate) use tuple::tuple_of;
pub use tuple::{invert, port_keys};
pub use zone::{Template, Zone, ZoneDir};
