use packet::SimTime;

use super::Conn;

/// Kinds of events. Kernel: `enum ip_conntrack_events`, bit N is event N.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventMask(pub u16);

impl EventMask {
    /// None.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = Self(0xfff);
    /// A connection was entered. Kernel: `IPCT_NEW`.
    pub const NEW: Self = Self(1);
    /// A connection that was expected was entered. Kernel: `IPCT_RELATED`.
    pub const RELATED: Self = Self(1 << 1);
    /// A connection was forgotten. Kernel: `IPCT_DESTROY`.
    pub const DESTROY: Self = Self(1 << 2);
    /// The first answer came. Kernel: `IPCT_REPLY`.
    pub const REPLY: Self = Self(1 << 3);
    /// The connection is worth keeping. Kernel: `IPCT_ASSURED`.
    pub const ASSURED: Self = Self(1 << 4);
    /// The protocol's state changed. Kernel: `IPCT_PROTOINFO`.
    pub const PROTOINFO: Self = Self(1 << 5);
    /// The mark changed. Kernel: `IPCT_MARK`.
    pub const MARK: Self = Self(1 << 7);

    /// Both together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether they have one in common.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What listeners are told of a connection. Kernel: `ctnetlink_conntrack_event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CtEvent {
    /// Which of the three messages.
    pub kind: EventKind,
    /// What made it.
    pub why: EventMask,
    /// When.
    pub at: SimTime,
    /// The connection as it was then.
    pub conn: Conn,
    /// The process that asked for the change, by the number of its netlink socket.
    pub portid: Option<u32>,
}

/// Kernel: `NFCT_T_NEW`, `NFCT_T_UPDATE`, `NFCT_T_DESTROY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Entered.
    New,
    /// Changed.
    Update,
    /// Forgotten.
    Destroy,
}
