use super::bitmap::Bitmap;
use super::elem::{Elem, mask, prefix, range_to_cidr};
use super::ext::{Extensions, Jiffies, NewExt};
use super::instance::{Data, Set};
use super::packet::Probe;
use super::table::{Found, Hash, NotAdded};
use super::{Entry, SetError, SetType};

/// What a user does with elements. Kernel: `enum ipset_adt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adt {
    Add,
    Del,
    Test,
}

/// Elements that one command may name. Simplified: Linux goes on until the set is full or the
/// range ends, however long that takes; here it runs out of memory.
const MAX_RANGE: u32 = 1 << 24;

const TCP: u8 = 6;
const ICMP: u8 = 1;

impl Set {
    /// Adds, deletes or tests a user's entry; for a set that is no list.
    /// Kernel: `variant->uadt`, `call_ad`.
    pub(super) fn adt(&mut self, adt: Adt, entry: &Entry, exist: bool, now: Jiffies) -> Result<(), SetError> {
        let Self { kind, exts, data, .. } = self;
        match data {
            Data::Hash(hash) => {
                let mut job =
                    Job { adt, entry, exist, now, exts, new: NewExt::default(), left: MAX_RANGE, hash };
                match kind {
                    SetType::HashIp => job.ip(),
                    SetType::HashNet => job.net(),
                    SetType::HashNetPort => job.net_port(),
                    SetType::HashIpPort | SetType::HashIpPortIp => job.ip_port(),
                    _ => job.ip_port_net(),
                }
            }
            Data::Bitmap(bitmap) => {
                let numbers = bitmap_range(*kind, entry, adt, bitmap, exts)?;
                let new = exts.read(entry)?;
                for number in numbers.step_by(bitmap.hosts.max(1) as usize) {
                    let id = bitmap.id(number).ok_or(SetError::BitmapRange)?;
                    let done = match adt {
                        Adt::Add => bitmap.add(id, (exts, &new), exist, now),
                        Adt::Del => bitmap.del(id, now),
                        Adt::Test if bitmap.test(id, exts, &mut Probe::of_user(), now) => Ok(()),
                        Adt::Test => Err(SetError::Exist),
                    };
                    tolerate(done, exist)?;
                }
                Ok(())
            }
            Data::List(_) => Err(SetError::Invalid),
        }
    }
}

/// Kernel: `ip_set_eexist`.
fn tolerate(done: Result<(), SetError>, exist: bool) -> Result<(), SetError> {
    match done {
        Err(SetError::Exist) if exist => Ok(()),
        done => done,
    }
}

/// The addresses or ports that an entry names. Kernel: `bitmap_ip_uadt`, `bitmap_port_uadt`.
fn bitmap_range(
    kind: SetType,
    entry: &Entry,
    adt: Adt,
    bitmap: &Bitmap,
    exts: &Extensions,
) -> Result<std::ops::RangeInclusive<u32>, SetError> {
    let ports = kind == SetType::BitmapPort;
    let (from, to) = if ports {
        (entry.port.map(u32::from), entry.port_to.map(u32::from))
    } else {
        (entry.ip, entry.ip_to)
    };
    let from = from.ok_or(SetError::Protocol)?;
    let outside = |number: u32| number < bitmap.first || number > bitmap.last;
    // A port's place is checked before its extensions, an address's after.
    if ports && outside(from) {
        return Err(SetError::BitmapRange);
    }
    exts.read(entry)?;
    if outside(from) {
        return Err(SetError::BitmapRange);
    }
    let (from, to) = match (to, entry.cidr) {
        _ if adt == Adt::Test => (from, from),
        (Some(to), _) => (from.min(to), from.max(to)),
        (None, Some(0 | 33..)) => return Err(SetError::InvalidCidr),
        (None, Some(cidr)) => prefix(from, cidr),
        (None, None) => (from, from),
    };
    if outside(from) || to > bitmap.last {
        return Err(SetError::BitmapRange);
    }
    Ok(from..=to)
}

/// A user's entry on its way into a hash.
struct Job<'a> {
    adt: Adt,
    entry: &'a Entry,
    exist: bool,
    now: Jiffies,
    exts: &'a Extensions,
    new: NewExt,
    /// Elements that may still be named.
    left: u32,
    hash: &'a mut Hash,
}

