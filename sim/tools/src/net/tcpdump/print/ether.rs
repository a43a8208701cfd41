//! Link-layer headers. Source: `print-ether.c`, `print-sll.c`, `print-raw.c`.

use packet::MacAddr;

use super::{Cut, Printer, be16, be32, from, u8_at};

const VLAN_TYPES: [u16; 4] = [0x8100, 0x9100, 0x9200, 0x88a8];
/// Values up to this are lengths. Source: `MAX_ETHERNET_LENGTH_VAL`.
const MAX_LENGTH: u16 = 1500;

/// Source: `ethertype_values`.
pub(super) fn ether_type_name(value: u16) -> Option<&'static str> {
    Some(match value {
        0x0800 => "IPv4",
        0x0806 => "ARP",
        0x8035 => "Reverse ARP",
        0x6558 => "TEB",
        0x8100 => "802.1Q",
        0x88a8 => "802.1Q-QinQ",
        0x9100 => "802.1Q-9100",
        0x9200 => "802.1Q-9200",
        0x86dd => "IPv6",
        0x8847 => "MPLS unicast",
        0x8848 => "MPLS multicast",
        0x8137 => "IPX",
        0x809b => "Appletalk",
        0x80f3 => "Appletalk ARP",
        0x880b => "PPP",
        0x8808 => "MPCP",
        0x8809 => "Slow Protocols",
        0x8863 => "PPPoE D",
        0x8864 => "PPPoE S",
        0x888e => "EAPOL",
        0x88cc => "LLDP",
        0x88ca => "TIPC",
        0x88e5 => "802.1AE MACsec",
        0x88f7 => "PTP",
        0x88a2 => "AoE",
        0x8902 => "CFM",
        0x894f => "NSH",
        0x8899 => "Realtek protocols",
        0x886f => "MS NLB heartbeat",
        0x9000 => "Loopback",
        _ => return None,
    })
}

fn tci(tag: u16) -> String {
    let dei = if tag & 0x1000 == 0 { "" } else { ", DEI" };
    format!("vlan {}, p {}{dei}", tag & 0xfff, tag >> 13)
}

pub(super) fn mac(data: &[u8], at: usize) -> Result<MacAddr, Cut> {
    let bytes = data.get(at..at + 6).ok_or(Cut)?;
    bytes.try_into().map(MacAddr).map_err(|_| Cut)
}

impl Printer {
    fn ether_type(&mut self, value: u16) {
        let name = ether_type_name(value);
        if !self.style.quiet {
            self.say(format_args!("ethertype {} (0x{value:04x})", name.unwrap_or("Unknown")));
        } else if let Some(name) = name {
            self.put(name);
        } else {
            self.say(format_args!("Unknown Ethertype (0x{value:04x})"));
        }
    }

    /// A frame; answers the length of the headers. Source: `ether_common_print`.
    pub(super) fn ether(&mut self, data: &[u8], len: usize) -> Result<usize, Cut> {
        self.protocol = "ether";
        if data.len() < 14 {
            self.truncated();
            return Ok(data.len());
        }
        let (dst, src) = (mac(data, 0)?, mac(data, 6)?);
        if self.style.link {
            self.say(format_args!("{src} > {dst}, "));
        }
        let mut kind = be16(data, 12)?;
        let mut at = 14;
        let mut length_said = false;
        while VLAN_TYPES.contains(&kind) {
            self.protocol = "vlan";
            if data.len() < at + 4 {
                self.truncated();
                return Ok(data.len());
            }
            if self.style.link {
                self.ether_type(kind);
                if length_said {
                    self.put(", ");
                } else {
                    self.say(format_args!(", length {len}: "));
                    length_said = true;
                }
                self.say(format_args!("{}, ", tci(be16(data, at)?)));
            }
            kind = be16(data, at + 2)?;
            at += 4;
        }
        let (rest, left) = (from(data, at), len.saturating_sub(at));
        if kind <= MAX_LENGTH {
            return self.llc(rest, left.min(usize::from(kind)), length_said).map(|()| at);
        }
        if self.style.link {
            self.ether_type(kind);
            if length_said {
                self.put(", ");
            } else {
                self.say(format_args!(", length {len}: "));
            }
        }
        if !self.network(kind, rest, left)? {
            if !self.style.link {
                self.say(format_args!("{src} > {dst}, "));
                self.ether_type(kind);
                self.say(format_args!(", length {len}: "));
            }
            self.hex_and_ascii(rest);
        }
        Ok(at)
    }

