use std::fmt;

use packet::{Body, Proto, Skb};

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, Ports, negatable};
use crate::selector::Not;
use crate::{EvalCx, transport};

/// `-m sctp`: ports and chunks of an SCTP packet.
/// Kernel: `net/netfilter/xt_sctp.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SctpMatch {
    /// Source ports.
    pub sport: Option<Not<Ports>>,
    /// Destination ports.
    pub dport: Option<Not<Ports>>,
    /// `--chunk-types`.
    pub chunks: Option<Not<Chunks>>,
}

/// Types of chunks, and how many of them must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// How many.
    pub scope: Scope,
    /// One bit for each type.
    pub types: [u64; 4],
    /// Flags of a type: the place of its name, flags looked at, and those that must be set.
    pub flags: Vec<(u8, u8, u8)>,
}

/// Which chunks must be in the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `any`: one.
    Any,
    /// `all`: each type of the set.
    All,
    /// `only`: every chunk.
    Only,
}

impl Scope {
    const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
            Self::Only => "only",
        }
    }
}

const DATA_FLAGS: &str = "----IUBE";
const NO_FLAGS: &str = "--------";
const T_FLAG: &str = "-------T";
/// Name, type and the letters of its flags.
const NAMES: [(&str, u8, &str); 22] = [
    ("DATA", 0, DATA_FLAGS),
    ("INIT", 1, NO_FLAGS),
    ("INIT_ACK", 2, NO_FLAGS),
    ("SACK", 3, NO_FLAGS),
    ("HEARTBEAT", 4, NO_FLAGS),
    ("HEARTBEAT_ACK", 5, NO_FLAGS),
    ("ABORT", 6, T_FLAG),
    ("SHUTDOWN", 7, NO_FLAGS),
    ("SHUTDOWN_ACK", 8, NO_FLAGS),
    ("ERROR", 9, NO_FLAGS),
    ("COOKIE_ECHO", 10, NO_FLAGS),
    ("COOKIE_ACK", 11, NO_FLAGS),
    ("ECN_ECNE", 12, NO_FLAGS),
    ("ECN_CWR", 13, NO_FLAGS),
    ("SHUTDOWN_COMPLETE", 14, T_FLAG),
    ("I_DATA", 64, DATA_FLAGS),
    ("RE_CONFIG", 130, NO_FLAGS),
    ("PAD", 132, NO_FLAGS),
    ("ASCONF", 193, NO_FLAGS),
    ("ASCONF_ACK", 128, NO_FLAGS),
    ("FORWARD_TSN", 192, NO_FLAGS),
    ("I_FORWARD_TSN", 194, NO_FLAGS),
];
const ALL: [u64; 4] = [u64::MAX; 4];
/// Bytes before the first chunk.
const HEADER: usize = 12;

impl Chunks {
    fn parse(scope: &str, list: &str) -> Result<Self, ArgError> {
        let scope = match scope.to_ascii_lowercase().as_str() {
            "any" => Scope::Any,
            "all" => Scope::All,
            "only" => Scope::Only,
            _ => {
                let what = "Match type has to be one of \"ALL\", \"ANY\" or \"ONLY\"";
                return Err(ArgError::said(what));
            }
        };
        let mut this = Self { scope, types: [0; 4], flags: Vec::new() };
        if list.eq_ignore_ascii_case("ALL") {
            this.types = ALL;
            return Ok(this);
        }
        if list.eq_ignore_ascii_case("NONE") {
            return Ok(this);
        }
        for item in list.split(',').filter(|item| !item.is_empty()) {
            let (name, letters) = item.split_once(':').unwrap_or((item, ""));
            let Some(at) = NAMES.iter().position(|(known, ..)| known.eq_ignore_ascii_case(name)) else {
                return Err(ArgError::said(format!("Unknown sctp chunk `{name}'")));
            };
            let (_, kind, valid) = NAMES[at];
            this.types[usize::from(kind / 64)] |= 1 << (kind % 64);
            for letter in letters.chars() {
                let Some(place) = valid.find(letter.to_ascii_uppercase()) else {
                    return Err(ArgError::said(format!("Invalid flags for chunk type {at}")));
                };
                let bit = 1u8 << (7 - place.min(7));
                let set = if letter.is_ascii_uppercase() { bit } else { 0 };
                match this.flags.iter_mut().find(|(of, ..)| usize::from(*of) == at) {
                    Some((_, mask, flags)) => (*mask, *flags) = (*mask | bit, *flags | set),
                    None => this.flags.push((at as u8, bit, set)),
                }
            }
        }
        Ok(this)
    }

    const fn has(&self, kind: u8) -> bool {
        self.types[(kind / 64) as usize] & 1 << (kind % 64) != 0
    }

