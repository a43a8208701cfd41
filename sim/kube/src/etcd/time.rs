//! Times as Go writes them.

use packet::SimTime;
use world::Sys;

const NANOS: u64 = 1_000_000_000;

/// Seconds since 1970 and nanoseconds of an instant of virtual time.
pub(super) fn unix(sys: &dyn Sys, at: SimTime) -> (u64, u64) {
    let start = sys.unix_time() - sys.now().as_nanos() / NANOS;
    (start + at.as_nanos() / NANOS, at.as_nanos() % NANOS)
}

/// RFC 3339 with nanoseconds, without zeros at the end: `2026-11-21T20:08:42.286598469Z`.
pub(super) fn rfc3339((seconds, nanos): (u64, u64)) -> String {
    let (year, month, day) = world::civil_date(seconds / 86400);
    let of_day = seconds % 86400;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let fraction = format!(".{nanos:09}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// An instant of virtual time as RFC 3339 writes it.
pub(crate) fn rfc3339_of(sys: &dyn Sys, at: SimTime) -> String {
    rfc3339(unix(sys, at))
}

/// The instant of virtual time that a text of RFC 3339 names.
pub(crate) fn instant_of(sys: &dyn Sys, text: &str) -> Option<SimTime> {
    let (seconds, nanos) = parse_rfc3339(text)?;
    let (start, _) = unix(sys, SimTime::ZERO);
    let since = std::time::Duration::new(seconds.checked_sub(start)?, u32::try_from(nanos).ok()?);
    Some(SimTime::ZERO + since)
}

/// Seconds and nanoseconds since 1970.
fn parse_rfc3339(text: &str) -> Option<(u64, u64)> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut time = time.split(':').map(|part| part.parse::<u64>().ok());
    let of_day = time.next()?? * 3600 + time.next()?? * 60 + time.next()??;
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    // The day's number is found by looking: years are few.
    let guess = year.checked_sub(1970)? * 365;
    let days = (guess..guess + 400 * 2).find(|days| world::civil_date(*days) == (year, month, day))?;
    Some((days * 86400 + of_day, digits.parse().ok()?))
}

/// As HTTP's `Date`: `Sat, 21 Nov 2026 20:08:36 GMT`.
pub(super) fn http_date(seconds: u64) -> String {
    let ctime = world::ctime(seconds);
    let (weekday, month) = (ctime.get(..3).unwrap_or_default(), ctime.get(4..7).unwrap_or_default());
    let (year, _, day) = world::civil_date(seconds / 86400);
    let of_day = seconds % 86400;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::{http_date, parse_rfc3339, rfc3339};

    #[test]
    fn times_are_read_and_written() {
        for (text, unix) in [
            ("2026-11-21T20:08:42.286598469Z", (1_795_291_722, 286_598_469)),
            ("2026-11-21T20:08:42Z", (1_795_291_722, 0)),
            ("1970-01-01T00:00:00.5Z", (0, 500_000_000)),
        ] {
            assert_eq!(rfc3339(unix), text);
            assert_eq!(parse_rfc3339(text), Some(unix), "{text}");
        }
        assert_eq!(http_date(1_795_291_716), "Sat, 21 Nov 2026 20:08:36 GMT");
    }
}
