use std::collections::BTreeMap;
use std::time::Duration;

use dns::{DNSClass, Message, Name, Record, RecordType, ResponseCode};
use packet::SimTime;

use super::typify::{Kind, typify};
use crate::coredns::corefile::{Cache as Config, CacheSide, CachedTtl, Refresh};
use crate::coredns::message::{self, matches, question, reply, wants_dnssec};

/// The `cache` plugin: answers, kept while they are good. CoreDNS: `plugin/cache`.
#[derive(Clone, Debug)]
pub struct Cache {
    /// What the Corefile says.
    pub config: Config,
    success: Side,
    denial: Side,
}

/// Half of it.
#[derive(Clone, Debug, Default)]
struct Side {
    items: BTreeMap<Key, Item>,
    /// When each was put in.
    order: u64,
}

/// What an answer is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: Name,
    kind: RecordType,
    class: DNSClass,
    dnssec_ok: bool,
    checking_disabled: bool,
}

/// An answer that is kept.
#[derive(Clone, Debug)]
struct Item {
    answer: Message,
    /// How long it is good, in seconds.
    ttl: u32,
    stored: SimTime,
    order: u64,
    hits: Hits,
}

/// How often an answer was asked for. CoreDNS: `freq`.
#[derive(Clone, Copy, Debug, Default)]
struct Hits {
    last: Option<SimTime>,
    count: usize,
    /// Whether it is being fetched again.
    refreshing: bool,
}

/// What a query finds.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The answer.
    pub answer: Message,
    /// In which half.
    pub side: &'static str,
    /// Whether it is still good.
    pub age: Age,
    /// Whether it is fetched again meanwhile.
    pub refresh: bool,
}

/// Whether an answer is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It is.
    Fresh,
    /// It has expired, and is given all the same.
    Stale,
}

/// The least that anything is kept. CoreDNS: `MinimalDefaultTTL`.
const MIN_TTL: Duration = Duration::from_secs(5);

