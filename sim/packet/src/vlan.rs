/// Whose tag it is. Kernel: `skb->vlan_proto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VlanProto {
    /// 802.1Q, a customer's tag (TPID 0x8100).
    #[default]
    Dot1Q,
    /// 802.1ad, a service provider's tag (TPID 0x88a8).
    Dot1Ad,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct VlanTag {
    /// Whose.
    pub proto: VlanProto,
    /// VLAN identifier, 0..=4095 (12 bits).
    pub vid: u16,
    /// Priority code point, 0..=7 (3 bits).
    pub pcp: u8,
    /// Drop eligible indicator.
    pub dei: bool,
}

/// The VLAN tags of a frame. Kernel: `skb->vlan_tci` is the outermost, the others are in the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::box_collection, reason = "an untagged frame is small")]
pub struct VlanTags(
    // Innermost first.
    Option<Box<Vec<VlanTag>>>,
);

impl VlanProto {
    /// The Ethernet protocol number that announces such a tag.
    pub const fn tpid(self) -> u16 {
        match self {
            Self::Dot1Q => 0x8100,
            Self::Dot1Ad => 0x88a8,
        }
    }

    /// The protocol that this Ethernet protocol number announces. Kernel: `eth_type_vlan`.
    pub const fn from_tpid(tpid: u16) -> Option<Self> {
        match tpid {
            0x8100 => Some(Self::Dot1Q),
            0x88a8 => Some(Self::Dot1Ad),
            _ => None,
        }
    }

    /// The name that `ip link` prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dot1Q => "802.1Q",
            Self::Dot1Ad => "802.1ad",
        }
    }
}

impl VlanTag {
    /// Length in bytes. Kernel: `VLAN_HLEN`.
    pub const LEN: usize = 4;

    /// The tag control information: priority, indicator, identifier. Kernel: `vlan_tci`.
    pub const fn tci(self) -> u16 {
        ((self.pcp & 7) as u16) << 13 | (self.dei as u16) << 12 | self.vid & 0xfff
    }

    /// The tag of this control information.
    pub const fn from_tci(proto: VlanProto, tci: u16) -> Self {
        Self { proto, vid: tci & 0xfff, pcp: (tci >> 13) as u8, dei: tci & 0x1000 != 0 }
    }
}

impl VlanTags {
    /// No tag.
    pub const NONE: Self = Self(None);

    /// Number of tags.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |tags| tags.len())
    }

    /// Whether the frame is untagged.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The outermost tag.
    #[inline]
    pub fn outer(&self) -> Option<VlanTag> {
        self.0.as_ref()?.last().copied()
    }

    /// Puts a tag around the frame. Kernel: `__vlan_hwaccel_put_tag`.
    pub fn push(&mut self, tag: VlanTag) {
        self.0.get_or_insert_default().push(tag);
    }

    /// Takes the outermost tag off. Kernel: `__vlan_hwaccel_clear_tag`, `skb_vlan_untag`.
    pub fn pop(&mut self) -> Option<VlanTag> {
        let tag = self.0.as_mut()?.pop();
        if self.0.as_ref().is_some_and(|tags| tags.is_empty()) {
            self.0 = None;
        }
        tag
    }

    /// The tags, outermost first.
    pub fn iter(&self) -> impl Iterator<Item = VlanTag> {
        self.0.iter().flat_map(|tags| tags.iter().rev()).copied()
    }
}

impl FromIterator<VlanTag> for VlanTags {
    /// Tags in the order of the wire: outermost first.
    fn from_iter<T: IntoIterator<Item = VlanTag>>(tags: T) -> Self {
        let mut tags: Vec<VlanTag> = tags.into_iter().collect();
        tags.reverse();
        Self((!tags.is_empty()).then(|| Box::new(tags)))
    }
}
