use super::Dir;
use super::event::EventMask;

/// A conntrack zone: the same tuple may occur once in each.
/// Kernel: `struct nf_conntrack_zone`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Zone {
    /// Number; 0 is where packets are unless a rule says otherwise.
    pub id: u16,
    /// In which direction it counts; the other direction is in zone 0.
    pub dir: ZoneDir,
}

/// Kernel: `NF_CT_ZONE_DIR_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ZoneDir {
    /// `--zone`.
    #[default]
    Both,
    /// `--zone-orig`.
    Original,
    /// `--zone-reply`.
    Reply,
}

impl Zone {
    /// Number of the zone that a direction is in. Kernel: `nf_ct_zone_id`.
    pub const fn id_in(self, dir: Dir) -> u16 {
        match (self.dir, dir) {
            (ZoneDir::Both, _) | (ZoneDir::Original, Dir::Original) | (ZoneDir::Reply, Dir::Reply) => self.id,
            (ZoneDir::Original, Dir::Reply) | (ZoneDir::Reply, Dir::Original) => 0,
        }
    }
}

/// What `-j CT` notes on a packet for connection tracking. Kernel: a template `struct nf_conn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// The zone to look in, and to begin connections in.
    pub zone: Zone,
    /// The zone's number is the packet's mark. Kernel: `NF_CT_FLAG_MARK`.
    pub zone_of_mark: bool,
    /// `--ctevents`: what is told of a connection that begins; empty if not given.
    pub events: EventMask,
}

impl Template {
    /// Packs it into what a packet can carry.
    pub(crate) fn pack(self) -> u32 {
        let dir = match self.zone.dir {
            ZoneDir::Both => 0,
            ZoneDir::Original => 1,
            ZoneDir::Reply => 2,
        };
        u32::from(self.zone.id)
            | dir << 16
            | u32::from(self.zone_of_mark) << 18
            | u32::from(self.events.0 & 0xfff) << 19
    }

    /// The opposite of [`pack`](Self::pack).
    pub(crate) fn unpack(bits: u32) -> Self {
        let dir = match bits >> 16 & 3 {
            1 => ZoneDir::Original,
            2 => ZoneDir::Reply,
            _ => ZoneDir::Both,
        };
        Self {
            zone: Zone { id: bits as u16, dir },
            zone_of_mark: bits >> 18 & 1 != 0,
            events: EventMask((bits >> 19) as u16 & 0xfff),
        }
    }

    /// The zone of a packet. Kernel: `nf_ct_zone_tmpl`.
    pub(crate) const fn zone_of(self, mark: u32) -> Zone {
        match self.zone_of_mark {
            true => Zone { id: mark as u16, dir: self.zone.dir },
            false => self.zone,
        }
    }
}
