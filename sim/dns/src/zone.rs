//! What a zone holds, and what it says of a name. RFC 1034 §4.3.2, RFC 4592.

use std::collections::BTreeMap;

use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

pub use self::answer::{Answer, Extent, Zones};
pub use self::check::{Finding, check};

mod answer;
mod check;

/// Records of one name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RrSet {
    /// Their owner.
    pub name: Name,
    /// Their type.
    pub kind: RecordType,
    /// Their TTL in seconds.
    pub ttl: u32,
    /// Their data, in the order of RFC 4034 §6.3.
    pub data: Vec<RData>,
}

impl RrSet {
    /// Each as a record.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        self.data.iter().map(|data| Record::from_rdata(self.name.clone(), self.ttl, data.clone()))
    }

    /// Adds data that isn't there yet.
    fn insert(&mut self, data: RData) {
        let key = canonical(&data);
        if let Err(at) = self.data.binary_search_by(|other| canonical(other).cmp(&key)) {
            self.data.insert(at, data);
        }
    }

    /// The names that its data points to, for which addresses are useful.
    pub fn targets(&self) -> impl Iterator<Item = &Name> {
        self.data.iter().filter_map(|data| match data {
            RData::NS(name) => Some(&name.0),
            RData::MX(mx) => Some(&mx.exchange),
            RData::SRV(srv) => Some(&srv.target),
            _ => None,
        })
    }
}

/// What data is sorted by: its bytes, with names in small letters.
fn canonical(data: &RData) -> Vec<u8> {
    let mut bytes = crate::present::bytes(data);
    if data.record_type() != RecordType::TXT {
        bytes.make_ascii_lowercase();
    }
    bytes
}

/// Why a record can't be in a zone with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// RFC 1034 §3.6.2.
    #[error("CNAME and other data")]
    CnameAndOther,
    /// Two SOA, CNAME or DNAME records.
    #[error("multiple RRs of singleton type")]
    Singleton,
}

/// The records of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    origin: Name,
    class: DNSClass,
    /// Sets by owner, in canonical order: what is below a name follows it.
    nodes: BTreeMap<Name, Vec<RrSet>>,
}

/// What a zone says of a name and a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The name has these.
    Found(Vec<RrSet>),
    /// The name is an alias.
    Alias(RrSet),
    /// All below this name is elsewhere.
    Renamed(RrSet),
    /// Another zone begins at or above the name; these are its servers.
    Delegated(RrSet),
    /// The name has others, or names below it.
    NoData,
    /// There is no such name.
    NxDomain,
}

impl Zone {
    /// An empty one.
    pub fn new(origin: Name, class: DNSClass) -> Self {
        Self { origin, class, nodes: BTreeMap::new() }
    }

    /// The name at its top.
    pub fn origin(&self) -> &Name {
        &self.origin
    }

    /// Its class.
    pub fn class(&self) -> DNSClass {
        self.class
    }

    /// Enters sets of one owner. As in BIND's database they come before the sets that the name has.
    ///
    /// # Errors
    /// If the zone can't hold them; what could be entered stays.
    pub fn insert(&mut self, owner: &Name, sets: Vec<RrSet>) -> Result<(), Conflict> {
        let node = self.nodes.entry(owner.clone()).or_default();
        let mut outcome = Ok(());
        let mut fresh = Vec::new();
        for mut set in sets {
            let data = std::mem::take(&mut set.data);
            let mut known = node.iter().position(|other| other.kind == set.kind);
            let place = match known {
                Some(at) => &mut node[at],
                None => {
                    fresh.push(set);
                    known = Some(fresh.len() - 1);
                    &mut fresh[known.unwrap_or_default()]
                }
            };
            data.into_iter().for_each(|data| place.insert(data));
            let single = matches!(place.kind, RecordType::SOA | RecordType::CNAME | RecordType::DNAME);
            if single && place.data.len() > 1 {
                outcome = Err(Conflict::Singleton);
            }
        }
        fresh.append(node);
        *node = fresh;
        if node.len() > 1 && outcome.is_ok() {
            let beside = [RecordType::CNAME, RecordType::RRSIG, RecordType::NSEC, RecordType::KEY];
            let alias = node.iter().any(|set| set.kind == RecordType::CNAME);
            if alias && node.iter().any(|set| !beside.contains(&set.kind)) {
                outcome = Err(Conflict::CnameAndOther);
            }
        }
        outcome
    }

