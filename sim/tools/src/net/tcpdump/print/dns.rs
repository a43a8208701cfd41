//! DNS. Source: `print-domain.c`.

use std::net::Ipv6Addr;

use super::{Cut, Printed, Printer, be16, be32, from, u8_at};

const OPERATIONS: [&str; 16] = [
    "",
    " inv_q",
    " stat",
    " op3",
    " notify",
    " update",
    " op6",
    " op7",
    " op8",
    " updateA",
    " updateD",
    " updateDA",
    " updateM",
    " updateMA",
    " zoneInit",
    " zoneRef",
];
const RESPONSES: [&str; 24] = [
    "",
    " FormErr",
    " ServFail",
    " NXDomain",
    " NotImp",
    " Refused",
    " YXDomain",
    " YXRRSet",
    " NXRRSet",
    " NotAuth",
    " NotZone",
    " Resp11",
    " Resp12",
    " Resp13",
    " Resp14",
    " NoChange",
    " BadVers",
    "Resp17",
    " Resp18",
    " Resp19",
    " Resp20",
    "Resp21",
    " Resp22",
    " BadCookie",
];
const OPT: u16 = 41;
const HEADER: usize = 12;

fn type_name(kind: u16) -> String {
    match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        10 => "NULL",
        11 => "WKS",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        35 => "NAPTR",
        39 => "DNAME",
        41 => "OPT",
        43 => "DS",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        256 => "URI",
        kind => return format!("Type{kind}"),
    }
    .to_owned()
}

fn class_name(class: u16) -> String {
    match class {
        3 => "CHAOS".to_owned(),
        4 => "HS".to_owned(),
        255 => "ANY".to_owned(),
        class => format!("(Class {class})"),
    }
}

/// Seconds as `5m1s`. Source: `unsigned_relts_print`.
fn relative_time(mut seconds: u32) -> String {
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, name) in [(31_536_000, "y"), (604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] {
        if seconds >= unit {
            text.push_str(&format!("{}{name}", seconds / unit));
            seconds %= unit;
        }
    }
    text
}

/// Where a name ends.
fn skip_name(data: &[u8], mut at: usize) -> Result<usize, Cut> {
    loop {
        match u8_at(data, at)? {
            0 => return Ok(at + 1),
            len if len >= 0xc0 => return Ok(at + 2),
            len => at += 1 + usize::from(len),
        }
    }
}

impl Printer {
    /// A name, and where it ends. Source: `fqdn_print`.
    fn name(&mut self, data: &[u8], start: usize) -> Result<usize, Cut> {
        let end = skip_name(data, start)?;
        let (mut at, mut bound) = (start, start);
        if u8_at(data, at)? == 0 {
            self.put(".");
        }
        loop {
            let len = u8_at(data, at)?;
            if len == 0 {
                return Ok(end);
            }
            if len >= 0xc0 {
                let target = usize::from(be16(data, at)? & 0x3fff);
                if target >= bound {
                    self.put("<BAD PTR>");
                    return Err(Cut);
                }
                (at, bound) = (target, target);
                continue;
            }
            let label = data.get(at + 1..at + 1 + usize::from(len)).ok_or(Cut)?;
            for byte in label {
                self.visible(*byte);
            }
            self.put(".");
            at += 1 + usize::from(len);
        }
    }

    /// Source: `ns_qprint`.
    fn question(&mut self, data: &[u8], at: usize, mdns: bool) -> Result<usize, Cut> {
        let end = skip_name(data, at)?;
        let (kind, raw_class) = (be16(data, end)?, be16(data, end + 2)?);
        self.say(format_args!(" {}", type_name(kind)));
        let class = if mdns { raw_class & 0x7fff } else { raw_class };
        if class != 1 {
            self.say(format_args!(" {}", class_name(class)));
        }
        if mdns {
            self.put(if raw_class & 0x8000 == 0 { " (QM)" } else { " (QU)" });
        }
        self.put("? ");
        self.name(data, at)?;
        Ok(end + 4)
    }

