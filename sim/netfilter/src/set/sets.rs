use std::collections::BTreeMap;
use std::sync::Arc;

use packet::{SimTime, Skb};

use super::adt::Adt;
use super::ext::{Jiffies, SkbInfo};
use super::instance::{Data, Set};
use super::list::Place;
use super::packet::Probe;
use super::table::{Found, Hash};
use super::{CreateOptions, Entry, PacketOptions, SetChange, SetError, SetType, Tested};
use crate::Random;

/// The sets of a namespace. Kernel: `struct ip_set_net`.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    /// By index, which is the order of listings.
    slots: Vec<Option<Arc<Set>>>,
    by_name: BTreeMap<Arc<str>, usize>,
    /// Sets ever made.
    made: u64,
    /// When lines of the kernel log were last counted from zero, and how many there were since.
    logged: Option<(Jiffies, u32)>,
}

/// A set as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: SetType,
    /// Its options as they are now.
    pub options: CreateOptions,
    /// Bytes.
    pub memory: u64,
    /// Rules and lists that use it.
    pub references: u32,
    /// Number of elements.
    pub count: u32,
    /// Elements.
    pub entries: Vec<Entry>,
}

/// Names of sets that rules use, and how often.
pub(crate) type Uses = BTreeMap<String, u32>;

impl Sets {
    fn find(&self, name: &str) -> Option<&Set> {
        self.slots.get(*self.by_name.get(name)?)?.as_deref()
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut Set> {
        self.slots.get_mut(*self.by_name.get(name)?)?.as_mut().map(Arc::make_mut)
    }

    /// The type of the set called `name`.
    pub fn kind(&self, name: &str) -> Option<SetType> {
        self.find(name).map(|set| set.kind)
    }

    /// The line that the kernel logs of a full set, unless it logged ten in the last five seconds.
    /// Kernel: `net_ratelimit`.
    pub(crate) fn full_line(&mut self, name: &str, now: SimTime) -> Option<String> {
        let now = Jiffies::of(now);
        let Some(Set { data: Data::Hash(Hash { maxelem, .. }), .. }) = self.find(name) else { return None };
        let line = format!("Set {name} is full, maxelem {maxelem} reached");
        let (begin, count) = self.logged.filter(|(begin, _)| now <= begin.plus(5)).unwrap_or((now, 0));
        self.logged = Some((begin, count.saturating_add(1)));
        (count < 10).then_some(line)
    }

    /// Lists that a set is a member of, and rules that use it. Kernel: `set->ref`.
    fn references(&self, name: &str, uses: &Uses) -> u32 {
        let lists = self.slots.iter().flatten().filter_map(|set| match &set.data {
            Data::List(list) => Some(list),
            Data::Hash(_) | Data::Bitmap(_) => None,
        });
        let members = lists.flat_map(|list| &list.members).filter(|member| *member.name == *name).count();
        u32::try_from(members).unwrap_or(u32::MAX).saturating_add(uses.get(name).copied().unwrap_or(0))
    }

    /// The sets, or one, in the order of `ipset list`: lists come after all others.
    /// Kernel: `ip_set_dump_do`.
    pub(crate) fn list(&self, name: Option<&str>, uses: &Uses, now: SimTime) -> Vec<Listing> {
        let now = Jiffies::of(now);
        let sets = self.slots.iter().flatten().filter(|set| name.is_none_or(|name| name == &*set.name));
        let (last, first): (Vec<_>, Vec<_>) = sets.partition(|set| set.kind == SetType::ListSet);
        let mut caught_up = self.clone();
        caught_up.catch_up(now);
        let caught_up = &caught_up;
        first
            .into_iter()
            .chain(last)
            .filter_map(|set| caught_up.find(&set.name))
            .map(|set| Listing {
                name: (*set.name).to_owned(),
                kind: set.kind,
                options: set.options(),
                memory: set.memory(),
                references: caught_up.references(&set.name, uses),
                count: set.count(now),
                entries: set.entries(now),
            })
            .collect()
    }

    /// Removes what has expired, in sets with a timeout.
    fn catch_up(&mut self, now: Jiffies) {
        for set in self.slots.iter_mut().flatten().filter(|set| set.exts.timeout.is_some()) {
            Arc::make_mut(set).catch_up(now);
        }
    }

    /// Whether an entry is in a set.
    ///
    /// # Errors
    /// It isn't, or the kernel's refusal.
    pub fn test_entry(&self, name: &str, entry: &Entry, now: SimTime) -> Result<(), SetError> {
        let now = Jiffies::of(now);
        let set = self.find(name).ok_or(SetError::NoSet)?;
        let answer = match &set.data {
            Data::List(list) => {
                set.exts.read(entry)?;
                let (member, place) = self.place(entry)?;
                if list.test(member, place, &set.exts, now) { Ok(()) } else { Err(SetError::Exist) }
            }
            // A lookup may count, a user's doesn't: a copy keeps it so.
            Data::Hash(_) | Data::Bitmap(_) => set.clone().adt(Adt::Test, entry, false, now),
        };
        // Kernel: `ip_set_utest` answers nothing else.
        answer.map_err(|_| SetError::Exist)
    }

    /// A list's member and place, checked. Kernel: `list_set_uadt`.
    fn place<'a>(&self, entry: &'a Entry) -> Result<(&'a str, Place<'a>), SetError> {
        let member = entry.name.as_deref().ok_or(SetError::Protocol)?;
        if self.kind(member).ok_or(SetError::ListName)? == SetType::ListSet {
            return Err(SetError::ListLoop);
        }
        match entry.nameref.as_deref() {
            None if entry.before => Err(SetError::ListBefore),
            None => Ok((member, Place::Anywhere)),
            Some(other) if self.find(other).is_none() => Err(SetError::ListNameRef),
            Some(other) if entry.before => Ok((member, Place::Before(other))),
            Some(other) => Ok((member, Place::After(other))),
        }
    }