    /// A name's set of a type, whether the zone is responsible for it or has it as glue.
    pub fn set(&self, name: &Name, kind: RecordType) -> Option<&RrSet> {
        self.nodes.get(name)?.iter().find(|set| set.kind == kind)
    }

    /// The set at the top.
    pub fn soa(&self) -> Option<&RrSet> {
        self.set(&self.origin, RecordType::SOA)
    }

    /// Its serial number.
    pub fn serial(&self) -> Option<u32> {
        self.soa()?.data.iter().find_map(|data| match data {
            RData::SOA(soa) => Some(soa.serial),
            _ => None,
        })
    }

    /// The SOA record for an answer that there is nothing: it lives as long as the answer may be
    /// remembered (RFC 2308 §3).
    pub fn negative(&self) -> Option<RrSet> {
        let soa = self.soa()?;
        let minimum = soa.data.iter().find_map(|data| match data {
            RData::SOA(soa) => Some(soa.minimum),
            _ => None,
        })?;
        Some(RrSet { ttl: soa.ttl.min(minimum), ..soa.clone() })
    }

    /// All sets, in canonical order of their owners.
    pub fn sets(&self) -> impl Iterator<Item = &RrSet> {
        self.nodes.values().flatten()
    }

    /// Whether a name or something below it is in the zone.
    fn exists(&self, name: &Name) -> bool {
        self.nodes.range(name..).next().is_some_and(|(next, _)| name.zone_of(next))
    }

    /// The names from just below the top down to a name.
    fn path<'a>(&self, name: &'a Name) -> impl Iterator<Item = Name> + use<'a> {
        let top = self.origin.iter().len();
        (top + 1..=name.iter().len()).map(|labels| name.trim_to(labels))
    }

    /// The set of servers of the zone that begins at or above a name, if it isn't this one.
    pub fn delegation(&self, name: &Name) -> Option<&RrSet> {
        self.path(name).find_map(|above| self.set(&above, RecordType::NS))
    }

    /// Looks up a name that is at or below the top.
    pub fn lookup(&self, name: &Name, kind: RecordType) -> Lookup {
        for above in std::iter::once(self.origin.clone()).chain(self.path(name)) {
            let itself = above == *name;
            let cut = above != self.origin && !(itself && kind == RecordType::DS);
            if let Some(set) = self.set(&above, RecordType::NS).filter(|_| cut) {
                return Lookup::Delegated(set.clone());
            }
            if let Some(set) = self.set(&above, RecordType::DNAME).filter(|_| !itself) {
                return Lookup::Renamed(set.clone());
            }
        }
        if let Some(sets) = self.nodes.get(name) {
            return pick(sets, kind, None);
        }
        if self.exists(name) {
            return Lookup::NoData;
        }
        // The closest name that exists, and what it says of all that don't (RFC 4592 §3.3.1).
        let mut encloser = name.base_name();
        while encloser != self.origin && !self.exists(&encloser) {
            encloser = encloser.base_name();
        }
        let wildcard = encloser.prepend_label(b"*".as_slice()).ok();
        match wildcard.and_then(|wildcard| self.nodes.get(&wildcard)) {
            Some(sets) => pick(sets, kind, Some(name)),
            None => Lookup::NxDomain,
        }
    }
}

/// The sets of a name that fit a type; `owner` is whose they are if a wildcard has them.
fn pick(sets: &[RrSet], kind: RecordType, owner: Option<&Name>) -> Lookup {
    let mine = |set: &RrSet| {
        let mut set = set.clone();
        if let Some(owner) = owner {
            set.name = owner.clone();
        }
        set
    };
    if kind == RecordType::ANY && !sets.is_empty() {
        return Lookup::Found(sets.iter().map(mine).collect());
    }
    if let Some(set) = sets.iter().find(|set| set.kind == kind) {
        return Lookup::Found(vec![mine(set)]);
    }
    match sets.iter().find(|set| set.kind == RecordType::CNAME) {
        Some(set) => Lookup::Alias(mine(set)),
        None => Lookup::NoData,
    }
}

#[cfg(test)]
mod tests;
