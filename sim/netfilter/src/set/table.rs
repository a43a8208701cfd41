use std::collections::BTreeMap;

use super::elem::Elem;
use super::ext::{Ext, Extensions, Jiffies, NewExt};
use super::packet::Probe;
use super::{CreateOptions, SetError, SetType};

/// The elements of a hash type. Kernel: `ip_set_hash_gen.h`.
#[derive(Clone, Debug)]
pub(super) struct Hash {
    pub(super) kind: SetType,
    /// The table has 2^bits buckets.
    bits: u8,
    pub(super) maxelem: u32,
    pub(super) initval: u32,
    pub(super) bucketsize: u8,
    /// Stored part of an address as a prefix; 32 without `netmask`.
    pub(super) netmask: u8,
    /// Stored bits of an address.
    pub(super) bitmask: u32,
    pub(super) forceadd: bool,
    /// Bytes of an element.
    dsize: u64,
    buckets: BTreeMap<u32, Bucket>,
    regions: Vec<Region>,
    /// Number of elements with each prefix length.
    nets: [u32; 33],
}

/// Kernel: `struct hbucket`.
#[derive(Clone, Debug)]
struct Bucket {
    size: u8,
    slots: Vec<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    used: bool,
    elem: Elem,
    nomatch: bool,
    ext: Ext,
}

/// Kernel: `struct ip_set_region`.
#[derive(Clone, Copy, Debug, Default)]
struct Region {
    elements: u32,
    /// Bytes, as the kernel keeps count.
    ext_size: u64,
}

/// Kernel: `HTABLE_REGION_BITS`.
const REGION_BITS: u8 = 10;
/// Kernel: `AHASH_INIT_SIZE`.
const INIT_SIZE: u8 = 2;
/// Kernel: `AHASH_MAX_SIZE`.
const MAX_SIZE: u8 = 12;
/// Bytes of a bucket without elements.
const BUCKET: u64 = 32;
/// A table of more than 2^27 buckets isn't made. Kernel: `htable_size`.
const MAX_BITS: u8 = 27;

/// Why an element wasn't added.
pub(super) enum NotAdded {
    /// The bucket is full: the table must grow first.
    Resize,
    /// It can't be.
    Because(SetError),
}

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    No,
    Yes,
    /// An exception.
    Nomatch,
}

fn regions_of(bits: u8) -> usize {
    1 << bits.saturating_sub(REGION_BITS)
}

impl Hash {
    /// Kernel: `mtype_create`.
    pub(super) fn new(
        kind: SetType,
        options: &CreateOptions,
        exts: &Extensions,
        initval: u32,
    ) -> Result<Self, SetError> {
        let netmask = options.netmask.unwrap_or(32);
        if options.netmask.is_some_and(|mask| !(1..=32).contains(&mask)) {
            return Err(SetError::InvalidNetmask);
        }
        let mut bitmask = super::elem::mask(netmask);
        if let Some(given) = options.bitmask {
            if options.netmask.is_some() {
                return Err(SetError::BitmaskNetmask);
            }
            if given == 0 {
                return Err(SetError::InvalidNetmask);
            }
            bitmask = given;
        }
        let hashsize = options.hashsize.unwrap_or(1024).max(64);
        let bits = (32 - (hashsize - 1).leading_zeros()) as u8;
        if bits > MAX_BITS {
            return Err(SetError::NoMemory);
        }
        let bucketsize = options.bucketsize.unwrap_or(MAX_SIZE).clamp(INIT_SIZE, MAX_SIZE);
        Ok(Self {
            kind,
            bits,
            maxelem: options.maxelem.unwrap_or(65536),
            initval: options.initval.unwrap_or(initval),
            bucketsize: bucketsize + bucketsize % 2,
            netmask,
            bitmask,
            forceadd: options.forceadd,
            dsize: exts.element_size(kind.elem_len(), 4),
            buckets: BTreeMap::new(),
            regions: vec![Region::default(); regions_of(bits)],
            nets: [0; 33],
        })
    }