    /// 802.3 with LLC: spanning tree is named, nothing else is taken apart.
    ///
    /// Simplified: no other LLC protocol, no fields of spanning tree.
    fn llc(&mut self, data: &[u8], len: usize, length_said: bool) -> Result<(), Cut> {
        self.protocol = "llc";
        let data = &data[..data.len().min(len)];
        if self.style.link {
            self.put("802.3");
            if !length_said {
                self.say(format_args!(", length {len}: "));
            }
        }
        let (dsap, ssap, control) = (u8_at(data, 0)?, u8_at(data, 1)?, u8_at(data, 2)?);
        if (dsap, ssap, control) == (0x42, 0x42, 0x03) {
            if self.style.link {
                self.put("LLC, dsap STP (0x42) Individual, ssap STP (0x42) Command, ctrl 0x03: ");
            }
            self.say(format_args!(
                "STP {}, length {}",
                if u8_at(data, 5)? == 2 { "802.1w" } else { "802.1d" },
                len - 3
            ));
            return Ok(());
        }
        self.hex_and_ascii(data);
        Ok(())
    }

    /// A network protocol; false if it isn't known. Source: `ethertype_print`.
    fn network(&mut self, kind: u16, data: &[u8], len: usize) -> Result<bool, Cut> {
        match kind {
            0x0800 => self.ip(data, len)?,
            0x86dd => self.ip6(data)?,
            0x0806 | 0x8035 => self.arp(data, len)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Source: `raw_if_print`, `ipN_print`.
    pub(super) fn raw(&mut self, data: &[u8], len: usize) -> Result<usize, Cut> {
        if self.style.link {
            self.put("ip: ");
        }
        match u8_at(data, 0)? >> 4 {
            4 => self.ip(data, len)?,
            6 => self.ip6(data)?,
            other => self.say(format_args!("unknown ip {other}")),
        }
        Ok(0)
    }

    /// Linux cooked capture, version 2. Source: `sll2_if_print`.
    pub(super) fn sll2(&mut self, data: &[u8], len: usize) -> Result<usize, Cut> {
        const HEADER: usize = 20;
        self.protocol = "sll2";
        if data.len() < HEADER {
            return Err(Cut);
        }
        let index = be32(data, 4)?;
        let name = self.devices.get(&index).cloned().unwrap_or_else(|| "?".to_owned());
        let way = match u8_at(data, 10)? {
            0 => "In",
            1 => "B",
            2 => "M",
            3 => "P",
            4 => "Out",
            _ => "?",
        };
        self.say(format_args!("{name:<5} {way:<3} "));
        if self.style.link {
            self.sll2_header(data, len)?;
        }
        let (mut at, mut kind) = (HEADER, be16(data, 0)?);
        while kind == 0x8100 {
            if self.style.link {
                self.say(format_args!("{}, ", tci(be16(data, at)?)));
            }
            kind = be16(data, at + 2)?;
            at += 4;
            if !self.style.quiet {
                self.say(format_args!("ethertype {}, ", ether_type_name(kind).unwrap_or("Unknown")));
            }
        }
        let (rest, left) = (from(data, at), len.saturating_sub(at));
        if kind <= MAX_LENGTH {
            self.hex_and_ascii(rest);
        } else if !self.network(kind, rest, left)? {
            if !self.style.link {
                self.sll2_header(data, left + HEADER)?;
            }
            self.hex_and_ascii(rest);
        }
        Ok(at)
    }

    fn sll2_header(&mut self, data: &[u8], len: usize) -> Result<(), Cut> {
        self.say(format_args!("ifindex {} ", be32(data, 4)?));
        if u8_at(data, 11)? == 6 {
            self.say(format_args!("{} ", mac(data, 12)?));
        }
        if !self.style.quiet {
            let kind = be16(data, 0)?;
            self.say(format_args!(
                "ethertype {} (0x{kind:04x}), length {len}: ",
                ether_type_name(kind).unwrap_or("Unknown")
            ));
        }
        Ok(())
    }
}
