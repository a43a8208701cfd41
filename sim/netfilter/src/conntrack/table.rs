use std::collections::BTreeMap;
use std::time::Duration;

use packet::{ConnId, CtInfo, SimTime, Skb, Tuple};
use rustc_hash::FxHashMap;

use super::tuple::{SourceKey, TupleKey};
use super::{Conn, Dir, StateSet, invert};

/// The connections of a namespace.
///
/// - Invariant: both tuples of a confirmed connection are in `by_tuple`, and no others.
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
}

/// Packets that can be under way at once inside one host's path.
const MAX_LOOSE: usize = 64;
/// How often expired connections are swept up.
const GC_INTERVAL: Duration = Duration::from_secs(60);

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

    /// The connection of a packet and the packet's direction; none if untracked or invalid.
    pub fn of(&self, skb: &Skb) -> Option<(&Conn, Dir)> {
        let ct = skb.ct.filter(|ct| ct.info != CtInfo::Untracked)?;
        Some((self.get(ct.conn)?, if ct.info.is_reply() { Dir::Reply } else { Dir::Original }))
    }

    /// The state of a packet, with SNAT and DNAT if its connection is rewritten.
    pub fn state_of(&self, skb: &Skb) -> StateSet {
        let Some(ct) = skb.ct else { return StateSet::INVALID };
        let state = match ct.info {
            CtInfo::Untracked => return StateSet::UNTRACKED,
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
        self.conns.values().filter(move |conn| conn.expires > now)
    }

    /// Number of live connections.
    pub fn len(&self, now: SimTime) -> usize {
        self.iter(now).count()
    }

    /// The live connection that has this tuple.
    pub(super) fn find(&mut self, tuple: &Tuple, now: SimTime) -> Option<(ConnId, Dir)> {
        let (id, dir) = *self.by_tuple.get(&TupleKey::of(tuple))?;
        if self.conns.get(&id).is_some_and(|conn| conn.expires > now) {
            return Some((id, dir));
        }
        self.remove(id);
        None
    }

    /// Whether another live connection than `of` has this tuple. Kernel: `nf_conntrack_tuple_taken`.
    pub(crate) fn taken(&self, tuple: &Tuple, of: ConnId, now: SimTime) -> bool {
        self.by_tuple
            .get(&TupleKey::of(tuple))
            .is_some_and(|(id, _)| *id != of && self.conns.get(id).is_some_and(|conn| conn.expires > now))
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

    /// Enters the connection of a packet that got through; false if another connection has one
    /// of its tuples meanwhile, which drops the packet. Kernel: `__nf_conntrack_confirm`.
    pub(crate) fn confirm(&mut self, skb: &Skb, now: SimTime) -> bool {
        let Some(ct) = skb.ct.filter(|ct| ct.info == CtInfo::New) else { return true };
        let Some(conn) = self.loose.get(&ct.conn).filter(|conn| !conn.confirmed) else { return true };
        let (original, reply) = (conn.original, conn.reply);
        if self.find(&original, now).is_some() || self.find(&reply, now).is_some() {
            return false;
        }
        self.sweep(now);
        if let Some(mut conn) = self.loose.remove(&ct.conn) {
            conn.confirmed = true;
            self.by_tuple.insert(TupleKey::of(&original), (conn.id, Dir::Original));
            self.by_tuple.insert(TupleKey::of(&reply), (conn.id, Dir::Reply));
            if conn.nat.src_done {
                self.by_source.entry(SourceKey::of(&original)).or_default().push(conn.id);
            }
            self.conns.insert(conn.id, conn);
        }
        true
    }

    /// Forgets a connection; packets under way still see it. Kernel: `nf_ct_delete`.
    pub fn remove(&mut self, id: ConnId) {
        let Some(conn) = self.conns.remove(&id) else { return };
        for tuple in [&conn.original, &conn.reply] {
            self.by_tuple.remove(&TupleKey::of(tuple));
        }
        let source = SourceKey::of(&conn.original);
        if let Some(ids) = self.by_source.get_mut(&source) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_source.remove(&source);
            }
        }
        self.keep_loose(conn);
    }

    /// Forgets all.
    pub fn flush(&mut self) {
        self.conns.clear();
        self.by_tuple.clear();
        self.by_source.clear();
    }

    /// Removes what has expired, now and then. Kernel: `gc_worker`.
    fn sweep(&mut self, now: SimTime) {
        if now < self.next_gc {
            return;
        }
        self.next_gc = now + GC_INTERVAL;
        let expired: Vec<ConnId> =
            self.conns.values().filter(|conn| conn.expires <= now).map(|conn| conn.id).collect();
        for id in expired {
            self.remove(id);
        }
    }

    /// The source that connections from the source of `tuple` were mapped to, newest first.
    /// Kernel: `find_appropriate_src`.
    pub(crate) fn mapped_sources<'a>(&'a self, tuple: &Tuple) -> impl Iterator<Item = Tuple> + 'a {
        let ids = self.by_source.get(&SourceKey::of(tuple)).map_or(&[][..], Vec::as_slice);
        ids.iter().rev().filter_map(|id| self.conns.get(id)).map(|conn| invert(&conn.reply))
    }
}
