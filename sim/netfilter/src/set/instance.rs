use std::sync::Arc;

use super::bitmap::Bitmap;
use super::elem::Elem;
use super::ext::{Extensions, Jiffies, NewExt};
use super::list::List;
use super::packet::{Probe, elem};
use super::table::{Found, Hash, NotAdded};
use super::{CreateOptions, Entry, PacketOptions, SetError, SetType};
use packet::Skb;

/// A set. Kernel: `struct ip_set`.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) name: Arc<str>,
    pub(super) kind: SetType,
    pub(super) exts: Extensions,
    pub(super) data: Data,
    /// When what has expired is removed next, and then how often, in seconds.
    collect: Option<(Jiffies, u32)>,
}

/// The elements.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Hash(Hash),
    Bitmap(Bitmap),
    List(List),
}

/// Kernel: `IPSET_GC_TIME`.
const COLLECT_SECONDS: u32 = 180;

impl Set {
    /// Kernel: `ip_set_create`.
    pub(super) fn new(
        name: &str,
        kind: SetType,
        options: &CreateOptions,
        initval: u32,
        now: Jiffies,
    ) -> Result<Self, SetError> {
        let exts = Extensions {
            timeout: options.timeout,
            counters: options.counters,
            comment: options.comment,
            skbinfo: options.skbinfo,
        };
        let data = match kind {
            SetType::BitmapIp | SetType::BitmapPort => Data::Bitmap(Bitmap::new(kind, options)?),
            SetType::ListSet => {
                let size = options.size.unwrap_or(8).max(4);
                Data::List(List { size, members: Vec::new(), elements: 0 })
            }
            _ => Data::Hash(Hash::new(kind, options, &exts, initval)?),
        };
        // Kernel: `IPSET_GC_PERIOD`, `mtype_gc_init`.
        let collect = options.timeout.map(|timeout| {
            let period = if timeout / 3 > 0 { (timeout / 3).min(COLLECT_SECONDS) } else { 1 };
            let first = if matches!(data, Data::Hash(_)) { 1 } else { period };
            (now.plus(first), period)
        });
        Ok(Self { name: Arc::from(name), kind, exts, data, collect })
    }

    /// Removes what had expired when the kernel last looked. Kernel: `mtype_gc`.
    pub(super) fn catch_up(&mut self, now: Jiffies) {
        let Some((next, period)) = self.collect.filter(|(next, _)| *next <= now) else { return };
        let rounds = next.seconds_to(now) / u64::from(period);
        let seconds = u32::try_from(rounds * u64::from(period)).unwrap_or(u32::MAX);
        let last = next.plus(seconds);
        match &mut self.data {
            Data::Hash(hash) => hash.collect_all(last),
            Data::Bitmap(bitmap) => bitmap.collect(last),
            Data::List(list) => list.collect(last),
        }
        self.collect = Some((last.plus(period), period));
    }

    pub(super) fn flush(&mut self) {
        match &mut self.data {
            Data::Hash(hash) => hash.flush(),
            Data::Bitmap(bitmap) => bitmap.flush(),
            Data::List(list) => list.flush(),
        }
    }

