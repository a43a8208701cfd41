//! Moments of virtual time as the components of a cluster write them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use packet::SimTime;
use world::{Fd, Sys};

const NANOS: u64 = 1_000_000_000;

/// A time as HTTP's `Date` has it: `Sat, 21 Nov 2026 20:08:36 GMT`.
pub const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// Seconds since 1970.
pub fn unix(sys: &dyn Sys) -> i64 {
    i64::try_from(sys.unix_time()).unwrap_or(i64::MAX)
}

/// A second since 1970 as objects have it.
pub fn time(unix: i64) -> Time {
    Time(Timestamp::from_second(unix).unwrap_or(Timestamp::MAX))
}

/// The present with its nanoseconds.
pub fn present(sys: &dyn Sys) -> Timestamp {
    timestamp(sys, sys.now())
}

/// An instant of virtual time. It prints as RFC 3339 with nanoseconds, without zeros at the end.
pub fn timestamp(sys: &dyn Sys, at: SimTime) -> Timestamp {
    let second = start(sys) + i64::try_from(at.as_nanos() / NANOS).unwrap_or(i64::MAX);
    let nanos = i32::try_from(at.as_nanos() % NANOS).unwrap_or(0);
    Timestamp::new(second, nanos).unwrap_or(Timestamp::MAX)
}

/// An instant as Go prints it: `2026-11-22 20:08:42.5 +0000 UTC`.
pub fn go_time(sys: &dyn Sys, at: SimTime) -> String {
    timestamp(sys, at).strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string()
}

/// The instant of virtual time that a text of RFC 3339 names.
pub fn instant(sys: &dyn Sys, text: &str) -> Option<SimTime> {
    let at: Timestamp = text.parse().ok()?;
    let nanos = u32::try_from(at.subsec_nanosecond()).ok()?;
    let since = std::time::Duration::new(u64::try_from(at.as_second() - start(sys)).ok()?, nanos);
    Some(SimTime::ZERO + since)
}

/// The second at which virtual time began.
fn start(sys: &dyn Sys) -> i64 {
    unix(sys) - i64::try_from(sys.now().as_nanos() / NANOS).unwrap_or(0)
}

/// Writes a line to standard error as klog does: `E1121 10:58:47.000000       7 PLACE] TEXT`.
pub fn klog(sys: &mut dyn Sys, severity: char, place: &str, text: &str) {
    let at = present(sys).strftime("%m%d %H:%M:%S.%6f");
    let pid = sys.pid().0;
    let line = format!("{severity}{at} {pid:>7} {place}] {}\n", text.trim_end_matches('\n'));
    tools::console::write_all(sys, Fd::STDERR, &line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_by_go() {
        for (text, second, nanos) in [
            ("2026-11-21T20:08:42.286598469Z", 1_795_291_722, 286_598_469),
            ("2026-11-21T20:08:42Z", 1_795_291_722, 0),
            ("1970-01-01T00:00:00.5Z", 0, 500_000_000),
        ] {
            let time = Timestamp::new(second, nanos).unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(text.parse::<Timestamp>().ok(), Some(time), "{text}");
        }
        let date = time(1_795_291_716).0.strftime(HTTP_DATE).to_string();
        assert_eq!(date, "Sat, 21 Nov 2026 20:08:36 GMT");
    }
}
