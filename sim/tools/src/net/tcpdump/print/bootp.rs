//! BOOTP and DHCP. Source: `print-bootp.c`.

use super::ether::mac;
use super::{Printed, Printer, be16, be32, from, u8_at};

/// How an option's value is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing but the name.
    Bare,
    Addresses,
    AddressPairs,
    Words,
    SignedWords,
    Shorts,
    Bytes,
    Text,
    Bool,
    Overload,
    ClientId,
    Routes,
}

/// Name and form of an option. Source: `tag2str`.
///
/// Simplified: the rare options print as unknown.
fn option(code: u8) -> Option<(Form, &'static str)> {
    use Form::{
        AddressPairs, Addresses, Bare, Bool, Bytes, ClientId, Overload, Routes, Shorts, SignedWords, Text,
        Words,
    };
    Some(match code {
        0 => (Bare, "PAD"),
        1 => (Addresses, "Subnet-Mask"),
        2 => (SignedWords, "Time-Zone"),
        3 => (Addresses, "Default-Gateway"),
        4 => (Addresses, "Time-Server"),
        5 => (Addresses, "IEN-Name-Server"),
        6 => (Addresses, "Domain-Name-Server"),
        7 => (Addresses, "LOG"),
        8 => (Addresses, "CS"),
        9 => (Addresses, "LPR-Server"),
        12 => (Text, "Hostname"),
        13 => (Shorts, "BS"),
        14 => (Text, "DP"),
        15 => (Text, "Domain-Name"),
        16 => (Addresses, "SS"),
        17 => (Text, "RP"),
        18 => (Text, "EP"),
        19 => (Bool, "IPF"),
        20 => (Bool, "SRT"),
        21 => (AddressPairs, "PF"),
        22 => (Shorts, "RSZ"),
        23 => (Bytes, "TTL"),
        24 => (Words, "MTU-Timeout"),
        25 => (Shorts, "MTU-Table"),
        26 => (Shorts, "MTU"),
        27 => (Bool, "LSN"),
        28 => (Addresses, "BR"),
        29 => (Bool, "MD"),
        30 => (Bool, "MS"),
        31 => (Bool, "Router-Discovery"),
        32 => (Addresses, "RSA"),
        33 => (AddressPairs, "Static-Route"),
        34 => (Bool, "UT"),
        35 => (Words, "AT"),
        36 => (Bool, "IE"),
        37 => (Bytes, "TT"),
        38 => (Words, "KI"),
        39 => (Bool, "KG"),
        40 => (Text, "YD"),
        41 => (Addresses, "YS"),
        42 => (Addresses, "NTP"),
        43 => (Bytes, "Vendor-Option"),
        44 => (Addresses, "Netbios-Name-Server"),
        45 => (Addresses, "WDD"),
        47 => (Text, "Netbios-Scope"),
        50 => (Addresses, "Requested-IP"),
        51 => (Words, "Lease-Time"),
        52 => (Overload, "OO"),
        53 => (Bytes, "DHCP-Message"),
        54 => (Addresses, "Server-ID"),
        55 => (Bytes, "Parameter-Request"),
        56 => (Text, "MSG"),
        57 => (Shorts, "MSZ"),
        58 => (Words, "RN"),
        59 => (Words, "RB"),
        60 => (Text, "Vendor-Class"),
        61 => (ClientId, "Client-ID"),
        66 => (Text, "TFTP"),
        67 => (Text, "BF"),
        121 => (Routes, "Classless-Static-Route"),
        249 => (Routes, "Classless-Static-Route-Microsoft"),
        255 => (Bare, "END"),
        _ => return None,
    })
}

const MESSAGES: [&str; 8] = ["Discover", "Offer", "Request", "Decline", "ACK", "NACK", "Release", "Inform"];
/// Where the options begin, with their magic cookie.
const OPTIONS: usize = 236;
const MAGIC: u32 = 0x6382_5363;

