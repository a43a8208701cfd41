//! IPv4, IP in IP and GRE. Source: `print-ip.c`, `print-ip-demux.c`, `print-gre.c`.

use std::net::Ipv6Addr;

use super::{Cut, Printed, Printer, be16, be32, from, in_cksum, should_be, u8_at};

/// What a transport protocol's printer knows of the IP header.
#[derive(Clone, Copy)]
pub(super) struct IpHeader<'a> {
    /// From the header's first byte.
    pub bytes: &'a [u8],
    /// More fragments follow.
    pub fragmented: bool,
}

/// Source: `ipproto_values`.
fn proto_name(proto: u8) -> &'static str {
    match proto {
        0 => "Options",
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPIP",
        6 => "TCP",
        8 => "EGP",
        9 => "IGRP",
        17 => "UDP",
        33 => "DCCP",
        41 => "IPv6",
        43 => "Routing",
        44 => "Fragment",
        46 => "RSVP",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        55 => "Mobile IP",
        58 => "ICMPv6",
        88 => "EIGRP",
        89 => "OSPF",
        103 => "PIM",
        108 => "Compressed IP",
        112 => "VRRP",
        113 => "PGM",
        132 => "SCTP",
        143 => "Ethernet",
        _ => "unknown",
    }
}

/// The pseudo header's and data's checksum; 0 is right. Source: `nextproto4_cksum`.
pub(super) fn pseudo_cksum(ip: IpHeader<'_>, data: &[u8], proto: u8) -> u16 {
    let addrs = ip.bytes.get(12..20).unwrap_or_default();
    let len = (data.len() as u16).to_be_bytes();
    in_cksum(&[addrs, &[0, proto], &len, data])
}

/// How many datagrams in one another are printed.
///
/// Simplified: tcpdump goes on until its stack ends.
const MAX_DEPTH: usize = 100;

impl Printer {
    /// A datagram. Source: `ip_print`.
    pub(super) fn ip(&mut self, data: &[u8], len: usize) -> Printed {
        if self.depth == MAX_DEPTH {
            return Err(Cut);
        }
        self.depth += 1;
        let printed = self.datagram(data, len);
        self.depth -= 1;
        printed
    }

    fn datagram(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "ip";
        let version = u8_at(data, 0)? >> 4;
        if version != 4 {
            if version == 6 {
                self.put("IP6, wrong link-layer encapsulation");
            } else {
                self.say(format_args!("IP{version}"));
            }
            self.invalid();
            return Ok(());
        }
        if !self.style.link {
            self.put("IP ");
        }
        if data.len() < 20 {
            return Err(Cut);
        }
        if len < 20 {
            self.say(format_args!("truncated-ip {len}"));
            return Ok(());
        }
        let header_len = usize::from(data[0] & 0xf) * 4;
        if header_len < 20 {
            self.say(format_args!("bad-hlen {header_len}"));
            return Ok(());
        }
        let total = usize::from(be16(data, 2)?);
        if len < total {
            self.say(format_args!("truncated-ip - {} bytes missing! ", total - len));
        }
        if total < header_len {
            self.say(format_args!("bad-len {total}"));
            return Ok(());
        }
        let data = &data[..data.len().min(total)];
        let (frag, proto) = (be16(data, 6)?, data[9]);
        if self.style.verbose > 0 {
            self.ip_verbose(data, header_len)?;
        }
        let (src, dst) = (self.addr(data, 12)?, self.addr(data, 16)?);
        if frag & 0x1fff != 0 {
            self.say(format_args!("{src} > {dst}: ip-proto-{proto}"));
            return Ok(());
        }
        if ![6, 17, 132, 33].contains(&proto) {
            self.say(format_args!("{src} > {dst}: "));
        }
        if data.len() < header_len {
            self.say(format_args!(" [remaining caplen({}) < header length({header_len})]", data.len()));
            return Err(Cut);
        }
        let header = IpHeader { bytes: data, fragmented: frag & 0x2000 != 0 };
        self.demux(proto, from(data, header_len), total - header_len, header)
    }

