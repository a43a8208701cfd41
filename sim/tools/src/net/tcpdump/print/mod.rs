//! What tcpdump prints of a packet; one file a protocol.
//!
//! Source: tcpdump 4.99.3, `print.c` and `print-*.c`.

mod arp;
mod bootp;
mod dns;
mod ether;
mod hex;
mod icmp;
mod igmp;
mod ip;
mod tcp;
mod text;
mod time;
mod udp;

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::filter::LinkType;
use super::names::Names;
use super::pcap::Record;

/// How packets are printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Style {
    /// `-n`.
    pub numeric: bool,
    /// `-t`, given this many times.
    pub time: u8,
    /// `-e`.
    pub link: bool,
    /// `-v`, given this many times.
    pub verbose: u8,
    /// `-q`.
    pub quiet: bool,
    /// `-S`.
    pub absolute: bool,
    /// `-K`.
    pub trust_checksums: bool,
    /// `-#`.
    pub number: bool,
    /// `-x`, `-X` and `-A`, given this many times.
    pub hex: u8,
    pub hex_ascii: u8,
    pub ascii: u8,
    /// Nanoseconds instead of microseconds.
    pub nano: bool,
}

/// The packet ends before a field that a printer needs.
struct Cut;

type Printed = Result<(), Cut>;

/// Prints packets; remembers what later packets are printed relative to.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    style: Style,
    names: Names,
    /// Device names by index.
    devices: BTreeMap<u32, String>,
    conversations: BTreeMap<tcp::Conversation, tcp::Start>,
    /// The time that `-ttt` and `-ttttt` count from.
    reference: Option<Duration>,
    packets: u64,
    /// The protocol to name when a packet is cut.
    protocol: &'static str,
    /// How many datagrams the one being printed is inside of.
    depth: usize,
    out: String,
}

fn u8_at(data: &[u8], at: usize) -> Result<u8, Cut> {
    data.get(at).copied().ok_or(Cut)
}

fn be16(data: &[u8], at: usize) -> Result<u16, Cut> {
    Ok(u16::from(u8_at(data, at)?) << 8 | u16::from(u8_at(data, at + 1)?))
}

fn be24(data: &[u8], at: usize) -> Result<u32, Cut> {
    Ok(u32::from(be16(data, at)?) << 8 | u32::from(u8_at(data, at + 2)?))
}

fn be32(data: &[u8], at: usize) -> Result<u32, Cut> {
    Ok(u32::from(be16(data, at)?) << 16 | u32::from(be16(data, at + 2)?))
}

fn from(data: &[u8], at: usize) -> &[u8] {
    data.get(at..).unwrap_or_default()
}

/// The sum that a correct checksum makes 0. Source: `in_cksum`.
fn in_cksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// What the checksum should be. Source: `in_cksum_shouldbe`.
fn should_be(sum: u16, computed: u16) -> u16 {
    let mut total = u32::from(sum) + u32::from(computed);
    total = (total & 0xffff) + (total >> 16);
    total = (total & 0xffff) + (total >> 16);
    total as u16
}

impl Printer {
    /// A printer that has seen nothing.
    pub fn new(style: Style, names: Names, devices: BTreeMap<u32, String>) -> Self {
        Self {
            style,
            names,
            devices,
            conversations: BTreeMap::new(),
            reference: None,
            packets: 0,
            protocol: "",
            depth: 0,
            out: String::new(),
        }
    }

    /// The lines of one packet. Source: `pretty_print_packet`.
    pub fn packet(&mut self, link: LinkType, record: &Record) -> String {
        self.packets += 1;
        if self.style.number {
            let packets = self.packets;
            self.say(format_args!("{packets:5}  "));
        }
        if record.bytes.is_empty() {
            self.put("[Invalid header: caplen==0");
            self.put(if record.len == 0 { ", len==0]\n" } else { "]\n" });
            return std::mem::take(&mut self.out);
        }
        self.time(record.at);
        let (data, len) = (record.bytes.as_slice(), record.len);
        self.protocol = "";
        self.depth = 0;
        let printed = match link {
            LinkType::Ethernet => self.ether(data, len),
            LinkType::Raw => self.raw(data, len),
            LinkType::Sll2 => self.sll2(data, len),
        };
        let header = printed.unwrap_or_else(|Cut| {
            self.truncated();
            0
        });
        self.dump(data, header);
        self.put("\n");
        std::mem::take(&mut self.out)
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn say(&mut self, text: fmt::Arguments<'_>) {
        self.out.push_str(&text.to_string());
    }

    fn truncated(&mut self) {
        let protocol = self.protocol;
        self.say(format_args!(" [|{protocol}]"));
    }

    fn invalid(&mut self) {
        self.put(" (invalid)");
    }

    /// An address by name or number. Source: `ipaddr_string`.
    fn addr(&self, data: &[u8], at: usize) -> Result<String, Cut> {
        let addr = Ipv4Addr::from(be32(data, at)?);
        Ok(match self.names.host(addr).filter(|_| !self.style.numeric) {
            Some(name) => name.to_owned(),
            None => addr.to_string(),
        })
    }

    /// A port by name or number. Source: `tcpport_string`, `udpport_string`.
    fn port(&self, port: u16, proto: &str) -> String {
        match self.names.service(port, proto).filter(|_| !self.style.numeric) {
            Some(name) => name.to_owned(),
            None => port.to_string(),
        }
    }

    /// A byte, made visible. Source: `fn_print_char`.
    fn visible(&mut self, mut byte: u8) {
        if byte >= 0x80 {
            byte &= 0x7f;
            self.put("M-");
        }
        if !(0x20..0x7f).contains(&byte) {
            byte ^= 0x40;
            self.put("^");
        }
        self.out.push(char::from(byte));
    }
}

#[cfg(test)]
mod tests;
