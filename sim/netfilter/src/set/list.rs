use std::sync::Arc;

use super::SetError;
use super::ext::{Ext, Extensions, Jiffies, NewExt};

/// The members of a `list:set`. Kernel: `ip_set_list_set.c`.
#[derive(Clone, Debug)]
pub(super) struct List {
    /// `size`, which limits nothing.
    pub(super) size: u32,
    pub(super) members: Vec<Member>,
    /// Kernel: `set->elements`.
    pub(super) elements: u32,
}

/// A member. Sets are named: a set that is a member can't be renamed.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: Arc<str>,
    pub(super) ext: Ext,
}

/// Where a member is to stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    Anywhere,
    Before(&'a str),
    After(&'a str),
}

impl List {
    fn live(&self, exts: &Extensions, now: Jiffies) -> impl Iterator<Item = (usize, &Member)> {
        let timeout = exts.timeout.is_some();
        self.members.iter().enumerate().filter(move |(_, member)| !timeout || !member.ext.is_expired(now))
    }

    fn find(&self, name: &str, exts: &Extensions, now: Jiffies) -> Option<usize> {
        self.live(exts, now).find(|(_, member)| *member.name == *name).map(|(at, _)| at)
    }

    /// Kernel: `list_set_utest`.
    pub(super) fn test(&self, name: &str, place: Place<'_>, exts: &Extensions, now: Jiffies) -> bool {
        let Some(at) = self.find(name, exts, now) else { return false };
        self.stands(at, place, exts, now)
    }

    fn stands(&self, at: usize, place: Place<'_>, exts: &Extensions, now: Jiffies) -> bool {
        match place {
            Place::Anywhere => true,
            Place::Before(other) => self.members.get(at + 1).is_some_and(|next| *next.name == *other),
            Place::After(other) => {
                let before = self.live(exts, now).take_while(|(live, _)| *live < at).last();
                before.is_some_and(|(_, prev)| *prev.name == *other)
            }
        }
    }

    /// Kernel: `list_set_uadd`.
    pub(super) fn add(
        &mut self,
        name: &str,
        place: Place<'_>,
        (exts, new): (&Extensions, &NewExt),
        exist: bool,
        now: Jiffies,
    ) -> Result<(), SetError> {
        let reference = match place {
            Place::Anywhere => None,
            // A set doesn't stand beside itself.
            Place::Before(other) | Place::After(other) if other == name => {
                return Err(SetError::ListRefExist);
            }
            Place::Before(other) | Place::After(other) => {
                Some(self.find(other, exts, now).ok_or(SetError::ListRefExist)?)
            }
        };
        if let Some(member) = self.find(name, exts, now).and_then(|at| self.members.get_mut(at)) {
            if !exist {
                return Err(SetError::Exist);
            }
            member.ext.comment = None;
            exts.init(&mut member.ext, new, now);
            return Ok(());
        }
        let mut member = Member { name: Arc::from(name), ext: Ext::default() };
        exts.init(&mut member.ext, new, now);
        let at = match (place, reference) {
            (Place::Before(_), Some(at)) => at,
            (Place::After(_), Some(at)) => at + 1,
            _ => self.members.len(),
        };
        self.members.insert(at, member);
        self.elements += 1;
        Ok(())
    }

    /// Kernel: `list_set_udel`.
    pub(super) fn del(
        &mut self,
        name: &str,
        place: Place<'_>,
        exts: &Extensions,
        now: Jiffies,
    ) -> Result<(), SetError> {
        let Some(at) = self.find(name, exts, now) else {
            return Err(match place {
                Place::Anywhere => SetError::Exist,
                Place::Before(_) | Place::After(_) => SetError::ListRefExist,
            });
        };
        if !self.stands(at, place, exts, now) {
            return Err(SetError::ListRefExist);
        }
        self.members.remove(at);
        self.elements = self.elements.saturating_sub(1);
        Ok(())
    }

    /// Kernel: `set_cleanup_entries`.
    pub(super) fn collect(&mut self, now: Jiffies) {
        self.members.retain(|member| !member.ext.is_expired(now));
        self.elements = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
    }

    /// Kernel: `list_set_flush`.
    pub(super) fn flush(&mut self) {
        self.members.clear();
        self.elements = 0;
    }

    /// Bytes. Kernel: `list_set_memsize`.
    pub(super) fn memory(&self, dsize: u64) -> u64 {
        self.members.iter().map(|member| dsize + member.ext.comment_size()).sum()
    }
}
