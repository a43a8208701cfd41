/// A type of set that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetType {
    /// `bitmap:ip`.
    BitmapIp,
    /// `bitmap:port`.
    BitmapPort,
    /// `hash:ip`.
    HashIp,
    /// `hash:ip,port`.
    HashIpPort,
    /// `hash:ip,port,ip`.
    HashIpPortIp,
    /// `hash:ip,port,net`.
    HashIpPortNet,
    /// `hash:net`.
    HashNet,
    /// `hash:net,port`.
    HashNetPort,
    /// `list:set`.
    ListSet,
}

/// Kernel: `enum ip_set_feature`.
const IP: u8 = 1;
const PORT: u8 = 1 << 1;
const IP2: u8 = 1 << 3;
const NAME: u8 = 1 << 4;
const NOMATCH: u8 = 1 << 6;

impl SetType {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::BitmapIp,
        Self::BitmapPort,
        Self::HashIp,
        Self::HashIpPort,
        Self::HashIpPortIp,
        Self::HashIpPortNet,
        Self::HashNet,
        Self::HashNetPort,
        Self::ListSet,
    ];

    /// `hash:ip`…
    pub const fn name(self) -> &'static str {
        match self {
            Self::BitmapIp => "bitmap:ip",
            Self::BitmapPort => "bitmap:port",
            Self::HashIp => "hash:ip",
            Self::HashIpPort => "hash:ip,port",
            Self::HashIpPortIp => "hash:ip,port,ip",
            Self::HashIpPortNet => "hash:ip,port,net",
            Self::HashNet => "hash:net",
            Self::HashNetPort => "hash:net,port",
            Self::ListSet => "list:set",
        }
    }

    /// Revision of the type in Linux 6.18.
    pub const fn revision(self) -> u8 {
        match self {
            Self::BitmapIp | Self::BitmapPort | Self::ListSet => 3,
            Self::HashIp | Self::HashIpPortIp => 6,
            Self::HashIpPort | Self::HashNet => 7,
            Self::HashIpPortNet | Self::HashNetPort => 8,
        }
    }

    /// Number of the packet's fields that an element names, 1..=3.
    pub const fn dimension(self) -> u8 {
        match self {
            Self::BitmapIp | Self::BitmapPort | Self::HashIp | Self::HashNet | Self::ListSet => 1,
            Self::HashIpPort | Self::HashNetPort => 2,
            Self::HashIpPortIp | Self::HashIpPortNet => 3,
        }
    }

    /// Whether the set belongs to family inet; else it is of none.
    pub const fn is_inet(self) -> bool {
        !matches!(self, Self::BitmapPort | Self::ListSet)
    }

    /// Kernel: `struct ip_set_type::features`.
    pub(super) const fn features(self) -> u8 {
        match self {
            Self::BitmapIp | Self::HashIp => IP,
            Self::BitmapPort => PORT,
            Self::HashIpPort => IP | PORT,
            Self::HashIpPortIp => IP | PORT | IP2,
            Self::HashIpPortNet => IP | PORT | IP2 | NOMATCH,
            Self::HashNet => IP | NOMATCH,
            Self::HashNetPort => IP | PORT | NOMATCH,
            Self::ListSet => NAME,
        }
    }

    /// Whether elements may be exceptions.
    pub(super) const fn has_nomatch(self) -> bool {
        self.features() & NOMATCH != 0
    }

    /// Whether elements have a prefix length.
    pub(super) const fn has_nets(self) -> bool {
        self.has_nomatch()
    }

    /// Bytes of a hash element. Kernel: `sizeof(struct hash_*4_elem)`.
    pub(super) const fn elem_len(self) -> usize {
        match self {
            Self::HashIp => 4,
            Self::HashIpPort | Self::HashNet | Self::HashNetPort => 8,
            Self::HashIpPortIp | Self::HashIpPortNet => 12,
            Self::BitmapIp | Self::BitmapPort => 0,
            Self::ListSet => 48,
        }
    }

    /// Bytes of an empty set without its regions, on a 64 bit machine.
    /// Kernel: `mtype_ahash_memsize`, `mtype_memsize`, `list_set_memsize`.
    pub(super) const fn base_size(self) -> u64 {
        match self {
            Self::BitmapIp => 88,
            Self::BitmapPort => 72,
            Self::HashIp | Self::HashIpPort => 192,
            Self::HashIpPortIp => 184,
            Self::HashIpPortNet => 440,
            Self::HashNet | Self::HashNetPort => 432,
            Self::ListSet => 80,
        }
    }
}
