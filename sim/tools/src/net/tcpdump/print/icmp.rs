//! ICMP. Source: `print-icmp.c`.

use super::ip::IpHeader;
use super::{Cut, Printed, Printer, be16, be32, from, in_cksum, should_be, u8_at};

/// Milliseconds since midnight. Source: `icmp_tstamp_print`.
fn clock(millis: u32) -> String {
    let seconds = millis / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, millis % 1000)
}

impl Printer {
    /// A message. Source: `icmp_print`.
    pub(super) fn icmp(&mut self, data: &[u8], len: usize, ip: IpHeader<'_>) -> Printed {
        self.protocol = "icmp";
        let (kind, code) = (u8_at(data, 0)?, u8_at(data, 1)?);
        let text = match kind {
            0 | 8 => {
                let what = if kind == 8 { "request" } else { "reply" };
                format!("echo {what}, id {}, seq {}", be16(data, 4)?, be16(data, 6)?)
            }
            3 => self.unreachable(data, code)?,
            4 => "source quench".to_owned(),
            5 => {
                let (dst, gateway) = (self.addr(data, 24)?, self.addr(data, 4)?);
                match code {
                    0 => format!("redirect {dst} to net {gateway}"),
                    1 => format!("redirect {dst} to host {gateway}"),
                    2 => format!("redirect-tos {dst} to net {gateway}"),
                    3 => format!("redirect-tos {dst} to host {gateway}"),
                    code => format!("redirect-#{code} {dst} to {gateway}"),
                }
            }
            10 => "router solicitation".to_owned(),
            11 if data.len() < 28 => return Err(Cut),
            11 => match code {
                0 => "time exceeded in-transit".to_owned(),
                1 => "ip reassembly time exceeded".to_owned(),
                code => format!("time exceeded-#{code}"),
            },
            12 if code != 0 => format!("parameter problem - code {code}"),
            12 => format!("parameter problem - octet {}", u8_at(data, 4)?),
            13 => format!("time stamp query id {} seq {}", be16(data, 4)?, be16(data, 6)?),
            14 => format!(
                "time stamp reply id {} seq {}: org {}, recv {}, xmit {}",
                be16(data, 4)?,
                be16(data, 6)?,
                clock(be32(data, 8)?),
                clock(be32(data, 12)?),
                clock(be32(data, 16)?)
            ),
            15 => "information request".to_owned(),
            16 => "information reply".to_owned(),
            17 => "address mask request".to_owned(),
            18 => format!("address mask is 0x{:08x}", be32(data, 8)?),
            kind => format!("type-#{kind}"),
        };
        self.say(format_args!("ICMP {text}, length {len}"));
        if self.style.verbose == 0 {
            return Ok(());
        }
        if let Some(message) = data.get(..len).filter(|_| !ip.fragmented) {
            let sum = in_cksum(&[message]);
            if sum != 0 {
                let stated = be16(data, 2)?;
                self.say(format_args!(" (wrong icmp cksum {stated:x} (->{:x})!)", should_be(stated, sum)));
            }
        }
        if [3, 4, 5, 11, 12].contains(&kind) {
            self.put("\n\t");
            let quoted = from(data, 8);
            let total = usize::from(be16(quoted, 2)?);
            self.ip(&quoted[..quoted.len().min(total)], total)?;
        }
        Ok(())
    }

    fn unreachable(&self, data: &[u8], code: u8) -> Result<String, Cut> {
        let dst = self.addr(data, 24)?;
        Ok(match code {
            0 => format!("net {dst} unreachable"),
            1 => format!("host {dst} unreachable"),
            2 => format!("{dst} protocol {} unreachable", u8_at(data, 17)?),
            3 => {
                let header_len = usize::from(u8_at(data, 8)? & 0xf) * 4;
                let port = be16(data, 8 + header_len + 2)?;
                match u8_at(data, 17)? {
                    6 => format!("{dst} tcp port {} unreachable", self.port(port, "tcp")),
                    17 => format!("{dst} udp port {} unreachable", self.port(port, "udp")),
                    proto => format!("{dst} protocol {proto} port {port} unreachable"),
                }
            }
            4 => match be16(data, 6)? {
                0 => format!("{dst} unreachable - need to frag"),
                mtu => format!("{dst} unreachable - need to frag (mtu {mtu})"),
            },
            5 => format!("{dst} unreachable - source route failed"),
            6 => format!("net {dst} unreachable - unknown"),
            7 => format!("host {dst} unreachable - unknown"),
            8 => format!("{dst} unreachable - source host isolated"),
            9 => format!("net {dst} unreachable - admin prohibited"),
            10 => format!("host {dst} unreachable - admin prohibited"),
            11 => format!("net {dst} unreachable - tos prohibited"),
            12 => format!("host {dst} unreachable - tos prohibited"),
            13 => format!("host {dst} unreachable - admin prohibited filter"),
            14 => format!("host {dst} unreachable - host precedence violation"),
            15 => format!("host {dst} unreachable - precedence cutoff"),
            code => format!("{dst} unreachable - #{code}"),
        })
    }
}