impl Job<'_> {
    /// One element. Kernel: `adtfn`; the table grows for a user.
    fn one(&mut self, elem: Elem) -> Result<(), SetError> {
        self.left = self.left.checked_sub(1).ok_or(SetError::NoMemory)?;
        let done = match self.adt {
            Adt::Add => loop {
                let with = (self.exts, &self.new);
                match self.hash.add(elem, self.entry.nomatch, with, self.exist, self.now) {
                    Ok(()) => break Ok(()),
                    Err(NotAdded::Because(error)) => break Err(error),
                    Err(NotAdded::Resize) => self.hash.resize(self.now)?,
                }
            },
            Adt::Del => self.hash.del(&elem, self.now),
            Adt::Test => {
                match (self.hash.test(elem, self.exts, &mut Probe::of_user(), self.now), self.entry.nomatch) {
                    (Found::Yes, false) | (Found::Nomatch, true) => Ok(()),
                    _ => Err(SetError::Exist),
                }
            }
        };
        tolerate(done, self.exist && self.adt != Adt::Test)
    }

    fn address(&self) -> Result<u32, SetError> {
        self.entry.ip.ok_or(SetError::Protocol)
    }

    /// Port, last port and protocol; whether the protocol has ports.
    fn port(&self) -> Result<(u16, Option<u16>, u8), SetError> {
        let port = self.entry.port.ok_or(SetError::Protocol)?;
        let proto = match self.entry.proto {
            None => return Err(SetError::MissingProto),
            Some(0) => return Err(SetError::InvalidProto),
            Some(proto) => proto,
        };
        // Kernel: `ip_set_proto_with_ports`.
        let ports = matches!(proto, TCP | 17 | 132 | 136);
        let port = if ports || proto == ICMP { port } else { 0 };
        Ok((port, self.entry.port_to.filter(|_| ports), proto))
    }

    /// First and last of the first address.
    fn range(&self, ip: u32) -> Result<(u32, u32), SetError> {
        match (self.entry.ip_to, self.entry.cidr) {
            (Some(to), _) => Ok((ip.min(to), ip.max(to))),
            (None, Some(0 | 33..)) => Err(SetError::InvalidCidr),
            (None, Some(cidr)) => Ok(prefix(ip, cidr)),
            (None, None) => Ok((ip, ip)),
        }
    }

    /// Kernel: `hash_ip4_uadt`.
    fn ip(&mut self) -> Result<(), SetError> {
        let ip = self.address()?;
        self.new = self.exts.read(self.entry)?;
        let ip = ip & self.hash.bitmask;
        if ip == 0 {
            return Err(SetError::HashElem);
        }
        if self.adt == Adt::Test {
            return self.one(Elem { ip, ..Elem::default() });
        }
        if self.entry.ip_to == Some(0) {
            return Err(SetError::HashElem);
        }
        let (from, to) = self.range(ip)?;
        let hosts = 1_u64 << (32 - u32::from(self.hash.netmask));
        let mut at = u64::from(from);
        while at <= u64::from(to) {
            self.one(Elem { ip: at as u32, ..Elem::default() })?;
            at += hosts;
        }
        Ok(())
    }

    /// Kernel: `hash_net4_uadt`.
    fn net(&mut self) -> Result<(), SetError> {
        let ip = self.address()?;
        self.new = self.exts.read(self.entry)?;
        let cidr = prefix_length(self.entry.cidr)?;
        let Some(to) = self.entry.ip_to.filter(|_| self.adt != Adt::Test) else {
            return self.one(Elem { ip: ip & mask(cidr), cidr, ..Elem::default() });
        };
        for (ip, cidr) in Prefixes::new(ip.min(to), ip.max(to))? {
            self.one(Elem { ip, cidr, ..Elem::default() })?;
        }
        Ok(())
    }

    /// Kernel: `hash_netport4_uadt`.
    fn net_port(&mut self) -> Result<(), SetError> {
        let ip = self.address()?;
        self.new = self.exts.read(self.entry)?;
        let cidr = prefix_length(self.entry.cidr)?;
        let (port, port_to, proto) = self.port()?;
        let elem = Elem { port, proto, ..Elem::default() };
        if self.adt == Adt::Test || port_to.is_none() && self.entry.ip_to.is_none() {
            return self.one(Elem { ip: ip & mask(cidr), cidr, ..elem });
        }
        let nets = match self.entry.ip_to {
            Some(to) => Prefixes::new(ip.min(to), ip.max(to))?,
            None => Prefixes::one(ip & mask(cidr), cidr),
        };
        let ports = ports(port, port_to);
        for (ip, cidr) in nets {
            for port in ports.clone() {
                self.one(Elem { ip, cidr, port, ..elem })?;
            }
        }
        Ok(())
    }

    /// Kernel: `hash_ipport4_uadt`, `hash_ipportip4_uadt`.
    fn ip_port(&mut self) -> Result<(), SetError> {
        let mut ip = self.address()?;
        self.new = self.exts.read(self.entry)?;
        let with_ip2 = self.hash.kind == SetType::HashIpPortIp;
        if !with_ip2 {
            ip &= self.hash.bitmask;
            if ip == 0 {
                return Err(SetError::Invalid);
            }
        }
        let ip2 = if with_ip2 { self.entry.ip2.ok_or(SetError::Protocol)? } else { 0 };
        let (port, port_to, proto) = self.port()?;
        let elem = Elem { ip, ip2, port, proto, cidr: 0 };
        if self.adt == Adt::Test {
            return self.one(elem);
        }
        let (from, to) = self.range(ip)?;
        let ports = ports(port, port_to);
        for ip in from..=to {
            for port in ports.clone() {
                self.one(Elem { ip, port, ..elem })?;
            }
        }
        Ok(())
    }

    /// Kernel: `hash_ipportnet4_uadt`.
    fn ip_port_net(&mut self) -> Result<(), SetError> {
        let ip = self.address()?;
        let ip2 = self.entry.ip2.ok_or(SetError::Protocol)?;
        self.new = self.exts.read(self.entry)?;
        let cidr = prefix_length(self.entry.cidr2)?;
        let (port, port_to, proto) = self.port()?;
        let elem = Elem { ip, ip2: ip2 & mask(cidr), port, proto, cidr };
        if self.adt == Adt::Test {
            return self.one(elem);
        }
        let (from, to) = self.range(ip)?;
        let nets = match self.entry.ip2_to {
            Some(to) => Prefixes::new(ip2.min(to), ip2.max(to))?,
            None => Prefixes::one(elem.ip2, cidr),
        };
        let ports = ports(port, port_to);
        for ip in from..=to {
            for port in ports.clone() {
                for (ip2, cidr) in nets.clone() {
                    self.one(Elem { ip, ip2, port, cidr, proto })?;
                }
            }
        }
        Ok(())
    }
}