    /// Makes a change; `seed` gives the numbers that Linux rolls.
    pub(crate) fn change(
        &mut self,
        change: &SetChange,
        uses: impl Fn() -> Uses,
        seed: u64,
        now: SimTime,
    ) -> Result<(), SetError> {
        let now = Jiffies::of(now);
        match change {
            SetChange::Create { name, kind, options, exist } => {
                self.made += 1;
                let initval = (Random::new(seed ^ self.made.rotate_left(32)).next_u64() >> 32) as u32;
                let set = Set::new(name, *kind, options, initval, now)?;
                if let Some(other) = self.find(name) {
                    return if *exist && other.is_like(&set) { Ok(()) } else { Err(SetError::SetExists) };
                }
                self.insert(set);
                Ok(())
            }
            SetChange::Destroy { name: Some(name), exist } => {
                self.catch_up(now);
                if self.find(name).is_none() {
                    return if *exist { Ok(()) } else { Err(SetError::NoSet) };
                }
                if self.references(name, &uses()) > 0 {
                    return Err(SetError::Busy);
                }
                if let Some(slot) = self.by_name.remove(name.as_str()).and_then(|at| self.slots.get_mut(at)) {
                    *slot = None;
                }
                Ok(())
            }
            SetChange::Destroy { name: None, .. } => {
                self.catch_up(now);
                let uses = uses();
                if self.by_name.keys().any(|name| self.references(name, &uses) > 0) {
                    return Err(SetError::Busy);
                }
                self.slots.clear();
                self.by_name.clear();
                Ok(())
            }
            SetChange::Flush { name: Some(name) } => {
                self.find_mut(name).ok_or(SetError::NoSet)?.flush();
                Ok(())
            }
            SetChange::Flush { name: None } => {
                self.slots.iter_mut().flatten().for_each(|set| Arc::make_mut(set).flush());
                Ok(())
            }
            SetChange::Rename { name, to } => self.rename(name, to, &uses(), now),
            SetChange::Swap { name, with } => self.swap(name, with),
            SetChange::Add { name, entry, exist } => self.adt(Adt::Add, name, entry, *exist, now),
            SetChange::Del { name, entry, exist } => self.adt(Adt::Del, name, entry, *exist, now),
        }
    }