    /// The part in parentheses under `-v`.
    fn ip_verbose(&mut self, data: &[u8], header_len: usize) -> Printed {
        let (tos, ttl, frag) = (data[1], data[8], be16(data, 6)?);
        self.say(format_args!("(tos 0x{tos:x}{}", ["", ",ECT(1)", ",ECT(0)", ",CE"][usize::from(tos & 3)]));
        if ttl >= 1 {
            self.say(format_args!(", ttl {ttl}"));
        }
        let flags: Vec<&str> = [(0x2000, "+"), (0x4000, "DF"), (0x8000, "rsvd")]
            .into_iter()
            .filter_map(|(bit, name)| (frag & bit != 0).then_some(name))
            .collect();
        let flags = if flags.is_empty() { "none".to_owned() } else { flags.join(", ") };
        self.say(format_args!(
            ", id {}, offset {}, flags [{flags}], proto {} ({}), length {}",
            be16(data, 4)?,
            u32::from(frag & 0x1fff) * 8,
            proto_name(data[9]),
            data[9],
            be16(data, 2)?
        ));
        if let Some(options) = data.get(20..header_len).filter(|options| !options.is_empty()) {
            self.put(", options (");
            self.ip_options(options)?;
            self.put(")");
        }
        if let Some(header) = data.get(..header_len).filter(|_| !self.style.trust_checksums) {
            let sum = in_cksum(&[header]);
            if sum != 0 {
                let stated = be16(data, 10)?;
                self.say(format_args!(", bad cksum {stated:x} (->{:x})!", should_be(stated, sum)));
            }
        }
        self.put(")\n    ");
        Ok(())
    }

    /// Source: `ip_optprint`.
    fn ip_options(&mut self, mut rest: &[u8]) -> Printed {
        let mut separator = "";
        while let Some(&code) = rest.first() {
            self.put(separator);
            separator = ",";
            match code {
                0 => self.put("EOL"),
                1 => self.put("NOP"),
                7 => self.put("RR"),
                68 => self.put("timestamp"),
                82 => self.put("traceroute"),
                130 => self.put("security"),
                131 => self.put("LSRR"),
                137 => self.put("SSRR"),
                148 => self.put("RA"),
                other => self.say(format_args!("unknown {other}")),
            }
            if code == 0 {
                return Ok(());
            }
            let len = if code == 1 { 1 } else { usize::from(u8_at(rest, 1)?) };
            let Some(option) = rest.get(..len).filter(|_| len >= 2 || code == 1) else {
                self.say(format_args!(" [bad length {len}]"));
                return Ok(());
            };
            match code {
                7 | 131 | 137 => self.ip_route(option)?,
                68 => self.ip_timestamps(option)?,
                148 if len >= 4 && be16(option, 2)? != 0 => {
                    self.say(format_args!(" value {}", be16(option, 2)?))
                }
                _ => {}
            }
            rest = &rest[len..];
        }
        Ok(())
    }

    /// Source: `ip_printroute`.
    fn ip_route(&mut self, option: &[u8]) -> Printed {
        let len = option.len();
        if len < 3 || !(len + 1).is_multiple_of(4) {
            self.say(format_args!(" [bad length {len}]"));
        }
        let pointer = usize::from(u8_at(option, 2)?);
        let filled = pointer.saturating_sub(1);
        if filled < 3 || (filled + 1) % 4 != 0 || filled > len + 1 {
            self.say(format_args!(" [bad ptr {pointer}]"));
        }
        for at in (3..len).step_by(4) {
            let addr = self.addr(option, at)?;
            self.say(format_args!(" {addr}{}", if filled > at { "," } else { "" }));
        }
        Ok(())
    }

