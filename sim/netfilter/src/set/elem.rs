use super::SetType;

/// An element of a bitmap or hash; fields that the type doesn't have are zero.
/// Kernel: `struct hash_ip4_elem` and kin. Numbers are in host byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Elem {
    pub(super) ip: u32,
    pub(super) ip2: u32,
    pub(super) port: u16,
    pub(super) proto: u8,
    /// Prefix length, 1..=32, of `ip`, or of `ip2` if there is one.
    pub(super) cidr: u8,
}

/// Mask of a prefix of 0..=32 bits. Kernel: `ip_set_hostmask`.
pub(super) const fn mask(cidr: u8) -> u32 {
    match cidr {
        0 => 0,
        1..=31 => u32::MAX << (32 - cidr),
        _ => u32::MAX,
    }
}

/// First and last address of a prefix. Kernel: `ip_set_mask_from_to`.
pub(super) const fn prefix(ip: u32, cidr: u8) -> (u32, u32) {
    (ip & mask(cidr), ip | !mask(cidr))
}

/// The largest prefix that begins at `from` and ends at or before `to`: its last address and
/// length. Kernel: `ip_set_range_to_cidr`, with its comparison of wrapping numbers.
pub(super) fn range_to_cidr(from: u32, to: u32) -> (u32, u8) {
    (1..32)
        .filter(|cidr| from & mask(*cidr) == from)
        .map(|cidr| (from | !mask(cidr), cidr))
        .find(|(last, _)| to.wrapping_sub(*last).cast_signed() >= 0)
        .unwrap_or((from, 32))
}

impl Elem {
    /// The element with its prefix shortened to `cidr`. Kernel: `mtype_data_netmask`.
    pub(super) const fn netmask(mut self, kind: SetType, cidr: u8) -> Self {
        match kind {
            SetType::HashIpPortNet => self.ip2 &= mask(cidr),
            _ => self.ip &= mask(cidr),
        }
        self.cidr = cidr;
        self
    }

    /// The bucket's number before it is cut to the table's size. Kernel: `HKEY`; the words are the
    /// element's bytes as a little-endian machine reads them.
    pub(super) fn hash(&self, kind: SetType, initval: u32) -> u32 {
        let Self { ip, ip2, port, proto, cidr } = *self;
        let (ip, ip2, port) = (ip.swap_bytes(), ip2.swap_bytes(), u32::from(port.swap_bytes()));
        let (proto, cidr) = (u32::from(proto), u32::from(cidr));
        let packed = cidr.saturating_sub(1);
        match kind {
            SetType::HashNet => jhash2(&[ip, cidr << 24], initval),
            SetType::HashIpPort => jhash2(&[ip, port | proto << 16], initval),
            SetType::HashNetPort => jhash2(&[ip, port | proto << 16 | packed << 24], initval),
            SetType::HashIpPortIp => jhash2(&[ip, ip2, port | proto << 16], initval),
            SetType::HashIpPortNet => jhash2(&[ip, ip2, port | packed << 16 | proto << 24], initval),
            _ => jhash2(&[ip], initval),
        }
    }
}

/// Kernel: `jhash2` in `include/linux/jhash.h`, for at most three words.
fn jhash2(words: &[u32], initval: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add((words.len() as u32) << 2).wrapping_add(initval);
    let word = |at: usize| start.wrapping_add(words.get(at).copied().unwrap_or(0));
    let (mut a, mut b, mut c) = (word(0), word(1), word(2));
    let step = |x: &mut u32, y: u32, bits: u32| *x = (*x ^ y).wrapping_sub(y.rotate_left(bits));
    step(&mut c, b, 14);
    step(&mut a, c, 11);
    step(&mut b, a, 25);
    step(&mut c, b, 16);
    step(&mut a, c, 4);
    step(&mut b, a, 14);
    step(&mut c, b, 24);
    c
}