    /// Number of buckets.
    pub(super) const fn size(&self) -> u32 {
        1 << self.bits
    }

    fn key(&self, elem: &Elem) -> u32 {
        elem.hash(self.kind, self.initval) & (self.size() - 1)
    }

    fn region(&mut self, key: u32) -> Option<&mut Region> {
        let at = key as usize % self.regions.len();
        self.regions.get_mut(at)
    }

    fn grown(&self) -> u64 {
        BUCKET + u64::from(INIT_SIZE) * self.dsize
    }

    fn count_net(&mut self, elem: &Elem, more: bool) {
        if !self.kind.has_nets() {
            return;
        }
        if let Some(count) = self.nets.get_mut(usize::from(elem.cidr)) {
            *count = if more { count.saturating_add(1) } else { count.saturating_sub(1) };
        }
    }

    /// The longest prefix in the set. Kernel: `h->nets[0].cidr`.
    pub(super) fn longest_prefix(&self) -> Option<u8> {
        (1..=32).rev().find(|cidr| self.nets.get(usize::from(*cidr)).is_some_and(|count| *count > 0))
    }

    /// Kernel: `mtype_flush`.
    pub(super) fn flush(&mut self) {
        self.buckets.clear();
        self.regions.fill(Region::default());
        self.nets = [0; 33];
    }

    /// Kernel: `mtype_add`.
    pub(super) fn add(
        &mut self,
        elem: Elem,
        nomatch: bool,
        (exts, new): (&Extensions, &NewExt),
        exist: bool,
        now: Jiffies,
    ) -> Result<(), NotAdded> {
        let full = || NotAdded::Because(SetError::HashFull);
        let key = self.key(&elem);
        let locks = self.regions.len();
        let mut maxelem = self.maxelem / u32::try_from(locks).unwrap_or(u32::MAX);
        let mut elements = self.region(key).map_or(0, |region| region.elements);
        let mut forceadd = false;
        if elements >= maxelem {
            if exts.timeout.is_some() {
                self.collect(key as usize % locks, now);
            }
            maxelem = self.maxelem;
            elements = self.regions.iter().map(|region| region.elements).sum();
            forceadd = elements >= maxelem && self.forceadd;
        }
        let grown = self.grown();
        let (bucketsize, room) = (self.bucketsize, elements < maxelem);
        let Some(bucket) = self.buckets.get_mut(&key) else {
            if forceadd || !room {
                return Err(full());
            }
            let mut slot = Slot { used: true, elem, nomatch, ext: Ext::default() };
            exts.init(&mut slot.ext, new, now);
            self.buckets.insert(key, Bucket { size: INIT_SIZE, slots: vec![slot] });
            self.added(key, &elem, grown);
            return Ok(());
        };
        let mut reuse = None;
        for (at, slot) in bucket.slots.iter_mut().enumerate() {
            if !slot.used {
                reuse.get_or_insert(at);
                continue;
            }
            let expired = slot.ext.is_expired(now);
            if slot.elem == elem {
                if !exist && !expired {
                    return Err(NotAdded::Because(SetError::Exist));
                }
                slot.nomatch = nomatch;
                exts.init(&mut slot.ext, new, now);
                return Ok(());
            }
            if expired {
                reuse.get_or_insert(at);
            }
        }
        if forceadd {
            reuse.get_or_insert(0);
        }
        if let Some(slot) = reuse.and_then(|at| bucket.slots.get_mut(at)) {
            let replaced = slot.used.then_some(slot.elem);
            (slot.used, slot.elem, slot.nomatch) = (true, elem, nomatch);
            exts.init(&mut slot.ext, new, now);
            if let Some(replaced) = replaced {
                self.count_net(&replaced, false);
                if let Some(region) = self.region(key) {
                    region.elements = region.elements.saturating_sub(1);
                }
            }
            self.added(key, &elem, 0);
            return Ok(());
        }
        if !room {
            return Err(full());
        }
        let mut more = 0;
        if bucket.slots.len() >= usize::from(bucket.size) {
            if bucket.size >= bucketsize {
                return Err(NotAdded::Resize);
            }
            bucket.size += INIT_SIZE;
            more = grown;
        }
        let mut slot = Slot { used: true, elem, nomatch, ext: Ext::default() };
        exts.init(&mut slot.ext, new, now);
        bucket.slots.push(slot);
        self.added(key, &elem, more);
        Ok(())
    }