impl Printer {
    /// A message. Source: `bootp_print`.
    pub(super) fn bootp(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "bootp";
        let (op, htype, hlen) = (u8_at(data, 0)?, u8_at(data, 1)?, u8_at(data, 2)?);
        match op {
            1 => self.put("BOOTP/DHCP, Request"),
            2 => self.put("BOOTP/DHCP, Reply"),
            op => self.say(format_args!("BOOTP/DHCP, unknown (0x{op:02x})")),
        }
        let is_ether = htype == 1 && hlen == 6;
        if is_ether && op == 1 {
            let client = mac(data, 28)?;
            self.say(format_args!(" from {client}"));
        }
        self.say(format_args!(", length {len}"));
        if self.style.verbose == 0 {
            return Ok(());
        }
        be16(data, 8)?;
        if htype != 1 {
            self.say(format_args!(", htype {htype}"));
        }
        if !is_ether {
            self.say(format_args!(", hlen {hlen}"));
        }
        let hops = u8_at(data, 3)?;
        if hops != 0 {
            self.say(format_args!(", hops {hops}"));
        }
        let (xid, secs, flags) = (be32(data, 4)?, be16(data, 8)?, be16(data, 10)?);
        if xid != 0 {
            self.say(format_args!(", xid 0x{xid:x}"));
        }
        if secs != 0 {
            self.say(format_args!(", secs {secs}"));
        }
        let text = if flags & 0x8000 != 0 { "Broadcast" } else { "none" };
        self.say(format_args!(", Flags [{text}]"));
        if self.style.verbose > 1 {
            self.say(format_args!(" (0x{flags:04x})"));
        }
        for (name, at) in [("Client", 12), ("Your", 16), ("Server", 20), ("Gateway", 24)] {
            if be32(data, at)? != 0 {
                let addr = self.addr(data, at)?;
                self.say(format_args!("\n\t  {name}-IP {addr}"));
            }
        }
        if is_ether {
            let client = mac(data, 28)?;
            self.say(format_args!("\n\t  Client-Ethernet-Address {client}"));
        }
        for (name, at, size) in [("sname", 44, 64), ("file", 108, 128)] {
            if u8_at(data, at)? != 0 {
                self.say(format_args!("\n\t  {name} \""));
                let field = data.get(at..(at + size).min(data.len())).unwrap_or_default();
                for &byte in field.iter().take_while(|&&byte| byte != 0) {
                    self.visible(byte);
                }
                self.put("\"");
            }
        }
        match be32(data, OPTIONS)? {
            MAGIC => self.dhcp_options(from(data, OPTIONS + 4)),
            0 => Ok(()),
            other => {
                self.say(format_args!("\n\t  Vendor-#0x{other:x}"));
                Ok(())
            }
        }
    }

    /// Source: `rfc1048_print`.
    fn dhcp_options(&mut self, mut rest: &[u8]) -> Printed {
        self.say(format_args!("\n\t  Vendor-rfc1048 Extensions\n\t    Magic Cookie 0x{MAGIC:08x}"));
        let verbose = self.style.verbose;
        while let Some((&code, after)) = rest.split_first() {
            rest = after;
            if code == 0 && verbose < 3 {
                continue;
            }
            if code == 255 && verbose < 3 {
                return Ok(());
            }
            let known = option(code);
            let len = match code {
                0 | 255 => 0,
                _ => {
                    let len = usize::from(u8_at(rest, 0)?);
                    rest = from(rest, 1);
                    len
                }
            };
            let colon = if len > 0 { ": " } else { "" };
            let name = known.map_or("Unknown", |(_, name)| name);
            self.say(format_args!("\n\t    {name} ({code}), length {len}{colon}"));
            if code == 0 {
                let more = rest.iter().take_while(|&&byte| byte == 0).count();
                rest = from(rest, more);
                if more > 0 {
                    self.say(format_args!(", occurs {}", more + 1));
                }
                continue;
            }
            let value = rest.get(..len).ok_or(super::Cut)?;
            rest = from(rest, len);
            match code {
                53 if len == 1 => match MESSAGES.get(usize::from(value[0].wrapping_sub(1))) {
                    Some(message) => self.put(message),
                    None => self.say(format_args!("Unknown ({})", value[0])),
                },
                55 => self.wanted_options(value),
                _ => {
                    let odd = if len % 2 == 1 { Form::Bytes } else { Form::Shorts };
                    let form = known.map_or(if len % 4 == 0 { Form::Words } else { odd }, |(form, _)| form);
                    self.option_value(form, value)?;
                }
            }
        }
        Ok(())
    }