    /// Puts a set at the first free index. Kernel: `find_free_id`.
    fn insert(&mut self, set: Set) {
        let name = Arc::clone(&set.name);
        let set = Some(Arc::new(set));
        let at = match self.slots.iter().position(Option::is_none) {
            Some(at) => {
                if let Some(slot) = self.slots.get_mut(at) {
                    *slot = set;
                }
                at
            }
            None => {
                self.slots.push(set);
                self.slots.len() - 1
            }
        };
        self.by_name.insert(name, at);
    }

    /// Kernel: `ip_set_rename`.
    fn rename(&mut self, name: &str, to: &str, uses: &Uses, now: Jiffies) -> Result<(), SetError> {
        self.catch_up(now);
        if self.find(name).is_none() {
            return Err(SetError::NoSet);
        }
        if self.references(name, uses) > 0 {
            return Err(SetError::Referenced);
        }
        if self.find(to).is_some() {
            return Err(SetError::SetName2);
        }
        let to: Arc<str> = Arc::from(to);
        if let Some(set) = self.find_mut(name) {
            set.name = Arc::clone(&to);
        }
        if let Some(at) = self.by_name.remove(name) {
            self.by_name.insert(to, at);
        }
        Ok(())
    }

    /// Gives two sets each other's content. Kernel: `ip_set_swap`, where the names and the
    /// references change places with the sets' indices, so that both stay where they were.
    fn swap(&mut self, name: &str, with: &str) -> Result<(), SetError> {
        let from = *self.by_name.get(name).ok_or(SetError::NoSet)?;
        let to = *self.by_name.get(with).ok_or(SetError::SetName2)?;
        let (Some(a), Some(b)) = (self.kind(name), self.kind(with)) else { return Err(SetError::NoSet) };
        if a.features() != b.features() || a.is_inet() != b.is_inet() {
            return Err(SetError::TypeMismatch);
        }
        self.slots.swap(from, to);
        for (at, name) in [(from, name), (to, with)] {
            if let Some(set) = self.slots.get_mut(at).and_then(Option::as_mut) {
                Arc::make_mut(set).name = Arc::from(name);
            }
        }
        Ok(())
    }

    /// Kernel: `ip_set_ad`.
    fn adt(
        &mut self,
        adt: Adt,
        name: &str,
        entry: &Entry,
        exist: bool,
        now: Jiffies,
    ) -> Result<(), SetError> {
        let set = self.find_mut(name).ok_or(SetError::NoSet)?;
        set.catch_up(now);
        if !matches!(set.data, Data::List(_)) {
            return set.adt(adt, entry, exist, now);
        }
        let exts = set.exts;
        let new = exts.read(entry)?;
        let (member, place) = self.place(entry)?;
        let Some(Set { data: Data::List(list), .. }) = self.find_mut(name) else {
            return Err(SetError::NoSet);
        };
        if exts.timeout.is_some() {
            list.collect(now);
        }
        let done = match adt {
            Adt::Add => list.add(member, place, (&exts, &new), exist, now),
            Adt::Del | Adt::Test => list.del(member, place, &exts, now),
        };
        match done {
            Err(SetError::Exist) if exist => Ok(()),
            done => done,
        }
    }

    /// Whether a packet is in a set, for a rule. Kernel: `ip_set_test`.
    pub fn test(&mut self, name: &str, skb: &Skb, options: &PacketOptions, now: SimTime) -> Tested {
        let len = crate::eval::counted_len(skb);
        let mut skb_info = SkbInfo::default();
        let hit = self.test_in(name, skb, options, len, &mut skb_info, Jiffies::of(now));
        Tested { hit, skb: skb_info }
    }

