//! Dates of the calendar, in UTC.

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Year, month and day of a day since 1970 (proleptic Gregorian calendar).
pub fn civil_date(days: u64) -> (u64, u64, u64) {
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

/// Seconds since 1970 as `ctime(3)` writes them, without newline: `Sat Nov 21 10:58:47 2026`.
pub fn ctime(unix: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let days = unix / DAY;
    format!("{} {} {}", DAYS[(days % 7) as usize], month_to_second(unix), civil_date(days).0)
}

/// Seconds since 1970 as syslog writes them: `Nov 21 10:58:47`.
pub(crate) fn month_to_second(unix: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, month, day) = civil_date(unix / DAY);
    let month = MONTHS[(month.clamp(1, 12) - 1) as usize];
    format!("{month} {day:>2} {:02}:{:02}:{:02}", unix / 3600 % 24, unix / 60 % 60, unix % 60)
}

#[cfg(test)]
mod tests {
    use super::{civil_date, ctime};

    #[test]
    fn days_become_dates() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_089, (2025, 1, 1)),
            (20_453, (2025, 12, 31)),
        ] {
            assert_eq!(civil_date(days), expected);
        }
    }

    #[test]
    fn seconds_are_written_as_by_ctime() {
        for (unix, text) in [
            (0, "Thu Jan  1 00:00:00 1970"),
            (951_782_400, "Tue Feb 29 00:00:00 2000"),
            (1_795_258_727, "Sat Nov 21 10:58:47 2026"),
        ] {
            assert_eq!(ctime(unix), text);
        }
    }
}
