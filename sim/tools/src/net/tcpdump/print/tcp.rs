//! TCP. Source: `print-tcp.c`.

use std::net::Ipv4Addr;

use super::ip::{IpHeader, pseudo_cksum};
use super::{Cut, Printed, Printer, be16, be32, from, should_be, u8_at};

/// Both ends of a conversation, whichever way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Conversation {
    low: (Ipv4Addr, u16),
    high: (Ipv4Addr, u16),
}

/// The sequence numbers that a conversation's later ones are relative to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    seq: u32,
    ack: u32,
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const URG: u8 = 0x20;

fn flag_names(flags: u8) -> String {
    if flags == 0 {
        return "none".to_owned();
    }
    "FSRP.UEW".chars().enumerate().filter(|(bit, _)| flags & (1 << bit) != 0).map(|(_, name)| name).collect()
}

impl Printer {
    /// A segment. Source: `tcp_print`.
    pub(super) fn tcp(&mut self, data: &[u8], len: usize, ip: IpHeader<'_>) -> Printed {
        self.protocol = "tcp";
        let (src, dst) = (self.addr(ip.bytes, 12)?, self.addr(ip.bytes, 16)?);
        let (Ok(sport), Ok(dport)) = (be16(data, 0), be16(data, 2)) else {
            self.say(format_args!("{src} > {dst}:"));
            return Err(Cut);
        };
        let (from_port, to_port) = (self.port(sport, "tcp"), self.port(dport, "tcp"));
        self.say(format_args!("{src}.{from_port} > {dst}.{to_port}: "));
        if data.len() < 20 {
            return Err(Cut);
        }
        let header_len = usize::from(data[12] >> 4) * 4;
        if header_len < 20 {
            let left = len.wrapping_sub(header_len) as u32;
            self.say(format_args!(" tcp {left} [bad hdr length {header_len} - too short, < 20]"));
            return Ok(());
        }
        let (mut seq, mut ack, window) = (be32(data, 4)?, be32(data, 8)?, be16(data, 14)?);
        if self.style.quiet {
            self.say(format_args!("tcp {}", len.wrapping_sub(header_len) as u32));
            if header_len > len {
                self.say(format_args!(" [bad hdr length {header_len} - too long, > {len}]"));
            }
            return Ok(());
        }
        let flags = data[13];
        self.say(format_args!("Flags [{}]", flag_names(flags)));
        if !self.style.absolute && flags & ACK != 0 {
            (seq, ack) = self.relative(ip, (sport, dport), flags, (seq, ack))?;
        }
        if header_len > len {
            self.say(format_args!(" [bad hdr length {header_len} - too long, > {len}]"));
            return Ok(());
        }
        if self.style.verbose > 0
            && !self.style.trust_checksums
            && !ip.fragmented
            && let Some(segment) = data.get(..len)
        {
            let sum = be16(data, 16)?;
            self.say(format_args!(", cksum 0x{sum:04x}"));
            match pseudo_cksum(ip, segment, 6) {
                0 => self.put(" (correct)"),
                wrong => self.say(format_args!(" (incorrect -> 0x{:04x})", should_be(sum, wrong))),
            }
        }
        let length = len - header_len;
        if self.style.verbose > 1 || length > 0 || flags & (SYN | FIN | RST) != 0 {
            self.say(format_args!(", seq {seq}"));
            if length > 0 {
                self.say(format_args!(":{}", seq.wrapping_add(length as u32)));
            }
        }
        if flags & ACK != 0 {
            self.say(format_args!(", ack {ack}"));
        }
        self.say(format_args!(", win {window}"));
        if flags & URG != 0 {
            self.say(format_args!(", urg {}", be16(data, 18)?));
        }
        if header_len > 20 {
            self.put(", options [");
            let whole = data.len() >= header_len;
            if !self.tcp_options(&data[20..header_len.min(data.len())], whole)? {
                return Ok(());
            }
            self.put("]");
        }
        self.say(format_args!(", length {length}"));
        if length == 0 {
            return Ok(());
        }
        if data.len() < header_len {
            self.say(format_args!(" [remaining caplen({}) < header length({header_len})]", data.len()));
            return Err(Cut);
        }
        let body = from(data, header_len);
        if flags & RST != 0 && self.style.verbose > 0 {
            self.reset_data(body, length);
            return Ok(());
        }
        self.tcp_payload(body, length, sport, dport)
    }