    /// Kernel: `match_flags`, which looks flags up by the chunk's type.
    fn flags_fit(&self, kind: u8, flags: u8) -> bool {
        let wanted = self.flags.iter().find(|(of, ..)| *of == kind);
        wanted.is_none_or(|(_, mask, set)| flags & mask == *set)
    }

    /// Kernel: `match_packet`.
    fn fit(&self, bytes: &[u8]) -> bool {
        let mut missing = self.types;
        let mut at = HEADER;
        while let Some(&[kind, flags, high, low]) = bytes.get(at..at + 4) {
            let len = usize::from(u16::from_be_bytes([high, low]));
            if len == 0 {
                return false;
            }
            at += len.next_multiple_of(4);
            let fits = self.has(kind) && self.flags_fit(kind, flags);
            match self.scope {
                Scope::Any if fits => return true,
                Scope::All if fits => missing[usize::from(kind / 64)] &= !(1 << (kind % 64)),
                Scope::Only if !fits => return false,
                Scope::Any | Scope::All | Scope::Only => {}
            }
        }
        match self.scope {
            Scope::Any => false,
            Scope::All => missing == [0; 4],
            Scope::Only => true,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        write!(f, " {}", self.scope.name())?;
        if self.types == [0; 4] {
            return f.write_str(" NONE");
        }
        if self.types == ALL {
            return f.write_str(" ALL");
        }
        let mut separator = ' ';
        for kind in (0..=u8::MAX).filter(|kind| self.has(*kind)) {
            let name = NAMES.iter().find(|(_, known, _)| *known == kind).map_or("", |(name, ..)| name);
            if numeric {
                write!(f, "{separator}0x{kind:04X}")?;
            } else {
                write!(f, "{separator}{name}")?;
            }
            separator = ',';
            for (at, mask, set) in self.flags.iter().filter(|(at, ..)| *at == kind) {
                f.write_str(":")?;
                let letters = NAMES.get(usize::from(*at)).map_or(NO_FLAGS, |(.., letters)| letters);
                for (place, letter) in letters.chars().enumerate() {
                    let bit = 1u8 << (7 - place.min(7));
                    if mask & bit != 0 {
                        let lower = letter.to_ascii_lowercase();
                        write!(f, "{}", if set & bit != 0 { letter } else { lower })?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Extension for SctpMatch {
    const OPTIONS: &'static [Opt] = &[
        negatable("source-port"),
        negatable("sport"),
        negatable("destination-port"),
        negatable("dport"),
        Opt { values: 2, ..negatable("chunk-types") },
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let (sport, dport) = super::udp::parse_ports(args, Proto::SCTP)?;
        let mut chunks = None;
        for given in args.given.iter().filter(|given| given.name == "chunk-types") {
            if chunks.is_some() {
                return Err(ArgError::said("Only one `--chunk-types' allowed"));
            }
            let list = given.values.get(1).map_or("", String::as_str);
            if list.starts_with(['-', '!']) {
                return Err(ArgError::said("--chunk-types requires two args"));
            }
            chunks = Some(Not { invert: given.invert, value: Chunks::parse(given.text(), list)? });
        }
        Ok(Self { sport, dport, chunks })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let packet = skb.ip();
        let Body::Bytes(Proto::SCTP, bytes) = &packet.body else { return false };
        transport::ports(packet)
            .is_some_and(|ports| super::udp::ports_match(&self.sport, &self.dport, ports))
            && self.chunks.as_ref().is_none_or(|chunks| chunks.value.fit(bytes) != chunks.invert)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        f.write_str(" sctp")?;
        super::udp::list_ports(f, &self.sport, &self.dport, Proto::SCTP, numeric)?;
        if let Some(chunks) = &self.chunks {
            f.write_str(if chunks.invert { " !" } else { "" })?;
            chunks.value.write(f, numeric)?;
        }
        Ok(())
    }

    fn check(&self, site: &crate::RuleSite<'_>) -> Result<(), crate::Refused> {
        let sctp = site.rule.selector.proto.as_ref().is_some_and(|p| p.value == Proto::SCTP && !p.invert);
        if sctp { Ok(()) } else { Err(crate::Refused::Invalid) }
    }
}

impl fmt::Display for SctpMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Unlike tcp's and udp's, what fits every port is said.
        for (name, ports) in [("sport", &self.sport), ("dport", &self.dport)] {
            if let Some(Not { invert, value }) = ports {
                write!(f, " {}--{name} {value}", bang(*invert))?;
            }
        }
        if let Some(chunks) = &self.chunks {
            write!(f, " {}--chunk-types", bang(chunks.invert))?;
            chunks.value.write(f, false)?;
        }
        Ok(())
    }
}