impl Cache {
    /// As the Corefile says.
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone(), success: Side::default(), denial: Side::default() }
    }

    /// Whether answers to a query are kept.
    pub fn takes(&self, query: &Message) -> bool {
        let name = message::name(query);
        self.config.zones.iter().any(|zone| zone.zone_of(&name))
    }

    /// The sizes of both halves.
    pub fn sizes(&self) -> [(&'static str, usize); 2] {
        [("success", self.success.items.len()), ("denial", self.denial.items.len())]
    }

    /// The answer to a query, if it is there and good, or may be given though it isn't.
    pub fn get(&mut self, query: &Message, now: SimTime) -> Option<Hit> {
        let key = Key::of(query)?;
        let stale = self.config.serve_stale;
        let grace = stale.map_or(0, |stale| i64::try_from(stale.up_to.as_secs()).unwrap_or(i64::MAX));
        let good = |side: &Side| {
            let left = side.items.get(&key).map(|item| item.left(now));
            left.is_some_and(|left| left > 0 || -left < grace)
        };
        // A failure doesn't hide an answer that is still good.
        let failed = self
            .denial
            .items
            .get(&key)
            .is_some_and(|item| item.answer.metadata.response_code == ResponseCode::ServFail);
        let (side, name) = match (good(&self.denial), good(&self.success)) {
            (true, false) => (&mut self.denial, "denial"),
            (true, true) if !failed => (&mut self.denial, "denial"),
            (_, true) => (&mut self.success, "success"),
            (false, false) => return None,
        };
        let item = side.items.get_mut(&key)?;
        let left = item.left(now);
        let age = if left > 0 { Age::Fresh } else { Age::Stale };
        let wanted = match age {
            Age::Stale => stale.is_some_and(|stale| stale.refresh == Refresh::Immediate),
            Age::Fresh => self.config.prefetch.as_ref().is_some_and(|config| {
                let hits = item.hits.count_one(config.duration, now);
                let threshold = (i64::from(item.ttl) * i64::from(config.percentage) + 99) / 100;
                hits >= config.amount && left <= threshold
            }),
        };
        let refresh = wanted && !item.hits.refreshing;
        item.hits.refreshing |= refresh;
        let ttl = match self.config.ttl {
            CachedTtl::Kept => item.ttl,
            CachedTtl::Left => u32::try_from(left).unwrap_or(0),
        };
        let mut answer = reply(query, item.answer.metadata.response_code);
        let kept = &item.answer;
        // Old resolvers need the bit, so CoreDNS sets it on all that it has kept.
        answer.metadata.authoritative = true;
        answer.metadata.recursion_available = kept.metadata.recursion_available;
        answer.metadata.authentic_data = kept.metadata.authentic_data && wants_authentic(query);
        answer.answers.clone_from(&kept.answers);
        answer.authorities.clone_from(&kept.authorities);
        answer.additionals.clone_from(&kept.additionals);
        set_ttl(&mut answer, ttl);
        Some(Hit { answer, side: name, age, refresh })
    }

    /// What was fetched again is here, or won't come.
    pub fn end_refresh(&mut self, query: &Message) {
        let Some(key) = Key::of(query) else { return };
        for side in [&mut self.success, &mut self.denial] {
            if let Some(item) = side.items.get_mut(&key) {
                item.hits.refreshing = false;
            }
        }
    }

    /// Whether an answer may take the place of one that has expired (RFC 8767 §4).
    pub fn replaces(query: &Message, answer: &Message) -> bool {
        !answer.metadata.truncation
            && matches(query, answer)
            && !matches!(typify(answer), Kind::OtherError | Kind::Meta)
            && matches!(answer.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
    }

    /// Takes an answer to a query: keeps it if it may be kept, and limits its TTL.
    pub fn put(&mut self, query: &Message, answer: &mut Message, now: SimTime) {
        let kind = kind(answer);
        let duration = match kind {
            Kind::NameError | Kind::NoData => keep(answer, kind, &self.config.denial),
            Kind::ServerError => self.config.servfail,
            _ => keep(answer, kind, &self.config.success),
        };
        let ttl = u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        // OPT records are for one hop only.
        answer.edns = None;
        set_ttl(answer, ttl);
        if is_kept(answer, kind) && !duration.is_zero() && matches(query, answer) {
            self.insert(query, answer, kind, ttl, now);
        }
        answer.metadata.authentic_data &= wants_authentic(query);
    }

    fn insert(&mut self, query: &Message, answer: &Message, kind: Kind, ttl: u32, now: SimTime) {
        let Some(key) = Key::of(query) else { return };
        let (side, config) = match kind {
            Kind::Success | Kind::Delegation => (&mut self.success, &self.config.success),
            Kind::NameError | Kind::NoData | Kind::ServerError => (&mut self.denial, &self.config.denial),
            Kind::Meta | Kind::OtherError => return,
        };
        if config.except.iter().any(|zone| zone.zone_of(&key.name)) {
            return;
        }
        side.order += 1;
        let hits = side.items.get(&key).map(|item| Hits { refreshing: false, ..item.hits });
        let item = Item {
            answer: answer.clone(),
            ttl,
            stored: now,
            order: side.order,
            hits: hits.unwrap_or_default(),
        };
        side.items.insert(key, item);
        // Simplified: the oldest goes; in CoreDNS any of a 256th of the cache.
        while side.items.len() > config.capacity.max(1) {
            let oldest = side.items.iter().min_by_key(|(_, item)| item.order).map(|(key, _)| key.clone());
            oldest.map(|key| side.items.remove(&key));
        }
    }
}

impl Key {
    fn of(query: &Message) -> Option<Self> {
        let asked = question(query)?;
        Some(Self {
            name: asked.name.to_lowercase(),
            kind: asked.query_type,
            class: asked.query_class,
            dnssec_ok: wants_dnssec(query),
            checking_disabled: query.metadata.checking_disabled,
        })
    }
}

impl Item {
    /// How many seconds it is still good; negative once it isn't.
    fn left(&self, now: SimTime) -> i64 {
        i64::from(self.ttl) - i64::try_from(now.since(self.stored).as_secs()).unwrap_or(i64::MAX)
    }
}

impl Hits {
    /// Counts a query; after a gap the count begins again.
    fn count_one(&mut self, gap: Duration, now: SimTime) -> usize {
        let is_late = self.last.is_some_and(|last| now.since(last) > gap);
        self.count = if is_late { 1 } else { self.count + 1 };
        self.last = Some(now);
        self.count
    }
}

fn wants_authentic(query: &Message) -> bool {
    wants_dnssec(query) || query.metadata.authentic_data
}

fn has_soa(answer: &Message) -> bool {
    answer.authorities.iter().any(|record| record.record_type() == RecordType::SOA)
}

/// What an answer is to the cache: aliases that lead nowhere, with an SOA record, deny.
fn kind(answer: &Message) -> Kind {
    match typify(answer) {
        Kind::Success if has_soa(answer) && leads_nowhere(answer) => Kind::NoData,
        kind => kind,
    }
}

/// Whether an answer may be kept at all. CoreDNS: `key`.
fn is_kept(answer: &Message, kind: Kind) -> bool {
    !answer.metadata.truncation
        && !matches!(kind, Kind::OtherError | Kind::Meta)
        && (has_soa(answer) || kind != Kind::NameError && !(kind == Kind::Success && leads_nowhere(answer)))
}

/// Whether there are records, but none that answers. CoreDNS: `isNODATA`.
fn leads_nowhere(answer: &Message) -> bool {
    let Some(asked) = question(answer) else { return false };
    if answer.answers.is_empty() {
        return false;
    }
    let mut name = asked.name.clone();
    let of = |name: &Name, record: &Record| record.name == *name;
    if asked.query_type == RecordType::ANY {
        return !answer.answers.iter().any(|record| of(&name, record));
    }
    let mut seen: Vec<Name> = Vec::new();
    loop {
        let aliases = answer.answers.iter().filter(|record| of(&name, record)).filter_map(|record| {
            if let dns::RData::CNAME(target) = &record.data { Some(&target.0) } else { None }
        });
        let targets: Vec<&Name> = aliases.collect();
        let Some(target) = targets.first() else { break };
        if targets.iter().any(|other| other != target) {
            return true;
        }
        if asked.query_type == RecordType::CNAME {
            return false;
        }
        seen.push(std::mem::replace(&mut name, (*target).clone()));
        if seen.contains(&name) {
            return true;
        }
    }
    !answer.answers.iter().any(|record| of(&name, record) && record.record_type() == asked.query_type)
}

/// How long an answer is kept, by its records and the limits of its half.
fn keep(answer: &Message, kind: Kind, side: &CacheSide) -> Duration {
    let least = match kind {
        Kind::Success | Kind::NameError | Kind::NoData => {
            let sections = [&answer.answers, &answer.authorities, &answer.additionals];
            let ttls = sections.into_iter().flatten().map(|record| Duration::from_secs(record.ttl.into()));
            ttls.min().map_or(MIN_TTL, |ttl| ttl.min(side.max_ttl))
        }
        _ => MIN_TTL,
    };
    least.max(side.min_ttl).min(side.max_ttl)
}

fn set_ttl(answer: &mut Message, ttl: u32) {
    let sections = [&mut answer.answers, &mut answer.authorities, &mut answer.additionals];
    for record in sections.into_iter().flatten() {
        record.ttl = ttl;
    }
}

#[cfg(test)]
mod tests;
