//! ARP. Source: `print-arp.c`.

use super::ether::{ether_type_name, mac};
use super::{Cut, Printed, Printer, be16, u8_at};

/// Source: `arpop_values`.
fn operation(op: u16) -> String {
    match op {
        1 => "Request",
        2 => "Reply",
        3 => "Reverse Request",
        4 => "Reverse Reply",
        8 => "Inverse Request",
        9 => "Inverse Reply",
        10 => "NACK Reply",
        op => return format!("Unknown ({op})"),
    }
    .to_owned()
}

fn hardware(number: u16) -> String {
    match number {
        1 => "Ethernet",
        6 => "TokenRing",
        15 => "Frame Relay",
        24 => "IEEE1394",
        32 => "InfiniBand",
        number => return format!("Unknown Hardware ({number})"),
    }
    .to_owned()
}

impl Printer {
    /// An ARP message. Source: `arp_print`.
    pub(super) fn arp(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "arp";
        if data.len() < 8 {
            return Err(Cut);
        }
        let (hrd, pro, op) = (be16(data, 0)?, be16(data, 2)?, be16(data, 6)?);
        let (hln, pln) = (usize::from(u8_at(data, 4)?), usize::from(u8_at(data, 5)?));
        let (sha, spa) = (8, 8 + hln);
        let (tha, tpa) = (spa + pln, spa + pln + hln);
        if data.len() < tpa + pln {
            return Err(Cut);
        }
        if !self.style.link {
            self.put("ARP, ");
        }
        let verbose = self.style.verbose > 0;
        if pro != 0x0800 || pln != 4 || hln == 0 || verbose {
            let protocol =
                ether_type_name(pro).map_or_else(|| format!("Unknown Protocol (0x{pro:04x})"), str::to_owned);
            self.say(format_args!("{} (len {hln}), {protocol} (len {pln})", hardware(hrd)));
            if !verbose {
                self.say(format_args!(", length {len}"));
                return Ok(());
            }
        }
        self.say(format_args!("{}{} ", if verbose { ", " } else { "" }, operation(op)));
        let link = |at: usize| -> Result<String, Cut> {
            if hln == 6 {
                return Ok(mac(data, at)?.to_string());
            }
            let bytes: Vec<String> = data[at..at + hln].iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(if bytes.is_empty() { "<empty>".to_owned() } else { bytes.join(":") })
        };
        let network = |printer: &Self, at: usize| -> Result<String, Cut> {
            match (pro, pln) {
                (0x0800, 4) => printer.addr(data, at),
                (0x0800, _) => Ok("<wrong len>".to_owned()),
                _ => Ok("<wrong proto type>".to_owned()),
            }
        };
        match op {
            1 => {
                let (target, sender) = (network(self, tpa)?, network(self, spa)?);
                self.say(format_args!("who-has {target}"));
                if data[tha..tha + hln].iter().any(|byte| *byte != 0) {
                    self.say(format_args!(" ({})", link(tha)?));
                }
                self.say(format_args!(" tell {sender}"));
            }
            2 => {
                let sender = network(self, spa)?;
                self.say(format_args!("{sender} is-at {}", link(sha)?));
            }
            3 | 8 => self.say(format_args!("who-is {} tell {}", link(tha)?, link(sha)?)),
            4 => {
                let target = network(self, tpa)?;
                self.say(format_args!("{} at {target}", link(tha)?));
            }
            9 => {
                let sender = network(self, spa)?;
                self.say(format_args!("{} at {sender}", link(sha)?));
            }
            _ => {
                self.hex_and_ascii(data);
                return Ok(());
            }
        }
        self.say(format_args!(", length {len}"));
        Ok(())
    }
}