    /// Whether a set created anew would be like it. Kernel: `same_set`.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.exts == other.exts
            && match (&self.data, &other.data) {
                (Data::Hash(a), Data::Hash(b)) => (a.maxelem, a.bitmask) == (b.maxelem, b.bitmask),
                (Data::Bitmap(a), Data::Bitmap(b)) => {
                    (a.first, a.last, a.netmask) == (b.first, b.last, b.netmask)
                }
                (Data::List(a), Data::List(b)) => a.size == b.size,
                _ => false,
            }
    }

    /// Bytes in memory.
    pub(super) fn memory(&self) -> u64 {
        let base = self.kind.base_size();
        let dsize = |align| self.exts.element_size(self.kind.elem_len(), align);
        base + match &self.data {
            Data::Hash(hash) => hash.memory(),
            Data::Bitmap(bitmap) => bitmap.memory(dsize(1)),
            Data::List(list) => list.memory(dsize(8)),
        }
    }

    /// The options it has now. Kernel: `mtype_head`.
    pub(super) fn options(&self) -> CreateOptions {
        let Extensions { timeout, counters, comment, skbinfo } = self.exts;
        let exts = CreateOptions { timeout, counters, comment, skbinfo, ..CreateOptions::default() };
        match &self.data {
            Data::Hash(hash) => CreateOptions {
                hashsize: Some(hash.size()),
                maxelem: Some(hash.maxelem),
                netmask: (hash.netmask != 32).then_some(hash.netmask),
                bitmask: (hash.netmask == 32 && hash.bitmask != u32::MAX).then_some(hash.bitmask),
                forceadd: hash.forceadd,
                bucketsize: Some(hash.bucketsize),
                initval: Some(hash.initval),
                ..exts
            },
            Data::Bitmap(map) if self.kind == SetType::BitmapPort => {
                let port = |number: u32| u16::try_from(number).ok();
                CreateOptions { port: port(map.first), port_to: port(map.last), ..exts }
            }
            Data::Bitmap(map) => CreateOptions {
                ip: Some(map.first),
                ip_to: Some(map.last),
                netmask: (map.netmask != 32).then_some(map.netmask),
                ..exts
            },
            Data::List(list) => CreateOptions { size: Some(list.size), ..exts },
        }
    }

    /// Elements that the header counts.
    pub(super) fn count(&self, now: Jiffies) -> u32 {
        match &self.data {
            Data::Hash(hash) => u32::try_from(hash.elements(now).count()).unwrap_or(u32::MAX),
            Data::Bitmap(bitmap) => bitmap.elements,
            Data::List(list) => list.elements,
        }
    }

    /// The elements, in order. Kernel: `mtype_list`.
    pub(super) fn entries(&self, now: Jiffies) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut put = |mut entry: Entry, ext| {
            self.exts.put(&mut entry, ext, now);
            entries.push(entry);
        };
        match &self.data {
            Data::Hash(hash) => {
                for (elem, nomatch, ext) in hash.elements(now) {
                    put(Entry { nomatch, ..self.entry(elem) }, ext);
                }
            }
            Data::Bitmap(bitmap) => {
                for (number, ext) in bitmap.elements(now) {
                    put(self.entry(&Elem { ip: number, ..Elem::default() }), ext);
                }
            }
            Data::List(list) => {
                for member in list.members.iter().filter(|member| !member.ext.is_expired(now)) {
                    put(Entry { name: Some((*member.name).to_owned()), ..Entry::default() }, &member.ext);
                }
            }
        }
        entries
    }

    fn entry(&self, elem: &Elem) -> Entry {
        let Elem { ip, ip2, port, proto, cidr } = *elem;
        if self.kind == SetType::BitmapPort {
            return Entry { port: u16::try_from(ip).ok(), ..Entry::default() };
        }
        let dim = self.kind.dimension();
        Entry {
            ip: Some(ip),
            cidr: matches!(self.kind, SetType::HashNet | SetType::HashNetPort).then_some(cidr),
            port: (dim > 1).then_some(port),
            proto: (dim > 1).then_some(proto),
            ip2: (dim > 2).then_some(ip2),
            cidr2: (self.kind == SetType::HashIpPortNet).then_some(cidr),
            ..Entry::default()
        }
    }

    /// Whether a packet is in a set that is no list. Kernel: `mtype_kadt` with `IPSET_TEST`.
    pub(super) fn test_packet(
        &mut self,
        skb: &Skb,
        options: &PacketOptions,
        probe: &mut Probe<'_>,
        now: Jiffies,
    ) -> Found {
        match &mut self.data {
            Data::Hash(hash) => match elem(skb, self.kind, options.dirs, hash.bitmask, 32) {
                Some(elem) => hash.test(elem, &self.exts, probe, now),
                None => Found::No,
            },
            Data::Bitmap(bitmap) => {
                let id = elem(skb, self.kind, options.dirs, u32::MAX, 32).and_then(|elem| bitmap.id(elem.ip));
                match id {
                    Some(id) if bitmap.test(id, &self.exts, probe, now) => Found::Yes,
                    _ => Found::No,
                }
            }
            Data::List(_) => Found::No,
        }
    }

    /// Adds a packet to a set that is no list; answers whether it is new.
    /// Kernel: `mtype_kadt` with `IPSET_ADD`; the table doesn't grow for a packet.
    pub(super) fn add_packet(&mut self, skb: &Skb, options: &PacketOptions, len: u64, now: Jiffies) -> bool {
        let new = NewExt {
            timeout: options.timeout.or(self.exts.timeout).unwrap_or(0),
            packets: Some(1),
            bytes: Some(len),
            ..NewExt::default()
        };
        let with = (&self.exts, &new);
        match &mut self.data {
            Data::Hash(hash) => {
                let cidr = hash.longest_prefix().unwrap_or(32);
                let Some(elem) = elem(skb, self.kind, options.dirs, hash.bitmask, cidr) else { return false };
                match hash.add(elem, false, with, options.exist, now) {
                    Ok(()) => true,
                    Err(NotAdded::Resize | NotAdded::Because(_)) => false,
                }
            }
            Data::Bitmap(bitmap) => {
                let id = elem(skb, self.kind, options.dirs, u32::MAX, 32).and_then(|elem| bitmap.id(elem.ip));
                id.is_some_and(|id| bitmap.add(id, with, options.exist, now).is_ok())
            }
            Data::List(_) => false,
        }
    }

    /// Removes a packet from a set that is no list; answers whether it was there.
    /// Kernel: `mtype_kadt` with `IPSET_DEL`.
    pub(super) fn del_packet(&mut self, skb: &Skb, options: &PacketOptions, now: Jiffies) -> bool {
        match &mut self.data {
            Data::Hash(hash) => {
                let cidr = hash.longest_prefix().unwrap_or(32);
                let elem = elem(skb, self.kind, options.dirs, hash.bitmask, cidr);
                elem.is_some_and(|elem| hash.del(&elem, now).is_ok())
            }
            Data::Bitmap(bitmap) => {
                let id = elem(skb, self.kind, options.dirs, u32::MAX, 32).and_then(|elem| bitmap.id(elem.ip));
                id.is_some_and(|id| bitmap.del(id, now).is_ok())
            }
            Data::List(_) => false,
        }
    }
}
