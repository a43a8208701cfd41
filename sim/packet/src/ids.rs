use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A host of the world, in order of creation.
    HostId(u32)
);
id!(
    /// A network namespace of one host; 0 is the initial one. Never reused.
    NetnsId(u32)
);
id!(
    /// A device of one host, stable across renames and moves between namespaces. Never reused.
    DevId(u32)
);
id!(
    /// An interface index, unique within a namespace; 0 means none.
    IfIndex(u32)
);
id!(
    /// A process of one host.
    Pid(u32)
);
id!(
    /// A packet, unique in its world; 0 means none. NAT keeps it, copies get their own.
    PacketId(u64)
);
id!(
    /// A connection tracking entry of one namespace.
    ConnId(u32)
);

impl NetnsId {
    /// The namespace a host boots with.
    pub const INIT: Self = Self(0);
}

/// Hands out packet ids in order.
#[derive(Clone, Debug, Default)]
pub struct PacketIds(u64);

impl PacketIds {
    /// A fresh id.
    pub fn next_id(&mut self) -> PacketId {
        self.0 += 1;
        PacketId(self.0)
    }
}
