/// Why the kernel refuses a change of sets, or answers a test with no. The wording is the tool's.
/// Kernel: `enum ipset_errno` and the types' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("errno {}", self.number())]
pub enum SetError {
    /// ENOENT: there is no set of that name.
    NoSet,
    /// ENOMEM.
    NoMemory,
    /// EEXIST: there is a set of that name.
    SetExists,
    /// EINVAL.
    Invalid,
    /// A message that the protocol doesn't know.
    Protocol,
    /// The set is used.
    Busy,
    /// Rename: the new name is taken. Swap: there is no second set.
    SetName2,
    /// Swap: the types differ.
    TypeMismatch,
    /// Add: the element is there. Delete, test: it isn't.
    Exist,
    /// A prefix length that the type can't have.
    InvalidCidr,
    /// A netmask that the type can't have.
    InvalidNetmask,
    /// A timeout, but the set has none.
    Timeout,
    /// Rename: the set is used.
    Referenced,
    /// Counters, but the set has none.
    Counter,
    /// A comment, but the set has none.
    Comment,
    /// Packet fields, but the set has none.
    SkbInfo,
    /// Both a netmask and a bitmask.
    BitmaskNetmask,
    /// Outside a bitmap's range.
    BitmapRange,
    /// A bitmap's range is too large.
    BitmapRangeSize,
    /// No room in a hash.
    HashFull,
    /// An element that a hash can't hold.
    HashElem,
    /// Protocol 0.
    InvalidProto,
    /// A port without protocol.
    MissingProto,
    /// The whole address space.
    HashRange,
    /// A list's member doesn't exist.
    ListName,
    /// A list in a list.
    ListLoop,
    /// `before` nothing.
    ListBefore,
    /// The set after `before` or `after` doesn't exist.
    ListNameRef,
    /// The set after `before` or `after` is no member.
    ListRefExist,
}

impl SetError {
    /// The error number in the answer. Numbers from 4352 belong to the type's family.
    pub const fn number(self) -> i32 {
        match self {
            Self::NoSet => 2,
            Self::NoMemory => 12,
            Self::SetExists => 17,
            Self::Invalid => 22,
            Self::Protocol => 4097,
            Self::Busy => 4100,
            Self::SetName2 => 4101,
            Self::TypeMismatch => 4102,
            Self::Exist => 4103,
            Self::InvalidCidr => 4104,
            Self::InvalidNetmask => 4105,
            Self::Timeout => 4107,
            Self::Referenced => 4108,
            Self::Counter => 4111,
            Self::Comment => 4112,
            Self::SkbInfo => 4114,
            Self::BitmaskNetmask => 4115,
            Self::BitmapRange | Self::HashFull | Self::ListName => 4352,
            Self::BitmapRangeSize | Self::HashElem | Self::ListLoop => 4353,
            Self::InvalidProto | Self::ListBefore => 4354,
            Self::MissingProto | Self::ListNameRef => 4355,
            Self::HashRange => 4357,
            Self::ListRefExist => 4357,
        }
    }
}