    /// Sequence numbers relative to the conversation's first.
    fn relative(
        &mut self,
        ip: IpHeader<'_>,
        ports: (u16, u16),
        flags: u8,
        (seq, ack): (u32, u32),
    ) -> Result<(u32, u32), Cut> {
        let src = (Ipv4Addr::from(be32(ip.bytes, 12)?), ports.0);
        let dst = (Ipv4Addr::from(be32(ip.bytes, 16)?), ports.1);
        let reversed = src.1 > dst.1 || (src.1 == dst.1 && src.0 > dst.0);
        let key = if reversed {
            Conversation { low: dst, high: src }
        } else {
            Conversation { low: src, high: dst }
        };
        match self.conversations.get(&key).filter(|_| flags & SYN == 0) {
            Some(start) if reversed => Ok((seq.wrapping_sub(start.ack), ack.wrapping_sub(start.seq))),
            Some(start) => Ok((seq.wrapping_sub(start.seq), ack.wrapping_sub(start.ack))),
            None => {
                let before_ack = ack.wrapping_sub(1);
                let start = if reversed {
                    Start { ack: seq, seq: before_ack }
                } else {
                    Start { seq, ack: before_ack }
                };
                self.conversations.insert(key, start);
                Ok((seq, ack))
            }
        }
    }

    /// Options up to the closing bracket; false if they are bad.
    fn tcp_options(&mut self, mut rest: &[u8], whole: bool) -> Result<bool, Cut> {
        let mut separator = "";
        while let Some(&kind) = rest.first() {
            self.put(separator);
            let len = match (kind, rest.get(1)) {
                (0 | 1, _) => 1,
                (_, Some(len)) => usize::from(*len),
                (_, None) if whole => 0,
                (_, None) => return Err(Cut),
            };
            let Some(option) = rest.get(..len).filter(|_| len >= 2 || kind <= 1) else {
                self.put("[bad opt]");
                self.put(if separator.is_empty() { "" } else { "]" });
                return Ok(false);
            };
            self.tcp_option(kind, from(option, if kind <= 1 { 1 } else { 2 }), len)?;
            separator = ",";
            if kind == 0 {
                break;
            }
            rest = &rest[len..];
        }
        Ok(true)
    }

    fn tcp_option(&mut self, kind: u8, value: &[u8], len: usize) -> Printed {
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let expected = match kind {
            0 => {
                self.put("eol");
                0
            }
            1 => {
                self.put("nop");
                0
            }
            2 => {
                self.say(format_args!("mss {}", be16(value, 0)?));
                2
            }
            3 => {
                self.say(format_args!("wscale {}", u8_at(value, 0)?));
                1
            }
            4 => {
                self.put("sackOK");
                0
            }
            5 if !value.len().is_multiple_of(8) => {
                self.put("sack invalid sack");
                value.len()
            }
            5 => {
                self.say(format_args!("sack {} ", value.len() / 8));
                for block in value.chunks(8) {
                    self.say(format_args!("{{{}:{}}}", be32(block, 0)?, be32(block, 4)?));
                }
                value.len()
            }
            8 => {
                self.say(format_args!("TS val {} ecr {}", be32(value, 0)?, be32(value, 4)?));
                8
            }
            19 => {
                self.say(format_args!("md5 {}", hex(value)));
                16
            }
            34 => {
                self.put("tfo");
                if value.is_empty() {
                    self.put(" cookiereq");
                } else {
                    self.say(format_args!(" cookie {}", hex(value)));
                }
                value.len()
            }
            kind => {
                self.say(format_args!("unknown-{kind}"));
                if !value.is_empty() {
                    self.say(format_args!(" 0x{}", hex(value)));
                }
                value.len()
            }
        };
        let header = if kind <= 1 { 1 } else { 2 };
        if expected + header != len {
            self.say(format_args!("[len {len}]"));
        }
        Ok(())
    }

    /// Source: `print_tcp_rst_data`.
    fn reset_data(&mut self, data: &[u8], length: usize) {
        const MAX: usize = 30;
        self.put(if data.len() >= length { " [RST" } else { " [!RST" });
        self.put(if length > MAX { "+ " } else { " " });
        for byte in data.iter().take(length.min(MAX)) {
            self.visible(*byte);
        }
        self.put("]");
    }

    /// Simplified: of the protocols over TCP only those of text and DNS are taken apart.
    fn tcp_payload(&mut self, data: &[u8], length: usize, sport: u16, dport: u16) -> Printed {
        let is = |port: u16| sport == port || dport == port;
        if is(25) {
            self.put(": ");
            self.text_protocol("smtp", data, length)
        } else if is(43) {
            self.put(": ");
            self.text_protocol("whois", data, length)
        } else if is(22) {
            self.ssh_version(data);
            Ok(())
        } else if is(21) {
            self.put(": ");
            self.text_protocol("ftp", data, length)
        } else if is(80) || is(8080) {
            self.put(": ");
            self.text_protocol("http", data, length)
        } else if is(554) || is(8554) {
            self.put(": ");
            self.text_protocol("rtsp", data, length)
        } else if is(53) {
            self.dns_over_tcp(data, length)
        } else {
            Ok(())
        }
    }
}
