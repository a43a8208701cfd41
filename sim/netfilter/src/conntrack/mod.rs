//! Connection tracking: which packets belong together.
//!
//! Read first: [`Conn`], [`Conntrack::track`].

mod conn;
mod filter;
mod state;
mod table;
mod tcp;
mod track;
mod tuple;

pub use conn::{Conn, Dir, NatStatus, ProtoState};
pub use filter::{ConntrackChange, ConntrackFilter};
pub use state::StateSet;
pub use table::Conntrack;
pub use tcp::TcpState;
pub use tuple::invert;
