//! Timestamps.

use std::time::Duration;

use world::civil_date;

use super::Printer;

const DAY: u64 = 86_400;

impl Printer {
    /// The time in front of a line, in UTC. Source: `ts_print`.
    pub(super) fn time(&mut self, at: Duration) {
        match self.style.time {
            0 => {
                self.clock(at);
                self.put(" ");
            }
            2 => {
                self.say(format_args!("{}", at.as_secs()));
                self.fraction(at);
                self.put(" ");
            }
            3 | 5 => {
                let reference = *self.reference.get_or_insert(at);
                self.put(if at < reference { "-" } else { " " });
                self.clock(at.abs_diff(reference));
                self.put(" ");
                if self.style.time == 3 {
                    self.reference = Some(at);
                }
            }
            4 => {
                let (year, month, day) = civil_date(at.as_secs() / DAY);
                self.say(format_args!("{year:04}-{month:02}-{day:02} "));
                self.clock(at);
                self.put(" ");
            }
            _ => {}
        }
    }

    fn clock(&mut self, at: Duration) {
        let seconds = at.as_secs() % DAY;
        self.say(format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
        self.fraction(at);
    }

    fn fraction(&mut self, at: Duration) {
        if self.style.nano {
            self.say(format_args!(".{:09}", at.subsec_nanos()));
        } else {
            self.say(format_args!(".{:06}", at.subsec_micros()));
        }
    }
}
