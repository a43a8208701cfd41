//! The names of record types, classes, opcodes and response codes.

use hickory_proto::op::{OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, RecordType};

/// The types that BIND 9.18 knows by name.
const KINDS: &[(u16, &str)] = &[
    (0, "RESERVED0"),
    (1, "A"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP-PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (28, "AAAA"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (33, "SRV"),
    (34, "ATMA"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (39, "DNAME"),
    (40, "SINK"),
    (41, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (56, "NINFO"),
    (57, "RKEY"),
    (58, "TALINK"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (66, "DSYNC"),
    (67, "HHIT"),
    (68, "BRID"),
    (99, "SPF"),
    (100, "UINFO"),
    (101, "UID"),
    (102, "GID"),
    (103, "UNSPEC"),
    (104, "NID"),
    (105, "L32"),
    (106, "L64"),
    (107, "LP"),
    (108, "EUI48"),
    (109, "EUI64"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
    (258, "AVC"),
    (259, "DOA"),
    (260, "AMTRELAY"),
    (261, "RESINFO"),
    (262, "WALLET"),
    (32768, "TA"),
    (32769, "DLV"),
];

const CLASSES: &[(u16, &str)] =
    &[(0, "RESERVED0"), (1, "IN"), (3, "CH"), (4, "HS"), (254, "NONE"), (255, "ANY")];

/// The opcodes' names as dig writes them.
const OPCODES: [&str; 16] = [
    "QUERY",
    "IQUERY",
    "STATUS",
    "RESERVED3",
    "NOTIFY",
    "UPDATE",
    "RESERVED6",
    "RESERVED7",
    "RESERVED8",
    "RESERVED9",
    "RESERVED10",
    "RESERVED11",
    "RESERVED12",
    "RESERVED13",
    "RESERVED14",
    "RESERVED15",
];

const RCODES: [&str; 16] = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "RESERVED11",
    "RESERVED12",
    "RESERVED13",
    "RESERVED14",
    "RESERVED15",
];

/// `A`, `SRV`, `TYPE1234`.
pub fn record_type(kind: RecordType) -> String {
    kind_name(u16::from(kind))
}

/// A type's name by its number.
pub(super) fn kind_name(number: u16) -> String {
    match KINDS.binary_search_by_key(&number, |(number, _)| *number) {
        Ok(at) => KINDS[at].1.to_owned(),
        Err(_) => format!("TYPE{number}"),
    }
}

/// The type that a word names, in any case.
pub fn parse_record_type(word: &str) -> Option<RecordType> {
    parse(word, KINDS, "TYPE").map(RecordType::from)
}

/// `IN`, `CH`, `CLASS42`.
pub fn class(class: DNSClass) -> String {
    let number = u16::from(class);
    let known = CLASSES.iter().find(|(code, _)| *code == number);
    known.map_or_else(|| format!("CLASS{number}"), |(_, name)| (*name).to_owned())
}

/// The class that a word names, in any case.
pub fn parse_class(word: &str) -> Option<DNSClass> {
    match word.to_ascii_uppercase().as_str() {
        "CHAOS" => Some(DNSClass::CH),
        "HESIOD" => Some(DNSClass::HS),
        _ => parse(word, CLASSES, "CLASS").map(DNSClass::from),
    }
}

fn parse(word: &str, names: &[(u16, &str)], prefix: &str) -> Option<u16> {
    if let Some((number, _)) = names.iter().find(|(_, name)| name.eq_ignore_ascii_case(word)) {
        return Some(*number);
    }
    let (start, digits) = word.split_at_checked(prefix.len())?;
    let numeric = start.eq_ignore_ascii_case(prefix) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if numeric { digits.parse().ok() } else { None }
}

/// `QUERY`.
pub fn opcode(code: OpCode) -> &'static str {
    OPCODES.get(usize::from(u8::from(code))).copied().unwrap_or("RESERVED15")
}

/// `NXDOMAIN`; `?24` for what has no name.
pub fn rcode(code: ResponseCode) -> String {
    let number = u16::from(code);
    match (RCODES.get(usize::from(number)), number) {
        (Some(name), _) => (*name).to_owned(),
        (None, 16) => "BADVERS".to_owned(),
        (None, 23) => "BADCOOKIE".to_owned(),
        (None, number) => format!("?{number}"),
    }
}
