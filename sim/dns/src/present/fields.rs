//! What the data of each record type consists of: printing and reading go by this.

/// A part of a record's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    U8,
    U16,
    U32,
    /// Seconds, which zone files may give in units.
    Ttl,
    /// A time as `YYYYMMDDHHMMSS`.
    Date,
    Ip4,
    Ip6,
    Name,
    /// A character string, quoted.
    Text,
    /// A character string, not quoted.
    Tag,
    /// One or more character strings to the end.
    Texts,
    /// Bytes to the end, as one quoted string.
    RestText,
    /// Bytes to the end.
    Hex,
    /// Bytes to the end.
    Base64,
    /// A record type.
    Kind,
    /// A set of record types to the end.
    Kinds,
    /// Parameters of SVCB to the end.
    Params,
}

use Field::{
    Base64, Date, Hex, Ip4, Ip6, Kind, Kinds, Name, Params, RestText, Tag, Text, Texts, Ttl, U8, U16, U32,
};

/// The parts of a type's data; none if it has no text form but RFC 3597's.
pub(crate) fn fields(kind: u16) -> Option<&'static [Field]> {
    Some(match kind {
        1 => &[Ip4],
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME.
        2..=5 | 7..=9 | 12 | 39 => &[Name],
        6 => &[Name, Name, U32, Ttl, Ttl, Ttl, Ttl],
        13 => &[Text, Text],
        // MINFO, RP.
        14 | 17 => &[Name, Name],
        // MX, AFSDB, RT, KX.
        15 | 18 | 21 | 36 => &[U16, Name],
        // TXT, SPF.
        16 | 99 => &[Texts],
        28 => &[Ip6],
        33 => &[U16, U16, U16, Name],
        35 => &[U16, U16, Text, Text, Text, Name],
        // DS, CDS, DLV.
        43 | 59 | 32769 => &[U16, U8, U8, Hex],
        44 => &[U8, U8, Hex],
        46 => &[Kind, U8, U8, U32, Date, Date, U16, Name, Base64],
        47 => &[Name, Kinds],
        // DNSKEY, CDNSKEY.
        48 | 60 => &[U16, U8, U8, Base64],
        // TLSA, SMIMEA.
        52 | 53 => &[U8, U8, U8, Hex],
        61 => &[Base64],
        62 => &[U32, U16, Kinds],
        64 | 65 => &[U16, Name, Params],
        256 => &[U16, U16, RestText],
        257 => &[U8, Tag, RestText],
        _ => return None,
    })
}
