//! UDP and the tunnels in it. Source: `print-udp.c`, `print-vxlan.c`, `print-otv.c`, `print-geneve.c`.

use super::ip::{IpHeader, pseudo_cksum};
use super::{Cut, Printed, Printer, be16, be24, from, should_be, u8_at};

impl Printer {
    /// A datagram. Source: `udp_print`.
    ///
    /// Simplified: of the protocols in UDP only DNS, DHCP and the overlay tunnels are taken apart.
    pub(super) fn udp(&mut self, data: &[u8], len: usize, ip: IpHeader<'_>) -> Printed {
        self.protocol = "udp";
        let (src, dst) = (self.addr(ip.bytes, 12)?, self.addr(ip.bytes, 16)?);
        let (Ok(sport), Ok(dport)) = (be16(data, 0), be16(data, 2)) else {
            self.say(format_args!("{src} > {dst}: "));
            return Err(Cut);
        };
        let (from_port, to_port) = (self.port(sport, "udp"), self.port(dport, "udp"));
        self.say(format_args!("{src}.{from_port} > {dst}.{to_port}: "));
        if len < 8 {
            self.say(format_args!("truncated-udp {len}"));
            return Ok(());
        }
        let stated = usize::from(be16(data, 4)?);
        if stated < 8 {
            self.say(format_args!("truncated-udplength {stated}"));
            return Ok(());
        }
        let stated = stated - 8;
        let length = stated.min(len - 8);
        if data.len() < 8 {
            return Err(Cut);
        }
        let body = from(data, 8);
        if self.style.verbose > 1 && !self.style.trust_checksums && !ip.fragmented {
            match be16(data, 6)? {
                0 => self.put("[no cksum] "),
                sum => {
                    if let Some(datagram) = data.get(..length + 8) {
                        match pseudo_cksum(ip, datagram, 17) {
                            0 => self.put("[udp sum ok] "),
                            wrong => self.say(format_args!(
                                "[bad udp cksum 0x{sum:04x} -> 0x{:04x}!] ",
                                should_be(sum, wrong)
                            )),
                        }
                    }
                }
            }
        }
        let is = |port: u16| sport == port || dport == port;
        if self.style.quiet {
            self.plain_udp(stated, length, ip.fragmented);
            Ok(())
        } else if is(53) || is(5353) {
            self.dns(body, length, is(5353) && !is(53))
        } else if is(67) || is(68) {
            self.bootp(body, length)
        } else if is(8472) {
            self.otv(body, length)
        } else if is(4789) {
            self.vxlan(body, length)
        } else if is(6081) {
            self.geneve(body, length)
        } else {
            self.plain_udp(stated, length, ip.fragmented);
            Ok(())
        }
    }

    fn plain_udp(&mut self, stated: usize, length: usize, fragmented: bool) {
        if stated > length && !fragmented {
            self.say(format_args!("UDP, bad length {stated} > {length}"));
        } else {
            self.say(format_args!("UDP, length {stated}"));
        }
    }

    /// Source: `vxlan_print`.
    fn vxlan(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "vxlan";
        self.put("VXLAN");
        if len < 8 {
            self.invalid();
            return Ok(());
        }
        let flags = u8_at(data, 0)?;
        let text = if flags & 0x08 == 0 { "invalid" } else { "I" };
        self.say(format_args!(", flags [{text}] (0x{flags:02x}), vni {}\n", be24(data, 4)?));
        u8_at(data, 7)?;
        self.ether(from(data, 8), len - 8).map(|_| ())
    }

    /// Source: `otv_print`.
    fn otv(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "otv";
        self.put("OTV, ");
        if len < 8 {
            self.say(format_args!("[length {len} < 8]"));
            self.invalid();
            return Ok(());
        }
        let flags = u8_at(data, 0)?;
        let text = if flags & 0x08 == 0 { "." } else { "I" };
        let (overlay, instance) = (be24(data, 1)?, be24(data, 4)?);
        self.say(format_args!("flags [{text}] (0x{flags:02x}), overlay {overlay}, instance {instance}\n"));
        u8_at(data, 7)?;
        self.ether(from(data, 8), len - 8).map(|_| ())
    }

    /// Source: `geneve_print`; options are skipped.
    fn geneve(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "geneve";
        self.put("Geneve");
        let (first, flags, kind, vni) = (u8_at(data, 0)?, u8_at(data, 1)?, be16(data, 2)?, be24(data, 4)?);
        let text = match (flags & 0x80 != 0, flags & 0x40 != 0) {
            (true, true) => "OC",
            (true, false) => "O",
            (false, true) => "C",
            (false, false) => "none",
        };
        self.say(format_args!(", Flags [{text}], vni 0x{vni:x}"));
        if kind != 0x6558 {
            self.say(format_args!(", proto 0x{kind:04x}"));
        }
        let header = 8 + 4 * usize::from(first & 0x3f);
        self.put(if self.style.verbose > 0 { "\n\t" } else { ": " });
        match kind {
            0x6558 => self.ether(from(data, header), len.saturating_sub(header)).map(|_| ()),
            0x0800 => self.ip(from(data, header), len.saturating_sub(header)),
            other => {
                self.say(format_args!("geneve-proto-0x{other:x}"));
                Ok(())
            }
        }
    }
}
