//! Timestamps.

use std::time::Duration;

use super::Printer;

const DAY: u64 = 86_400;

/// Year, month and day of a day since 1970 (proleptic Gregorian calendar).
pub(crate) fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + 400 * era + u64::from(month <= 2), month, day)
}

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
                let (year, month, day) = date(at.as_secs() / DAY);
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

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_become_dates() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_089, (2025, 1, 1)),
            (20_453, (2025, 12, 31)),
        ] {
            assert_eq!(date(days), expected);
        }
    }
}