    fn added(&mut self, key: u32, elem: &Elem, more: u64) {
        self.count_net(elem, true);
        if let Some(region) = self.region(key) {
            region.elements = region.elements.saturating_add(1);
            region.ext_size = region.ext_size.wrapping_add(more);
        }
    }

    /// Doubles the table until every bucket has room. Kernel: `mtype_resize`.
    pub(super) fn resize(&mut self, now: Jiffies) -> Result<(), SetError> {
        let mut bits = self.bits;
        'retry: loop {
            bits += 1;
            if bits > MAX_BITS {
                return Err(SetError::HashFull);
            }
            let mut buckets: BTreeMap<u32, Bucket> = BTreeMap::new();
            let mut regions = vec![Region::default(); regions_of(bits)];
            let locks = regions.len();
            for slot in self.buckets.values().flat_map(|bucket| &bucket.slots) {
                if !slot.used || slot.ext.is_expired(now) {
                    continue;
                }
                let key = slot.elem.hash(self.kind, self.initval) & ((1 << bits) - 1);
                let bucket = buckets.entry(key).or_insert(Bucket { size: 0, slots: Vec::new() });
                let Some(region) = regions.get_mut(key as usize % locks) else { continue };
                if bucket.slots.len() >= usize::from(bucket.size) {
                    if bucket.size >= self.bucketsize {
                        continue 'retry;
                    }
                    bucket.size += INIT_SIZE;
                    region.ext_size += BUCKET + u64::from(INIT_SIZE) * self.dsize;
                }
                bucket.slots.push(slot.clone());
                region.elements += 1;
            }
            (self.bits, self.buckets, self.regions) = (bits, buckets, regions);
            return Ok(());
        }
    }

    /// Kernel: `mtype_del`.
    pub(super) fn del(&mut self, elem: &Elem, now: Jiffies) -> Result<(), SetError> {
        let key = self.key(elem);
        let dsize = self.dsize;
        let bucket = self.buckets.get_mut(&key).ok_or(SetError::Exist)?;
        let found = bucket.slots.iter().position(|slot| slot.used && slot.elem == *elem);
        let at = found.ok_or(SetError::Exist)?;
        let last = at + 1 == bucket.slots.len();
        let slot =
            bucket.slots.get_mut(at).filter(|slot| !slot.ext.is_expired(now)).ok_or(SetError::Exist)?;
        slot.used = false;
        slot.ext.comment = None;
        if last {
            bucket.slots.pop();
        }
        let unused = bucket.slots.iter().filter(|slot| !slot.used).count();
        let mut less = 0;
        if bucket.slots.is_empty() && unused == 0 {
            less = BUCKET + u64::from(bucket.size) * dsize;
            self.buckets.remove(&key);
        } else if unused >= usize::from(INIT_SIZE) {
            less = BUCKET + u64::from(INIT_SIZE) * dsize;
            bucket.size -= INIT_SIZE;
            bucket.slots.retain(|slot| slot.used);
        }
        self.count_net(elem, false);
        if let Some(region) = self.region(key) {
            region.elements = region.elements.saturating_sub(1);
            region.ext_size = region.ext_size.wrapping_sub(less);
        }
        Ok(())
    }

    /// Removes what has expired from one region. Kernel: `mtype_gc_do`.
    fn collect(&mut self, region: usize, now: Jiffies) {
        let dsize = self.dsize;
        let start = u32::try_from(region).unwrap_or(u32::MAX).saturating_mul(1 << REGION_BITS);
        let end = if self.bits < REGION_BITS { self.size() } else { start.saturating_add(1 << REGION_BITS) };
        let (mut gone, mut emptied, mut less) = (Vec::new(), Vec::new(), 0_u64);
        for (key, bucket) in self.buckets.range_mut(start..end) {
            for slot in bucket.slots.iter_mut().filter(|slot| slot.used && slot.ext.is_expired(now)) {
                slot.used = false;
                slot.ext.comment = None;
                gone.push(slot.elem);
            }
            let unused = bucket.slots.iter().filter(|slot| !slot.used).count();
            if unused < usize::from(INIT_SIZE) {
                continue;
            }
            if unused >= usize::from(bucket.size) {
                less = less.wrapping_add(BUCKET + u64::from(bucket.size) * dsize);
                emptied.push(*key);
            } else {
                less = less.wrapping_add(BUCKET + u64::from(INIT_SIZE) * dsize);
                bucket.size -= INIT_SIZE;
                bucket.slots.retain(|slot| slot.used);
            }
        }
        for key in emptied {
            self.buckets.remove(&key);
        }
        if let Some(region) = self.regions.get_mut(region) {
            region.elements = region.elements.saturating_sub(u32::try_from(gone.len()).unwrap_or(u32::MAX));
            region.ext_size = region.ext_size.wrapping_sub(less);
        }
        for elem in gone {
            self.count_net(&elem, false);
        }
    }

    /// Removes what has expired. Kernel: `mtype_gc`.
    pub(super) fn collect_all(&mut self, now: Jiffies) {
        for region in 0..self.regions.len() {
            self.collect(region, now);
        }
    }

    /// Kernel: `mtype_test`, `mtype_test_cidrs`.
    pub(super) fn test(
        &mut self,
        elem: Elem,
        exts: &Extensions,
        probe: &mut Probe<'_>,
        now: Jiffies,
    ) -> Found {
        if !self.kind.has_nets() || elem.cidr != 32 {
            return self.lookup(&elem, exts, probe, now);
        }
        for cidr in (1..=32).rev() {
            if self.nets.get(usize::from(cidr)).is_none_or(|count| *count == 0) {
                continue;
            }
            match self.lookup(&elem.netmask(self.kind, cidr), exts, probe, now) {
                Found::No => {}
                found => return found,
            }
        }
        Found::No
    }

    fn lookup(&mut self, elem: &Elem, exts: &Extensions, probe: &mut Probe<'_>, now: Jiffies) -> Found {
        let key = self.key(elem);
        let Some(bucket) = self.buckets.get_mut(&key) else { return Found::No };
        for slot in bucket.slots.iter_mut().filter(|slot| slot.used && slot.elem == *elem) {
            if probe.fits(exts, &mut slot.ext, now) {
                return if slot.nomatch { Found::Nomatch } else { Found::Yes };
            }
        }
        Found::No
    }

    /// Elements that count, in the order of the table, with their extensions.
    pub(super) fn elements(&self, now: Jiffies) -> impl Iterator<Item = (&Elem, bool, &Ext)> {
        self.buckets
            .values()
            .flat_map(|bucket| &bucket.slots)
            .filter(move |slot| slot.used && !slot.ext.is_expired(now))
            .map(|slot| (&slot.elem, slot.nomatch, &slot.ext))
    }

    /// Bytes. Kernel: `mtype_ahash_memsize`, `mtype_ext_size`.
    pub(super) fn memory(&self) -> u64 {
        let regions: u64 = self.regions.iter().fold(0, |sum, region| sum.wrapping_add(24 + region.ext_size));
        let slots = self.buckets.values().flat_map(|bucket| &bucket.slots);
        regions + slots.map(|slot| slot.ext.comment_size()).sum::<u64>()
    }
}
