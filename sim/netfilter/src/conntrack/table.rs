use std::collections::BTreeMap;
use std::time::Duration;

use packet::{ConnId, CtInfo, SimTime, Skb, Tuple};
use rustc_hash::FxHashMap;

use super::conn::TEMPLATE;
use super::event::{CtEvent, EventKind, EventMask};
use super::track::{TableFull, TrackCx};
use super::tuple::{SourceKey, TupleKey};
use super::{Conn, CtStats, CtSysctl, Dir, ProtoState, StateSet, Zone, invert};

/// The connections of a namespace.
///
/// - Invariant: both tuples of a confirmed connection are in `by_tuple`, and no others; of one
///   that lost a clash only the reply's.
/// - A connection is confirmed after POSTROUTING or INPUT, so a packet that is dropped before
///   leaves none.
#[derive(Clone, Debug, Default)]
pub struct Conntrack {
    /// Confirmed connections, in the order of their creation.
    conns: BTreeMap<ConnId, Conn>,
    /// Connections that only a packet under way knows: not confirmed yet, or just removed.
    /// The oldest go when there are too many.
    loose: BTreeMap<ConnId, Conn>,
    by_tuple: FxHashMap<TupleKey, (ConnId, Dir)>,
    by_source: FxHashMap<SourceKey, Vec<ConnId>>,
    last_id: u32,
    next_gc: SimTime,
    /// The table was full: the next sweep makes room. Kernel: `conntrack_gc_work.early_drop`.
    under_pressure: bool,
    /// Counters.
    pub stats: CtStats,
    /// Someone listens to events.
    listening: bool,
    /// Events that listeners weren't told yet.
    events: Vec<CtEvent>,
    /// Lines for the kernel log that every namespace writes.
    notices: Vec<String>,
}

/// Packets that can be under way at once inside one host's path.
const MAX_LOOSE: usize = 64;
/// How often expired connections are swept up.
///
/// Simplified: the kernel's interval is 1 to 60 s and follows the timeouts.
const GC_INTERVAL: Duration = Duration::from_secs(60);
/// Kernel: `NF_CT_EVICTION_RANGE`.
const EVICTION_RANGE: u32 = 8;

impl Conntrack {
    /// The connection of that id, confirmed or not.
    pub fn get(&self, id: ConnId) -> Option<&Conn> {
        self.conns.get(&id).or_else(|| self.loose.get(&id))
    }

