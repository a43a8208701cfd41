use netfilter::set::{CreateOptions, Entry, SetType};

/// What an option or part of an element sets, numbered as ipset does. libipset `enum ipset_opt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Opt {
    Family = 3,
    Ip = 4,
    IpTo = 5,
    Cidr = 6,
    Port = 8,
    PortTo = 9,
    Timeout = 10,
    Gc = 11,
    Hashsize = 12,
    Maxelem = 13,
    Netmask = 15,
    Probes = 16,
    Resize = 17,
    Size = 18,
    Forceadd = 19,
    Bitmask = 20,
    Name = 25,
    Nameref = 26,
    Ip2 = 27,
    Cidr2 = 28,
    Ip2To = 29,
    Proto = 30,
    Before = 34,
    Nomatch = 36,
    Counters = 37,
    Packets = 38,
    Bytes = 39,
    CreateComment = 40,
    AdtComment = 41,
    Skbinfo = 42,
    Skbmark = 43,
    Skbprio = 44,
    Skbqueue = 45,
    Bucketsize = 47,
    Initval = 48,
}

impl Opt {
    /// Its bit.
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Whether it is a flag among others, which may be given twice.
    pub const fn is_flag(self) -> bool {
        matches!(
            self,
            Self::Before
                | Self::Nomatch
                | Self::Counters
                | Self::CreateComment
                | Self::Forceadd
                | Self::Skbinfo
        )
    }
}

/// What a command line has set so far. libipset `struct ipset_data`.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// What is set.
    pub bits: u64,
    /// Options given that mean nothing any more.
    pub ignored: u64,
    /// The type of the set.
    pub kind: Option<SetType>,
    /// An element; also a new set's range.
    pub entry: Entry,
    /// A new set's options.
    pub create: CreateOptions,
}

impl Data {
    /// Notes that `opt` is set.
    pub fn set(&mut self, opt: Opt) {
        if !opt.is_flag() {
            self.bits |= opt.bit();
        }
    }

    /// Whether `opt` is set.
    pub const fn has(&self, opt: Opt) -> bool {
        self.bits & opt.bit() != 0
    }

    /// A new set's options, with its range.
    pub fn options(&self) -> CreateOptions {
        let Entry { ip, ip_to, cidr, port, port_to, timeout, .. } = self.entry;
        CreateOptions { ip, ip_to, cidr, port, port_to, timeout, ..self.create.clone() }
    }
}