    fn test_in(
        &mut self,
        name: &str,
        skb: &Skb,
        options: &PacketOptions,
        len: u64,
        info: &mut SkbInfo,
        now: Jiffies,
    ) -> bool {
        let Some(kind) = self.kind(name) else { return false };
        if options.dirs.dim < kind.dimension() {
            return false;
        }
        if kind == SetType::ListSet {
            return self.test_list(name, skb, options, len, info, now);
        }
        let Some(set) = self.find_mut(name) else { return false };
        let mut probe = Probe { options: Some(options), len, skb: *info };
        let found = set.test_packet(skb, options, &mut probe, now);
        *info = probe.skb;
        if options.return_nomatch && kind.has_nomatch() {
            found == Found::Nomatch
        } else {
            found == Found::Yes
        }
    }

    /// Kernel: `list_set_ktest`.
    fn test_list(
        &mut self,
        name: &str,
        skb: &Skb,
        options: &PacketOptions,
        len: u64,
        info: &mut SkbInfo,
        now: Jiffies,
    ) -> bool {
        let below = PacketOptions {
            packets: None,
            bytes: None,
            skip_counters: options.skip_counters || options.skip_subcounters,
            ..*options
        };
        for (at, member) in self.members(name).into_iter().enumerate() {
            if !self.test_in(&member, skb, &below, len, info, now) {
                continue;
            }
            let Some(Set { data: Data::List(list), exts, .. }) = self.find_mut(name) else { return false };
            let Some(member) = list.members.get_mut(at) else { continue };
            let mut probe = Probe { options: Some(options), len, skb: *info };
            let fits = probe.fits(exts, &mut member.ext, now);
            *info = probe.skb;
            if fits {
                return true;
            }
        }
        false
    }

    fn members(&self, name: &str) -> Vec<Arc<str>> {
        match self.find(name) {
            Some(Set { data: Data::List(list), .. }) => {
                list.members.iter().map(|member| Arc::clone(&member.name)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Members of a list that count.
    fn live_members(&self, name: &str, now: Jiffies) -> Vec<Arc<str>> {
        match self.find(name) {
            Some(Set { data: Data::List(list), .. }) => {
                let live = list.members.iter().filter(|member| !member.ext.is_expired(now));
                live.map(|member| Arc::clone(&member.name)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Adds a packet to a set; to the first of a list that takes it. Kernel: `ip_set_add`.
    pub fn add(&mut self, name: &str, skb: &Skb, options: &PacketOptions, now: SimTime) {
        let len = crate::eval::counted_len(skb);
        let now = Jiffies::of(now);
        self.each(name, options, now, &mut |set| set.add_packet(skb, options, len, now));
    }

    /// Removes a packet from a set; from the first of a list that has it. Kernel: `ip_set_del`.
    pub fn del(&mut self, name: &str, skb: &Skb, options: &PacketOptions, now: SimTime) {
        let now = Jiffies::of(now);
        self.each(name, options, now, &mut |set| set.del_packet(skb, options, now));
    }

    /// Kernel: `list_set_kadd`, `list_set_kdel`.
    fn each(
        &mut self,
        name: &str,
        options: &PacketOptions,
        now: Jiffies,
        act: &mut dyn FnMut(&mut Set) -> bool,
    ) {
        let fits = |kind: SetType| options.dirs.dim >= kind.dimension();
        let names = match self.kind(name).filter(|kind| fits(*kind)) {
            None => return,
            Some(SetType::ListSet) => self.live_members(name, now),
            Some(_) => vec![Arc::from(name)],
        };
        for name in names {
            let Some(set) = self.find_mut(&name).filter(|set| fits(set.kind)) else { continue };
            set.catch_up(now);
            if act(set) {
                return;
            }
        }
    }
}
