use std::collections::BTreeMap;

use super::ext::{Ext, Extensions, Jiffies, NewExt};
use super::packet::Probe;
use super::{CreateOptions, SetError, SetType};

/// The elements of a bitmap type: numbers from 0. Kernel: `ip_set_bitmap_gen.h`.
#[derive(Clone, Debug)]
pub(super) struct Bitmap {
    pub(super) first: u32,
    pub(super) last: u32,
    /// Addresses that one element stands for.
    pub(super) hosts: u32,
    pub(super) netmask: u8,
    /// Number of elements that fit.
    capacity: u32,
    /// What was ever added; counters outlive their element.
    slots: BTreeMap<u32, (bool, Ext)>,
    pub(super) elements: u32,
}

/// Kernel: `IPSET_BITMAP_MAX_RANGE`, plus one.
const MAX_ELEMENTS: u64 = 65536;

impl Bitmap {
    /// Kernel: `bitmap_port_create`, `bitmap_ip_create`.
    pub(super) fn new(kind: SetType, options: &CreateOptions) -> Result<Self, SetError> {
        let (first, last, hosts, netmask, capacity) = if kind == SetType::BitmapPort {
            let (Some(from), Some(to)) = (options.port, options.port_to) else {
                return Err(SetError::Protocol);
            };
            let (first, last) = (u32::from(from.min(to)), u32::from(from.max(to)));
            (first, last, 1, 32, u64::from(last - first) + 1)
        } else {
            ip_range(options)?
        };
        let capacity = u32::try_from(capacity).map_err(|_| SetError::BitmapRangeSize)?;
        Ok(Self { first, last, hosts, netmask, capacity, slots: BTreeMap::new(), elements: 0 })
    }

    /// The element that stands for an address or port.
    pub(super) fn id(&self, number: u32) -> Option<u32> {
        let in_range = (self.first..=self.last).contains(&number);
        let masked = if self.netmask == 32 { number } else { number & super::elem::mask(self.netmask) };
        in_range.then(|| masked.wrapping_sub(self.first) / self.hosts.max(1))
    }

    /// Kernel: `mtype_flush`.
    pub(super) fn flush(&mut self) {
        for (used, ext) in self.slots.values_mut() {
            *used = false;
            ext.comment = None;
        }
        self.elements = 0;
    }

    /// Kernel: `mtype_add`.
    pub(super) fn add(
        &mut self,
        id: u32,
        (exts, new): (&Extensions, &NewExt),
        exist: bool,
        now: Jiffies,
    ) -> Result<(), SetError> {
        let (used, ext) = self.slots.entry(id).or_default();
        if *used && !ext.is_expired(now) && !exist {
            return Err(SetError::Exist);
        }
        if !*used {
            self.elements += 1;
        }
        *used = true;
        exts.init(ext, new, now);
        Ok(())
    }

    /// Kernel: `mtype_del`.
    pub(super) fn del(&mut self, id: u32, now: Jiffies) -> Result<(), SetError> {
        let (used, ext) = self.slots.get_mut(&id).filter(|(used, _)| *used).ok_or(SetError::Exist)?;
        *used = false;
        ext.comment = None;
        self.elements = self.elements.saturating_sub(1);
        if ext.is_expired(now) { Err(SetError::Exist) } else { Ok(()) }
    }

    /// Kernel: `mtype_test`.
    pub(super) fn test(&mut self, id: u32, exts: &Extensions, probe: &mut Probe<'_>, now: Jiffies) -> bool {
        match self.slots.get_mut(&id) {
            Some((true, ext)) => probe.fits(exts, ext, now),
            Some((false, _)) | None => false,
        }
    }

    /// Kernel: `mtype_gc`.
    pub(super) fn collect(&mut self, now: Jiffies) {
        for (used, ext) in self.slots.values_mut().filter(|(used, ext)| *used && ext.is_expired(now)) {
            *used = false;
            ext.comment = None;
            self.elements = self.elements.saturating_sub(1);
        }
    }

    /// Addresses or ports that count, in order.
    pub(super) fn elements(&self, now: Jiffies) -> impl Iterator<Item = (u32, &Ext)> {
        self.slots
            .iter()
            .filter(move |(_, (used, ext))| *used && !ext.is_expired(now))
            .map(|(id, (_, ext))| (self.first.wrapping_add(id.wrapping_mul(self.hosts)), ext))
    }

    /// Bytes. Kernel: `mtype_memsize`.
    pub(super) fn memory(&self, dsize: u64) -> u64 {
        let comments: u64 = self.slots.values().map(|(_, ext)| ext.comment_size()).sum();
        u64::from(self.capacity.div_ceil(64)) * 8 + u64::from(self.capacity) * dsize + comments
    }
}

/// First and last address, addresses for each element, netmask, number of elements.
fn ip_range(options: &CreateOptions) -> Result<(u32, u32, u32, u8, u64), SetError> {
    let first = options.ip.ok_or(SetError::Protocol)?;
    let (mut first, mut last) = match (options.ip_to, options.cidr) {
        (Some(last), _) => (first.min(last), first.max(last)),
        (None, Some(32..)) => return Err(SetError::InvalidCidr),
        (None, Some(cidr)) => super::elem::prefix(first, cidr),
        (None, None) => return Err(SetError::Protocol),
    };
    let netmask = options.netmask.unwrap_or(32);
    if netmask > 32 {
        return Err(SetError::InvalidNetmask);
    }
    first &= super::elem::mask(netmask);
    last |= !super::elem::mask(netmask);
    let (hosts, elements) = if netmask == 32 {
        (1, u64::from(last - first) + 1)
    } else {
        // Kernel: `range_to_mask`.
        let (mut mask, mut bits) = (0xffff_fffe_u32, 32_u8);
        loop {
            bits -= 1;
            if bits == 0 || mask == 0 || last & mask == first {
                break;
            }
            mask <<= 1;
        }
        if mask == 0 && (first != 0 || last != u32::MAX) || netmask <= bits {
            return Err(SetError::BitmapRange);
        }
        (1_u32 << (32 - netmask), 1_u64 << (netmask - bits))
    };
    if elements > MAX_ELEMENTS {
        return Err(SetError::BitmapRangeSize);
    }
    Ok((first, last, hosts, netmask, elements))
}
