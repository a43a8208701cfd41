use std::sync::Arc;

use packet::SimTime;

use super::{Entry, SetError};

/// Milliseconds of virtual time. Kernel: `jiffies`, with 1000 of them a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Jiffies(u64);

impl Jiffies {
    pub(super) const fn of(time: SimTime) -> Self {
        Self(time.as_nanos() / 1_000_000)
    }

    pub(super) const fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds as u64 * 1000))
    }

    /// Whole seconds until `later`.
    pub(super) const fn seconds_to(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0) / 1000
    }
}

/// What `-j SET --map-set` gives to a packet. Kernel: `struct ip_set_skbinfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkbInfo {
    /// Mark.
    pub mark: u32,
    /// Bits of the packet's mark that are replaced.
    pub mask: u32,
    /// Priority, as `tc` class `MAJOR:MINOR`.
    pub prio: u32,
    /// Queue of the device.
    pub queue: u16,
}

/// What an element carries. Kernel: `ip_set_extensions`.
#[derive(Clone, Debug, Default)]
pub(super) struct Ext {
    /// Last moment at which it counts; `None` is forever.
    pub(super) expires: Option<Jiffies>,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) comment: Option<Arc<str>>,
    pub(super) skb: SkbInfo,
}

impl Ext {
    /// Kernel: `ip_set_timeout_expired`.
    pub(super) fn is_expired(&self, now: Jiffies) -> bool {
        self.expires.is_some_and(|expires| now > expires)
    }

    /// Bytes that the comment takes. Kernel: `ip_set_init_comment`.
    pub(super) fn comment_size(&self) -> u64 {
        self.comment.as_ref().map_or(0, |comment| 16 + comment.len() as u64 + 1)
    }
}

/// What comes with an element that is added. Kernel: `struct ip_set_ext`.
#[derive(Clone, Debug, Default)]
pub(super) struct NewExt {
    /// Seconds; 0 is forever.
    pub(super) timeout: u32,
    pub(super) packets: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) comment: Option<Arc<str>>,
    pub(super) skb: SkbInfo,
}

/// Which extensions a set was created with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    /// Default timeout in seconds.
    pub(super) timeout: Option<u32>,
    pub(super) counters: bool,
    pub(super) comment: bool,
    pub(super) skbinfo: bool,
}

impl Extensions {
    /// Bytes of an element with its extensions. Kernel: `ip_set_elem_len`.
    pub(super) fn element_size(&self, len: usize, align: usize) -> u64 {
        let given = [
            (self.counters, 16, 8),
            (self.timeout.is_some(), 8, 8),
            (self.skbinfo, 16, 4),
            (self.comment, 8, 8),
        ];
        let (mut len, mut align) = (len, align.max(1));
        for (_, size, own) in given.into_iter().filter(|(given, ..)| *given) {
            align = align.max(own);
            len = len.next_multiple_of(own) + size;
        }
        len.next_multiple_of(align) as u64
    }

    /// What a user gives with an element. Kernel: `ip_set_get_extensions`.
    pub(super) fn read(&self, entry: &Entry) -> Result<NewExt, SetError> {
        let need = |given: bool, has: bool, error| if given && !has { Err(error) } else { Ok(()) };
        need(entry.timeout.is_some(), self.timeout.is_some(), SetError::Timeout)?;
        need(entry.packets.is_some() || entry.bytes.is_some(), self.counters, SetError::Counter)?;
        need(entry.comment.is_some(), self.comment, SetError::Comment)?;
        let skb = entry.skbmark.is_some() || entry.skbprio.is_some() || entry.skbqueue.is_some();
        need(skb, self.skbinfo, SetError::SkbInfo)?;
        let (mark, mask) = entry.skbmark.unwrap_or_default();
        Ok(NewExt {
            timeout: entry.timeout.or(self.timeout).unwrap_or(0),
            packets: entry.packets,
            bytes: entry.bytes,
            comment: entry.comment.as_deref().filter(|comment| !comment.is_empty()).map(Arc::from),
            skb: SkbInfo { mark, mask, prio: entry.skbprio.unwrap_or(0), queue: entry.skbqueue.unwrap_or(0) },
        })
    }

    /// Gives an element its extensions; counters that aren't given stay.
    /// Kernel: `ip_set_init_counter`, `ip_set_init_comment`, `ip_set_timeout_set`.
    pub(super) fn init(&self, ext: &mut Ext, new: &NewExt, now: Jiffies) {
        if self.counters {
            ext.bytes = new.bytes.unwrap_or(ext.bytes);
            ext.packets = new.packets.unwrap_or(ext.packets);
        }
        if self.comment {
            ext.comment = new.comment.clone();
        }
        if self.skbinfo {
            ext.skb = new.skb;
        }
        if self.timeout.is_some() {
            ext.expires = (new.timeout > 0).then(|| now.plus(new.timeout));
        }
    }

    /// Writes the extensions of a listed element. Kernel: `ip_set_put_extensions`.
    pub(super) fn put(&self, entry: &mut Entry, ext: &Ext, now: Jiffies) {
        if self.timeout.is_some() {
            let left = ext.expires.map_or(0, |expires| now.seconds_to(expires).max(1));
            entry.timeout = Some(u32::try_from(left).unwrap_or(u32::MAX));
        }
        if self.counters {
            (entry.packets, entry.bytes) = (Some(ext.packets), Some(ext.bytes));
        }
        if self.comment {
            entry.comment = ext.comment.as_deref().map(str::to_owned);
        }
        if self.skbinfo {
            let SkbInfo { mark, mask, prio, queue } = ext.skb;
            entry.skbmark = (mark != 0 || mask != 0).then_some((mark, mask));
            entry.skbprio = (prio != 0).then_some(prio);
            entry.skbqueue = (queue != 0).then_some(queue);
        }
    }
}