    /// Source: `ip_printts`.
    fn ip_timestamps(&mut self, option: &[u8]) -> Printed {
        let len = option.len();
        if len < 4 {
            self.say(format_args!("[bad length {len}]"));
            return Ok(());
        }
        self.put(" TS{");
        let kind = option[3] & 0xf;
        let entry = if kind == 0 { 4 } else { 8 };
        let filled = usize::from(option[2]).saturating_sub(1);
        self.put(match kind {
            0 => "TSONLY",
            1 => "TS+ADDR",
            3 => "PRESPEC",
            _ => "[bad ts type]",
        });
        for at in (4..len).step_by(entry) {
            let separator = if filled == at { " ^ " } else { " " };
            let time = be32(option, at + entry - 4)?;
            let addr = if entry == 8 { self.addr(option, at)? } else { String::new() };
            self.say(format_args!("{separator}{time}@{addr}"));
        }
        if filled == len {
            self.put(" ^ ");
        }
        match option[3] >> 4 {
            0 => self.put("}"),
            missed => self.say(format_args!(" [{missed} hops not recorded]}} ")),
        }
        Ok(())
    }

    /// A transport protocol. Source: `ip_demux_print`.
    fn demux(&mut self, proto: u8, data: &[u8], len: usize, ip: IpHeader<'_>) -> Printed {
        match proto {
            1 => self.icmp(data, len, ip),
            2 => self.igmp(data, len),
            4 => self.ip(data, len),
            6 => self.tcp(data, len, ip),
            17 => self.udp(data, len, ip),
            41 => self.ip6(data),
            47 => self.gre(data, len),
            59 => {
                self.put("no next header");
                Ok(())
            }
            proto => {
                self.say(format_args!(" ip-proto-{proto} {len}"));
                Ok(())
            }
        }
    }

    /// Simplified: of IPv6 only addresses, next header and length.
    pub(super) fn ip6(&mut self, data: &[u8]) -> Printed {
        self.protocol = "ip6";
        if data.len() < 40 {
            return Err(Cut);
        }
        if !self.style.link {
            self.put("IP6 ");
        }
        let addr = |at: usize| -> Result<Ipv6Addr, Cut> {
            let bytes: [u8; 16] = data.get(at..at + 16).and_then(|b| b.try_into().ok()).ok_or(Cut)?;
            Ok(Ipv6Addr::from(bytes))
        };
        self.say(format_args!("{} > {}: {} {}", addr(8)?, addr(24)?, proto_name(data[6]), be16(data, 4)?));
        Ok(())
    }

    /// GRE version 0. Source: `gre_print_0`.
    fn gre(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "gre";
        let (flags, kind) = (be16(data, 0)?, be16(data, 2)?);
        self.say(format_args!("GREv{}", flags & 7));
        if self.style.verbose > 0 {
            let names: Vec<&str> =
                [(0x8000, "checksum present"), (0x2000, "key present"), (0x1000, "sequence# present")]
                    .into_iter()
                    .filter_map(|(bit, name)| (flags & bit != 0).then_some(name))
                    .collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            self.say(format_args!(", Flags [{names}]"));
        }
        let mut at = 4;
        if flags & 0x8000 != 0 {
            if self.style.verbose > 0 {
                self.say(format_args!(", sum 0x{:x}", be16(data, at)?));
            }
            self.say(format_args!(", off 0x{:x}", be16(data, at + 2)?));
            at += 4;
        }
        if flags & 0x2000 != 0 {
            self.say(format_args!(", key=0x{:x}", be32(data, at)?));
            at += 4;
        }
        if flags & 0x1000 != 0 {
            self.say(format_args!(", seq {}", be32(data, at)?));
            at += 4;
        }
        if self.style.link {
            let name = super::ether::ether_type_name(kind).unwrap_or("unknown");
            self.say(format_args!(", proto {name} (0x{kind:04x})"));
        }
        self.say(format_args!(", length {len}"));
        self.put(if self.style.verbose == 0 { ": " } else { "\n\t" });
        let (rest, left) = (from(data, at), len.saturating_sub(at));
        match kind {
            0x0800 => self.ip(rest, left),
            0x86dd => self.ip6(rest),
            0x6558 => self.ether(rest, left).map(|_| ()),
            other => {
                self.say(format_args!("gre-proto-0x{other:x}"));
                Ok(())
            }
        }
    }
}