    /// Source: `ns_rprint`.
    fn resource(&mut self, data: &[u8], at: usize, mdns: bool) -> Result<usize, Cut> {
        let at = if self.style.verbose > 0 {
            self.put(" ");
            self.name(data, at)?
        } else {
            skip_name(data, at)?
        };
        let (kind, raw_class) = (be16(data, at)?, be16(data, at + 2)?);
        let class = if mdns { raw_class & 0x7fff } else { raw_class };
        if class != 1 && kind != OPT {
            self.say(format_args!(" {}", class_name(class)));
        }
        if mdns && raw_class & 0x8000 != 0 {
            self.put(" (Cache flush)");
        }
        let ttl = be32(data, at + 4)?;
        if kind != OPT && self.style.verbose > 2 {
            self.say(format_args!(" [{}]", relative_time(ttl)));
        }
        let len = usize::from(be16(data, at + 8)?);
        let (start, end) = (at + 10, at + 10 + len);
        self.say(format_args!(" {}", type_name(kind)));
        if end > data.len() {
            return Err(Cut);
        }
        self.resource_data(data, start, end, kind, class, ttl)?;
        Ok(end)
    }

    fn resource_data(
        &mut self,
        data: &[u8],
        start: usize,
        end: usize,
        kind: u16,
        class: u16,
        ttl: u32,
    ) -> Printed {
        match kind {
            1 => {
                let addr = std::net::Ipv4Addr::from(be32(data, start)?);
                self.say(format_args!(" {addr}"));
            }
            28 => {
                let bytes: [u8; 16] =
                    data.get(start..start + 16).and_then(|b| b.try_into().ok()).ok_or(Cut)?;
                self.say(format_args!(" {}", Ipv6Addr::from(bytes)));
            }
            2 | 5 | 12 | 39 => {
                self.put(" ");
                self.name(data, start)?;
            }
            6 if self.style.verbose > 0 => {
                self.put(" ");
                let at = self.name(data, start)?;
                self.put(" ");
                let at = self.name(data, at)?;
                for i in 0..5 {
                    self.say(format_args!(" {}", be32(data, at + 4 * i)?));
                }
            }
            15 => {
                self.put(" ");
                self.name(data, start + 2)?;
                self.say(format_args!(" {}", be16(data, start)?));
            }
            16 => {
                let mut at = start;
                while at < end {
                    let len = usize::from(u8_at(data, at)?);
                    self.put(" \"");
                    for byte in data.get(at + 1..at + 1 + len).ok_or(Cut)? {
                        self.visible(*byte);
                    }
                    self.put("\"");
                    at += 1 + len;
                }
            }
            33 => {
                self.put(" ");
                self.name(data, start + 6)?;
                self.say(format_args!(
                    ":{} {} {}",
                    be16(data, start + 4)?,
                    be16(data, start)?,
                    be16(data, start + 2)?
                ));
            }
            OPT => {
                self.say(format_args!(" UDPsize={class}"));
                if ttl & 0x8000 != 0 {
                    self.put(" DO");
                }
                if start < end {
                    self.options(&data[start..end])?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// EDNS options. Source: `eopt_print`; the data of all but cookies as hexadecimal digits.
    fn options(&mut self, mut rest: &[u8]) -> Printed {
        self.put(" [");
        while !rest.is_empty() {
            let (code, len) = (be16(rest, 0)?, usize::from(be16(rest, 2)?));
            match code {
                3 => self.put("NSID"),
                8 => self.put("ECS"),
                10 => self.put("COOKIE"),
                11 => self.put("KEEPALIVE"),
                12 => self.put("PADDING"),
                code => self.say(format_args!("Opt{code}")),
            }
            let value = rest.get(4..4 + len).ok_or(Cut)?;
            for (i, byte) in value.iter().enumerate() {
                if i == 0 || (code == 10 && i == 8) {
                    self.put(" ");
                }
                self.say(format_args!("{byte:02x}"));
            }
            rest = &rest[4 + len..];
            if !rest.is_empty() {
                self.put(",");
            }
        }
        self.put("]");
        Ok(())
    }

    fn section(&mut self, data: &[u8], mut at: usize, count: u16, mdns: bool) -> Result<usize, Cut> {
        for i in 0..count {
            if i > 0 {
                self.put(",");
            }
            at = self.resource(data, at, mdns)?;
        }
        Ok(at)
    }

    /// A message over TCP.
    pub(super) fn dns_over_tcp(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "domain";
        if len < 2 {
            self.say(format_args!(" [DNS over TCP: length {len} < 2]"));
            self.invalid();
            return Ok(());
        }
        let stated = usize::from(be16(data, 0)?);
        if stated != len - 2 {
            self.say(format_args!(" [prefix length({stated}) != length({})]", len - 2));
            self.invalid();
            return Ok(());
        }
        self.put(" ");
        self.dns(from(data, 2), len - 2, false)
    }

    /// A message. Source: `domain_print`.
    pub(super) fn dns(&mut self, data: &[u8], len: usize, mdns: bool) -> Printed {
        self.protocol = "domain";
        if len < HEADER {
            self.say(format_args!("domain [length {len} < {HEADER}]"));
            self.invalid();
            return Ok(());
        }
        if data.len() < HEADER {
            return Err(Cut);
        }
        let data = &data[..data.len().min(len)];
        if self.dns_body(data, mdns).is_err() {
            self.truncated();
            return Ok(());
        }
        self.say(format_args!(" ({len})"));
        Ok(())
    }

    fn dns_body(&mut self, data: &[u8], mdns: bool) -> Printed {
        let (id, flags) = (be16(data, 0)?, be16(data, 2)?);
        let [questions, answers, authorities, additional] =
            [be16(data, 4)?, be16(data, 6)?, be16(data, 8)?, be16(data, 10)?];
        let operation = OPERATIONS[usize::from(flags >> 11 & 0xf)];
        let mut at = HEADER;
        if flags & 0x8000 != 0 {
            let code = usize::from(flags & 0xf)
                | extended_code(data, [questions, answers, authorities, additional]).unwrap_or(0);
            let code = RESPONSES.get(code).map_or_else(|| format!(" Resp{code}"), |text| (*text).to_owned());
            self.say(format_args!("{id}{operation}{code}"));
            for (bit, set, clear) in
                [(0x0400, "*", ""), (0x0080, "", "-"), (0x0200, "|", ""), (0x0020, "$", "")]
            {
                self.put(if flags & bit == 0 { clear } else { set });
            }
            if questions != 1 {
                self.say(format_args!(" [{questions}q]"));
            }
            for i in 0..questions {
                if i > 0 {
                    self.put(",");
                }
                at = if self.style.verbose > 1 {
                    self.put(" q:");
                    self.question(data, at, mdns)?
                } else {
                    skip_name(data, at)? + 4
                };
            }
            self.say(format_args!(" {answers}/{authorities}/{additional}"));
            at = self.section(data, at, answers, mdns)?;
        } else {
            self.say(format_args!("{id}{operation}"));
            self.put(if flags & 0x0100 == 0 { "" } else { "+" });
            self.put(if flags & 0x0010 == 0 { "" } else { "%" });
            if flags & 0x06cf != 0 {
                self.say(format_args!(" [b2&3=0x{flags:x}]"));
            }
            let inverse = flags >> 11 & 0xf == 1;
            if inverse && questions != 0 {
                self.say(format_args!(" [{questions}q]"));
            }
            if answers != u16::from(inverse) {
                self.say(format_args!(" [{answers}a]"));
            }
            if !inverse && questions != 1 {
                self.say(format_args!(" [{questions}q]"));
            }
            if authorities != 0 {
                self.say(format_args!(" [{authorities}n]"));
            }
            if additional != 0 {
                self.say(format_args!(" [{additional}au]"));
            }
            for _ in 0..questions {
                at = self.question(data, at, mdns)?;
            }
            if self.style.verbose > 1 {
                at = self.section(data, at, answers, mdns)?;
            }
        }
        if self.style.verbose > 1 {
            if authorities > 0 {
                self.put(" ns:");
                at = self.section(data, at, authorities, mdns)?;
            }
            if additional > 0 {
                self.put(" ar:");
                self.section(data, at, additional, mdns)?;
            }
        }
        Ok(())
    }
}

/// The upper bits of the response code, from the OPT record.
fn extended_code(data: &[u8], [questions, answers, authorities, additional]: [u16; 4]) -> Result<usize, Cut> {
    let mut at = HEADER;
    for _ in 0..questions {
        at = skip_name(data, at)? + 4;
    }
    for _ in 0..u32::from(answers) + u32::from(authorities) {
        at = skip_name(data, at)?;
        at += 10 + usize::from(be16(data, at + 8)?);
    }
    for _ in 0..additional {
        at = skip_name(data, at)?;
        if be16(data, at)? == OPT {
            return Ok(usize::from(u8_at(data, at + 4)?) << 4);
        }
        at += 10 + usize::from(be16(data, at + 8)?);
    }
    Ok(0)
}