fn prefix_length(given: Option<u8>) -> Result<u8, SetError> {
    match given.unwrap_or(32) {
        0 | 33.. => Err(SetError::InvalidCidr),
        cidr => Ok(cidr),
    }
}

fn ports(port: u16, to: Option<u16>) -> std::ops::RangeInclusive<u16> {
    let to = to.unwrap_or(port);
    port.min(to)..=port.max(to)
}

/// A range as prefixes, in order.
#[derive(Clone, Debug)]
struct Prefixes {
    next: Option<u32>,
    to: u32,
    /// The only one.
    one: Option<(u32, u8)>,
}

impl Prefixes {
    fn new(from: u32, to: u32) -> Result<Self, SetError> {
        if (from, to) == (0, u32::MAX) {
            return Err(SetError::HashRange);
        }
        Ok(Self { next: Some(from), to, one: None })
    }

    const fn one(ip: u32, cidr: u8) -> Self {
        Self { next: None, to: 0, one: Some((ip, cidr)) }
    }
}

impl Iterator for Prefixes {
    type Item = (u32, u8);

    fn next(&mut self) -> Option<(u32, u8)> {
        if let Some(only) = self.one.take() {
            return Some(only);
        }
        let from = self.next?;
        let (last, cidr) = range_to_cidr(from, self.to);
        self.next = last.checked_add(1).filter(|_| last < self.to);
        Some((from, cidr))
    }
}
