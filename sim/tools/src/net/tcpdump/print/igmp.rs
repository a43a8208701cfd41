//! IGMP. Source: `print-igmp.c`.

use super::{Printed, Printer, be16, be32, in_cksum, u8_at};

impl Printer {
    /// A message. Source: `igmp_print`.
    pub(super) fn igmp(&mut self, data: &[u8], len: usize) -> Printed {
        self.protocol = "igmp";
        if self.style.quiet {
            self.put("igmp");
            return Ok(());
        }
        match u8_at(data, 0)? {
            0x11 if len >= 12 => self.igmp_v3_query(data, len)?,
            0x11 => {
                self.put("igmp query");
                match u8_at(data, 1)? {
                    0 => self.put(" v1"),
                    100 => self.put(" v2"),
                    time => self.say(format_args!(" v2 [max resp time {time}]")),
                }
                if be32(data, 4)? != 0 {
                    let group = self.addr(data, 4)?;
                    self.say(format_args!(" [gaddr {group}]"));
                }
                self.odd_length(len);
            }
            0x12 => {
                let group = self.addr(data, 4)?;
                self.say(format_args!("igmp v1 report {group}"));
                self.odd_length(len);
            }
            0x16 => {
                let group = self.addr(data, 4)?;
                self.say(format_args!("igmp v2 report {group}"));
            }
            0x17 => {
                let group = self.addr(data, 4)?;
                self.say(format_args!("igmp leave {group}"));
            }
            0x22 => self.igmp_v3_report(data, len)?,
            kind => self.say(format_args!("igmp-{kind}")),
        }
        if self.style.verbose > 0
            && let Some(message) = data.get(..len).filter(|_| len >= 4)
            && in_cksum(&[message]) != 0
        {
            self.say(format_args!(" bad igmp cksum {:x}!", be16(data, 2)?));
        }
        Ok(())
    }

    fn odd_length(&mut self, len: usize) {
        if len != 8 {
            self.say(format_args!(" [len {len}]"));
        }
    }

    fn igmp_v3_query(&mut self, data: &[u8], len: usize) -> Printed {
        self.put("igmp query v3");
        let code = u32::from(u8_at(data, 1)?);
        if code != 100 {
            let tenths = if code < 128 { code } else { ((code & 0xf) | 0x10) << (((code & 0x70) >> 4) + 3) };
            if tenths < 600 {
                self.say(format_args!(" [max resp time {}.{}s]", tenths / 10, tenths % 10));
            } else {
                let seconds = tenths / 10;
                self.say(format_args!(" [max resp time {}m{}s]", seconds / 60, seconds % 60));
            }
        }
        if be32(data, 4)? == 0 {
            return Ok(());
        }
        let group = self.addr(data, 4)?;
        self.say(format_args!(" [gaddr {group}"));
        let sources = usize::from(be16(data, 10)?);
        if sources > 0 {
            if len < 12 + 4 * sources {
                self.put(" [invalid number of sources]");
            } else {
                self.igmp_sources(data, 12, sources)?;
            }
        }
        self.put("]");
        Ok(())
    }

    fn igmp_sources(&mut self, data: &[u8], at: usize, sources: usize) -> Printed {
        if self.style.verbose <= 1 {
            self.say(format_args!(", {sources} source(s)"));
            return Ok(());
        }
        self.put(" {");
        for i in 0..sources {
            let source = self.addr(data, at + 4 * i)?;
            self.say(format_args!(" {source}"));
        }
        self.put(" }");
        Ok(())
    }

    fn igmp_v3_report(&mut self, data: &[u8], len: usize) -> Printed {
        self.put("igmp v3 report");
        if len < 16 || !len.is_multiple_of(4) {
            self.say(format_args!(" [invalid len {len}]"));
            return Ok(());
        }
        let groups = be16(data, 6)?;
        self.say(format_args!(", {groups} group record(s)"));
        if self.style.verbose == 0 {
            return Ok(());
        }
        let mut at = 8;
        for _ in 0..groups {
            if len < at + 8 {
                self.put(" [invalid number of groups]");
                return Ok(());
            }
            let group = self.addr(data, at + 4)?;
            self.say(format_args!(" [gaddr {group} "));
            match u8_at(data, at)? {
                1 => self.put("is_in"),
                2 => self.put("is_ex"),
                3 => self.put("to_in"),
                4 => self.put("to_ex"),
                5 => self.put("allow"),
                6 => self.put("block"),
                kind => self.say(format_args!(" [v3-report-#{kind}]")),
            }
            let sources = usize::from(be16(data, at + 2)?);
            if len < at + 8 + 4 * sources {
                self.say(format_args!(" [invalid number of sources {sources}]"));
                return Ok(());
            }
            self.igmp_sources(data, at + 8, sources)?;
            self.put("]");
            at += 8 + 4 * sources;
        }
        Ok(())
    }
}