    /// The connection of that id, confirmed or not.
    pub fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        match self.conns.get_mut(&id) {
            Some(conn) => Some(conn),
            None => self.loose.get_mut(&id),
        }
    }

    /// The connection of a packet, or the template, and the packet's direction; none if untracked or
    /// invalid. Kernel: `nf_ct_get`.
    pub fn of(&self, skb: &Skb) -> Option<(&Conn, Dir)> {
        let ct = skb.ct?;
        match ct.info {
            CtInfo::Untracked => None,
            CtInfo::Template => Some((&TEMPLATE, Dir::Original)),
            info => Some((self.get(ct.conn)?, if info.is_reply() { Dir::Reply } else { Dir::Original })),
        }
    }

    /// The state of a packet, with SNAT and DNAT if its connection is rewritten.
    pub fn state_of(&self, skb: &Skb) -> StateSet {
        let Some(ct) = skb.ct else { return StateSet::INVALID };
        let state = match ct.info {
            CtInfo::Untracked => return StateSet::UNTRACKED,
            CtInfo::Template => return StateSet::NEW,
            CtInfo::New => StateSet::NEW,
            CtInfo::Established | CtInfo::EstablishedReply => StateSet::ESTABLISHED,
            CtInfo::Related | CtInfo::RelatedReply => StateSet::RELATED,
        };
        let Some(conn) = self.get(ct.conn) else { return StateSet::INVALID };
        let snat = if conn.nat.src { StateSet::SNAT } else { StateSet::default() };
        let dnat = if conn.nat.dst { StateSet::DNAT } else { StateSet::default() };
        state.with(snat).with(dnat)
    }

    /// Live confirmed connections, oldest first.
    pub fn iter(&self, now: SimTime) -> impl Iterator<Item = &Conn> {
        self.conns.values().filter(move |conn| conn.expires > now && !conn.nat_clash)
    }

    /// Number of live connections.
    pub fn len(&self, now: SimTime) -> usize {
        self.conns.values().filter(|conn| conn.expires > now).count()
    }

    /// The live connection that has this tuple in a zone. Kernel: `nf_conntrack_find_get`.
    pub(crate) fn find(&mut self, tuple: &Tuple, zone: Zone, now: SimTime) -> Option<(ConnId, Dir)> {
        [Dir::Original, Dir::Reply].into_iter().find_map(|dir| {
            let (id, dir) = *self.by_tuple.get(&TupleKey::of(tuple, dir, zone.id_in(dir)))?;
            if self.conns.get(&id).is_some_and(|conn| conn.expires > now) {
                return Some((id, dir));
            }
            self.kill(id, now);
            None
        })
    }

    /// Whether another live connection than `of` would get the answers that have this tuple.
    /// Kernel: `nf_conntrack_tuple_taken`.
    pub(crate) fn taken(&mut self, tuple: &Tuple, of: ConnId, now: SimTime) -> bool {
        let Some((zone, original)) = self.get(of).map(|conn| (conn.zone, conn.original)) else {
            return false;
        };
        let taken = self.holder(tuple, zone, now).is_some_and(|(id, _)| {
            // Two packets of one flow that begin at once: the clash is resolved later.
            let same_flow = |conn: &Conn| {
                conn.original == original && conn.zone.id_in(Dir::Original) == zone.id_in(Dir::Original)
            };
            id != of && !self.conns.get(&id).is_some_and(same_flow)
        });
        self.stats.found += u32::from(taken);
        taken
    }

    /// Who has this tuple where the answers of a connection of `zone` are looked up.
    pub(crate) fn holder(&self, tuple: &Tuple, zone: Zone, now: SimTime) -> Option<(ConnId, Dir)> {
        let place = zone.id_in(Dir::Reply);
        [Dir::Reply, Dir::Original].into_iter().filter(|dir| zone.id_in(*dir) == place).find_map(|dir| {
            let (id, dir) = *self.by_tuple.get(&TupleKey::of(tuple, dir, place))?;
            self.conns.get(&id).filter(|conn| conn.expires > now).map(|_| (id, dir))
        })
    }

    /// Keeps a connection whose first packet is under way; `make` is given its id.
    pub(super) fn begin(&mut self, make: impl FnOnce(ConnId) -> Conn) -> ConnId {
        self.last_id += 1;
        let id = ConnId(self.last_id);
        self.keep_loose(make(id));
        id
    }

    fn keep_loose(&mut self, conn: Conn) {
        self.loose.insert(conn.id, conn);
        while self.loose.len() > MAX_LOOSE {
            self.loose.pop_first();
        }
    }

    /// Makes sure that another connection may begin. Kernel: `__nf_conntrack_alloc`.
    pub(super) fn make_room(&mut self, cx: &TrackCx<'_>, tuple: &Tuple, zone: Zone) -> Result<(), TableFull> {
        self.sweep(cx.now, cx.sysctl(CtSysctl::Max));
        let max = cx.sysctl(CtSysctl::Max);
        if max == 0 || self.conns.len() < max as usize || self.early_drop(cx, tuple, zone) {
            return Ok(());
        }
        self.under_pressure = true;
        self.notices.push("nf_conntrack: nf_conntrack: table full, dropping packet".to_owned());
        Err(TableFull)
    }

    /// Forgets connections that aren't assured in the buckets next to a new one's.
    /// Kernel: `early_drop`, `early_drop_list`.
    fn early_drop(&mut self, cx: &TrackCx<'_>, tuple: &Tuple, zone: Zone) -> bool {
        let buckets = cx.sysctl(CtSysctl::Buckets).max(1);
        let first = TupleKey::bucket(tuple, zone.id_in(Dir::Original), buckets);
        let distance = |tuple: &Tuple, zone: u16| {
            let bucket = TupleKey::bucket(tuple, zone, buckets);
            // Behind the last bucket comes the first one.
            bucket.checked_sub(first).unwrap_or_else(|| bucket + (buckets - first))
        };
        let mut nearest = EVICTION_RANGE;
        let mut victims = Vec::new();
        for conn in self.conns.values().filter(|conn| !conn.assured && conn.expires > cx.now) {
            let of = |dir| distance(conn.tuple(dir), conn.zone.id_in(dir));
            let at = of(Dir::Original).min(of(Dir::Reply));
            if at < nearest {
                nearest = at;
                victims.clear();
            }
            if at == nearest && at < EVICTION_RANGE {
                victims.push(conn.id);
            }
        }
        for id in &victims {
            self.kill(*id, cx.now);
        }
        self.stats.early_drop += victims.len() as u32;
        !victims.is_empty()
    }

    /// Forgets a connection and tells listeners. Packets under way still see it.
    /// Kernel: `nf_ct_kill`.
    pub(crate) fn kill(&mut self, id: ConnId, now: SimTime) {
        self.delete(id, now, None);
    }

    /// Forgets a connection; `portid` is who asked for it. Kernel: `nf_ct_delete`.
    pub fn delete(&mut self, id: ConnId, now: SimTime, portid: Option<u32>) {
        let Some(conn) = self.remove(id) else { return };
        if conn.events.is_some_and(|events| events.mask.intersects(EventMask::DESTROY)) {
            self.tell(EventKind::Destroy, EventMask::DESTROY, now, portid, &conn);
        }
        self.keep_loose(conn);
    }

    fn remove(&mut self, id: ConnId) -> Option<Conn> {
        let conn = self.conns.remove(&id)?;
        for dir in [Dir::Original, Dir::Reply] {
            let key = TupleKey::of(conn.tuple(dir), dir, conn.zone.id_in(dir));
            if self.by_tuple.get(&key).is_some_and(|(holder, _)| *holder == id) {
                self.by_tuple.remove(&key);
            }
        }
        let source = SourceKey::of(&conn.original);
        if let Some(ids) = self.by_source.get_mut(&source) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_source.remove(&source);
            }
        }
        Some(conn)
    }

    /// Enters a connection in the table. Kernel: `__nf_conntrack_hash_insert`.
    pub(super) fn insert(&mut self, mut conn: Conn, now: SimTime) {
        conn.confirmed = true;
        if conn.start.is_some() {
            conn.start = Some(now);
        }
        for dir in [Dir::Original, Dir::Reply] {
            if dir == Dir::Reply || !conn.nat_clash {
                self.by_tuple
                    .insert(TupleKey::of(conn.tuple(dir), dir, conn.zone.id_in(dir)), (conn.id, dir));
            }
        }
        if conn.nat.src_done {
            self.by_source.entry(SourceKey::of(&conn.original)).or_default().push(conn.id);
        }
        self.conns.insert(conn.id, conn);
    }

    /// Takes a connection that isn't confirmed.
    pub(super) fn take_loose(&mut self, id: ConnId) -> Option<Conn> {
        self.loose.get(&id).filter(|conn| !conn.confirmed)?;
        self.loose.remove(&id)
    }

    /// Puts back what [`take_loose`](Self::take_loose) took.
    pub(super) fn put_loose(&mut self, conn: Conn) {
        self.keep_loose(conn);
    }

    /// Removes what has expired, now and then; under pressure also what isn't worth keeping.
    /// Kernel: `gc_worker`.
    fn sweep(&mut self, now: SimTime, max: u32) {
        if now < self.next_gc {
            return;
        }
        self.next_gc = now + GC_INTERVAL;
        self.gc(now);
        let most = max / 100 * 95;
        if std::mem::take(&mut self.under_pressure) && most != 0 && self.conns.len() >= most as usize {
            let may_go = |conn: &&Conn| {
                !conn.assured
                    || match &conn.proto {
                        ProtoState::Tcp(tcp) => tcp.can_early_drop(),
                        ProtoState::Sctp(sctp) => sctp.can_early_drop(),
                        ProtoState::Udp { .. } | ProtoState::Other => false,
                    }
            };
            let ids: Vec<ConnId> = self.conns.values().filter(may_go).map(|conn| conn.id).collect();
            for id in ids.into_iter().take(self.conns.len() + 1 - most as usize) {
                self.kill(id, now);
            }
        }
    }

    /// Removes what has expired.
    pub fn gc(&mut self, now: SimTime) {
        let expired: Vec<ConnId> =
            self.conns.values().filter(|conn| conn.expires <= now).map(|conn| conn.id).collect();
        for id in expired {
            self.kill(id, now);
        }
    }

    /// The source that connections from the source of `tuple` were mapped to, newest first.
    /// Kernel: `find_appropriate_src`.
    pub(crate) fn mapped_sources<'a>(
        &'a self,
        tuple: &Tuple,
        zone: Zone,
    ) -> impl Iterator<Item = Tuple> + 'a {
        let ids = self.by_source.get(&SourceKey::of(tuple)).map_or(&[][..], Vec::as_slice);
        let same_zone = move |conn: &&Conn| conn.zone.id_in(Dir::Original) == zone.id_in(Dir::Original);
        ids.iter().rev().filter_map(|id| self.conns.get(id)).filter(same_zone).map(|conn| invert(&conn.reply))
    }

    /// Whether anyone listens to events. Kernel: `ctnetlink_has_listener`.
    pub(crate) const fn has_listener(&self) -> bool {
        self.listening
    }

    /// Someone listens to events, or nobody.
    pub(crate) fn set_listening(&mut self, on: bool) {
        self.listening = on;
    }

    /// Tells listeners what was noted of a packet's connection.
    /// Kernel: `nf_ct_deliver_cached_events`.
    pub(super) fn deliver_events(&mut self, id: ConnId, now: SimTime) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let Some(events) = &mut conn.events else { return };
        let why = std::mem::take(&mut events.pending).and(events.mask);
        if why.is_empty() || !self.listening {
            return;
        }
        let kind = match why.intersects(EventMask::NEW.with(EventMask::RELATED)) {
            true => EventKind::New,
            false => EventKind::Update,
        };
        let conn = conn.clone();
        self.events.push(CtEvent { kind, why, at: now, conn, portid: None });
    }

    /// Tells listeners of a change.
    pub(super) fn tell(
        &mut self,
        kind: EventKind,
        why: EventMask,
        at: SimTime,
        portid: Option<u32>,
        conn: &Conn,
    ) {
        if self.listening {
            self.events.push(CtEvent { kind, why, at, conn: conn.clone(), portid });
        }
    }

    /// Whether there are events or lines to take.
    pub(crate) fn has_news(&self) -> bool {
        !self.events.is_empty() || !self.notices.is_empty()
    }

    /// Number of connections, with those that have expired and weren't swept up yet.
    /// Kernel: `nf_conntrack_count`.
    pub fn count(&self) -> usize {
        self.conns.len()
    }

    /// Takes what listeners are to be told.
    pub fn take_events(&mut self) -> Vec<CtEvent> {
        std::mem::take(&mut self.events)
    }

    /// A line for the kernel log, whichever namespace this is. Kernel: `pr_info`.
    pub(crate) fn notice(&mut self, line: String) {
        self.notices.push(line);
    }

    /// Takes the lines for the kernel log.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// When the next connection expires.
    pub fn next_expiry(&self) -> Option<SimTime> {
        self.conns.values().map(|conn| conn.expires).min()
    }
}