    fn wanted_options(&mut self, codes: &[u8]) {
        for (index, &code) in codes.iter().enumerate() {
            self.put(if index % 4 == 0 { "\n\t      " } else { ", " });
            let name = option(code).map_or("Unknown", |(_, name)| name);
            self.say(format_args!("{name} ({code})"));
        }
    }

    fn option_value(&mut self, form: Form, value: &[u8]) -> Printed {
        let mut parts: Vec<String> = Vec::new();
        match form {
            Form::Bare => {}
            Form::Text => {
                self.put("\"");
                for &byte in value {
                    self.visible(byte);
                }
                self.put("\"");
            }
            Form::Addresses => {
                for at in (0..value.len() / 4).map(|index| index * 4) {
                    parts.push(self.addr(value, at)?);
                }
            }
            Form::AddressPairs => {
                for at in (0..value.len() / 8).map(|index| index * 8) {
                    parts.push(format!("({}:{})", self.addr(value, at)?, self.addr(value, at + 4)?));
                }
            }
            Form::Words => {
                for at in (0..value.len() / 4).map(|index| index * 4) {
                    parts.push(be32(value, at)?.to_string());
                }
            }
            Form::SignedWords => {
                for at in (0..value.len() / 4).map(|index| index * 4) {
                    parts.push((be32(value, at)? as i32).to_string());
                }
            }
            Form::Shorts => {
                for at in (0..value.len() / 2).map(|index| index * 2) {
                    parts.push(be16(value, at)?.to_string());
                }
            }
            Form::Bool => match value {
                [0] => self.put("N"),
                [1] => self.put("Y"),
                [other] => self.say(format_args!("{other}?")),
                _ => self.put("[length != 1 byte]"),
            },
            Form::Bytes => {
                let text: Vec<String> = value.iter().map(u8::to_string).collect();
                self.put(&text.join("."));
            }
            Form::Overload => {
                let names = ["", "file", "sname", "file+sname"];
                self.put(value.first().and_then(|&byte| names.get(usize::from(byte))).unwrap_or(&""));
            }
            Form::ClientId => self.client_id(value),
            Form::Routes => self.classless_routes(value)?,
        }
        self.put(&parts.join(","));
        Ok(())
    }

    fn client_id(&mut self, value: &[u8]) {
        let Some((&kind, id)) = value.split_first() else { return };
        if kind == 0 {
            self.put("\"");
            for &byte in id {
                self.visible(byte);
            }
            self.put("\"");
            return;
        }
        match kind {
            1 => self.put("ether"),
            6 => self.put("ieee802"),
            255 => self.put("hardware-type 255,"),
            other => self.say(format_args!("hardware-type {other}")),
        }
        let text: Vec<String> = id.iter().map(|byte| format!("{byte:02x}")).collect();
        self.say(format_args!(" {}", text.join(":")));
    }

    fn classless_routes(&mut self, mut value: &[u8]) -> Printed {
        let mut first = true;
        while let Some((&width, rest)) = value.split_first() {
            let bytes = usize::from(width).div_ceil(8);
            self.put(if first { "" } else { "," });
            first = false;
            if width > 32 {
                self.say(format_args!("bad width {width}"));
                return Ok(());
            }
            let net = rest.get(..bytes).ok_or(super::Cut)?;
            if width == 0 {
                self.put("(default");
            } else {
                let mut text: Vec<String> = net.iter().map(u8::to_string).collect();
                text.resize(4, "0".to_owned());
                self.say(format_args!("({}/{width}", text.join(".")));
            }
            let gateway = self.addr(rest, bytes)?;
            self.say(format_args!(":{gateway})"));
            value = from(rest, bytes + 4);
        }
        Ok(())
    }
}
