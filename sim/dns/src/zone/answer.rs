//! A server's answer from the zones that it has. Source: BIND's `lib/ns/query.c`.

use std::collections::BTreeMap;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, RecordType, rdata};

use super::{Lookup, RrSet, Zone};

/// How many aliases are followed; the real one's `max-query-restarts`.
const MAX_RESTARTS: usize = 11;

/// The zones of a server, by their origins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zones {
    by_origin: BTreeMap<Name, Zone>,
}

/// What an answer holds beside the answer itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The zone's servers.
    pub authority: bool,
    /// Addresses of the names that were answered.
    pub additional: bool,
}

/// What zones answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response code.
    pub code: ResponseCode,
    /// The AA bit.
    pub authoritative: bool,
    /// The answers, aliases first.
    pub answers: Vec<RrSet>,
    /// The SOA record of nothing, the servers of a delegation, or the zone's own.
    pub authorities: Vec<RrSet>,
    /// Addresses.
    pub additionals: Vec<RrSet>,
    /// What must be asked elsewhere to complete the answer: the end of a chain of aliases in none of the
    /// zones, or a name that is delegated.
    pub elsewhere: Option<Name>,
    /// Too many aliases.
    pub too_long: bool,
}

impl Answer {
    /// An empty one, of a server that has the zone.
    pub fn empty() -> Self {
        Self {
            code: ResponseCode::NoError,
            authoritative: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            elsewhere: None,
            too_long: false,
        }
    }

    /// Adds the addresses that are known of the names in sets, each set once.
    fn add_addresses(&mut self, targets: &[Name], find: impl Fn(&Name, RecordType) -> Option<RrSet>) {
        for target in targets {
            for kind in [RecordType::A, RecordType::AAAA] {
                let sections = [&self.answers, &self.authorities, &self.additionals];
                let there = |set: &RrSet| set.kind == kind && set.name == *target;
                if sections.into_iter().flatten().any(there) {
                    continue;
                }
                self.additionals.extend(find(target, kind));
            }
        }
    }
}

impl Zones {
    /// Adds a zone, in place of one that has the same origin.
    pub fn insert(&mut self, zone: Zone) {
        self.by_origin.insert(zone.origin().clone(), zone);
    }

    /// The zone of that origin.
    pub fn get(&self, origin: &Name) -> Option<&Zone> {
        self.by_origin.get(origin)
    }

    /// The zones, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Zone> {
        self.by_origin.values()
    }

    /// The zone that a name is in. What a parent says of a zone that is here too is asked of the parent.
    pub fn of(&self, name: &Name, kind: RecordType) -> Option<&Zone> {
        let from = name.iter().len();
        let skip = usize::from(kind == RecordType::DS && from > 0);
        (0..=from - skip).rev().find_map(|labels| self.by_origin.get(&name.trim_to(labels))).or_else(|| {
            // There is no parent here.
            self.by_origin.get(name).filter(|_| skip > 0)
        })
    }

    /// Answers a question; none if the name is in no zone.
    pub fn answer(&self, name: &Name, kind: RecordType, extent: Extent) -> Option<Answer> {
        let mut zone = self.of(name, kind)?;
        let mut answer = Answer { authoritative: true, ..Answer::empty() };
        let mut name = name.clone();
        for restart in 0.. {
            if restart == MAX_RESTARTS {
                answer.code = ResponseCode::ServFail;
                answer.too_long = true;
                return Some(answer);
            }
            let target = match zone.lookup(&name, kind) {
                Lookup::Found(sets) => {
                    complete(&mut answer, zone, &name, sets, extent);
                    return Some(answer);
                }
                Lookup::Alias(set) => {
                    let target = set.data.iter().find_map(|data| match data {
                        RData::CNAME(target) => Some(target.0.clone()),
                        _ => None,
                    });
                    push(&mut answer.answers, set);
                    target
                }
                Lookup::Renamed(set) => {
                    let target = renamed(&name, &set);
                    let ttl = set.ttl;
                    push(&mut answer.answers, set);
                    match target {
                        Some(target) => {
                            let data = vec![RData::CNAME(rdata::CNAME(target.clone()))];
                            let alias = RrSet { name, kind: RecordType::CNAME, ttl, data };
                            push(&mut answer.answers, alias);
                            Some(target)
                        }
                        None => {
                            answer.code = ResponseCode::YXDomain;
                            None
                        }
                    }
                }
                Lookup::Delegated(set) => {
                    answer.authoritative &= !answer.answers.is_empty();
                    refer(&mut answer, zone, set);
                    answer.elsewhere = Some(name);
                    return Some(answer);
                }
                Lookup::NoData => {
                    answer.authorities.extend(zone.negative());
                    return Some(answer);
                }
                Lookup::NxDomain => {
                    answer.code = ResponseCode::NXDomain;
                    answer.authorities.extend(zone.negative());
                    return Some(answer);
                }
            };
            let Some(target) = target else { return Some(answer) };
            name = target;
            match self.of(&name, kind) {
                Some(next) => zone = next,
                None => {
                    answer.elsewhere = Some(name);
                    return Some(answer);
                }
            }
        }
        None
    }
}

/// Adds a set unless it is there already.
fn push(sets: &mut Vec<RrSet>, set: RrSet) {
    if !sets.iter().any(|other| other.kind == set.kind && other.name == set.name) {
        sets.push(set);
    }
}

/// The name below the DNAME's target; none if that is too long. RFC 6672 §2.2.
fn renamed(name: &Name, set: &RrSet) -> Option<Name> {
    let target = set.data.iter().find_map(|data| match data {
        RData::Unknown { rdata, .. } => crate::zone_file::name_from_bytes(&rdata.anything),
        _ => None,
    })?;
    let kept = name.iter().len() - set.name.iter().len();
    let labels = name.iter().take(kept).chain(target.iter());
    Name::from_labels(labels).ok()
}

/// A positive answer with what belongs to it.
fn complete(answer: &mut Answer, zone: &Zone, name: &Name, sets: Vec<RrSet>, extent: Extent) {
    let servers = zone.set(zone.origin(), RecordType::NS).filter(|_| extent.authority);
    let answers_servers = *name == *zone.origin() && sets.iter().any(|set| set.kind == RecordType::NS);
    let mut targets: Vec<Name> = sets.iter().flat_map(RrSet::targets).cloned().collect();
    answer.answers.extend(sets);
    if let Some(servers) = servers.filter(|_| !answers_servers) {
        targets.extend(servers.targets().cloned());
        answer.authorities.push(servers.clone());
    }
    if extent.additional {
        answer.add_addresses(&targets, |name, kind| {
            let ours = zone.origin().zone_of(name);
            match ours.then(|| zone.lookup(name, kind)) {
                Some(Lookup::Found(sets)) => sets.into_iter().next(),
                _ => None,
            }
        });
    }
}

/// Names the servers of another zone, with the addresses that this zone knows of them.
fn refer(answer: &mut Answer, zone: &Zone, servers: RrSet) {
    let targets: Vec<Name> = servers.targets().cloned().collect();
    answer.authorities.push(servers);
    answer.add_addresses(&targets, |name, kind| zone.set(name, kind).cloned());
}
