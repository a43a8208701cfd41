/// Why a master file can't be loaded, as BIND names it. Source: `lib/isc/result.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not four numbers.
    #[error("bad dotted quad")]
    Ip4,
    /// Not an IPv6 address.
    #[error("bad IPv6 address")]
    Ip6,
    /// Not digits.
    #[error("not a valid number")]
    Number,
    /// Too large a number.
    #[error("out of range")]
    Range,
    /// Not a time.
    #[error("bad ttl")]
    Ttl,
    /// Something of the wrong form.
    #[error("syntax error")]
    Syntax,
    /// A quoted word where none may be.
    #[error("unexpected token")]
    Token,
    /// Something is missing.
    #[error("unexpected end of input")]
    End,
    /// Something is left.
    #[error("extra input text")]
    Extra,
    /// More bytes than were announced.
    #[error("extra input data")]
    ExtraData,
    /// Fewer or too many bytes.
    #[error("ran out of space")]
    Space,
    /// Parentheses that don't match.
    #[error("unbalanced parentheses")]
    Parentheses,
    /// A quote that doesn't end in its line.
    #[error("unbalanced quotes")]
    Quotes,
    /// Two dots in a row.
    #[error("empty label")]
    EmptyLabel,
    /// More than 63 bytes between dots.
    #[error("label too long")]
    LongLabel,
    /// A backslash with a number above 255.
    #[error("bad escape")]
    Escape,
    /// Not hexadecimal.
    #[error("bad hex encoding")]
    Hex,
    /// Not base64.
    #[error("bad base64 encoding")]
    Base64,
    /// A word that is neither class nor type.
    #[error("unknown class/type")]
    Unknown,
    /// Another class than the zone's.
    #[error("bad class")]
    Class,
    /// A record before any name.
    #[error("no owner")]
    NoOwner,
    /// A record without a TTL, and there is no default.
    #[error("no ttl")]
    NoTtl,
    /// A type that only questions have.
    #[error("invalid use of a meta type")]
    Meta,
    /// A type that is out of use.
    #[error("obsolete")]
    Obsolete,
    /// An SOA record elsewhere.
    #[error("not at top of zone")]
    NotTop,
    /// What only the parent zone has.
    #[error("at top of zone")]
    AtTop,
    /// A name that hosts don't have.
    #[error("bad owner name (check-names)")]
    OwnerName,
    /// A name that hosts don't have.
    #[error("bad name (check-names)")]
    HostName,
    /// Records that can't be together.
    #[error(transparent)]
    Conflict(#[from] crate::zone::Conflict),
    /// What hoplab doesn't read.
    #[error("not implemented")]
    NotSimulated,
}
