//! Durations as people read them. Kubernetes: `k8s.io/apimachinery/pkg/util/duration`.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// Kubernetes: `HumanDuration`.
pub fn human(seconds: i64) -> String {
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let seconds = seconds.max(0);
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let two = |big: i64, unit: char, small: i64, part: char| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{part}"),
    };
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        two(minutes, 'm', seconds % 60, 's')
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two(hours, 'h', minutes % 60, 'm')
    } else if hours < 48 {
        format!("{hours}h")
    } else if hours < 192 {
        two(hours / 24, 'd', hours % 24, 'h')
    } else if hours < 24 * 365 * 2 {
        format!("{}d", hours / 24)
    } else if hours < 24 * 365 * 8 {
        two(hours / 24 / 365, 'y', hours / 24 % 365, 'd')
    } else {
        format!("{}y", hours / 24 / 365)
    }
}

/// Seconds since 1970 of a time in an object.
pub fn seconds(time: &Value) -> Option<i64> {
    Some(time.as_str()?.parse::<Timestamp>().ok()?.as_second())
}

/// How long ago a time in an object is. Kubernetes: `translateTimestampSince`.
pub fn since(time: &Value, now: i64) -> String {
    seconds(time).map_or_else(|| "<unknown>".to_owned(), |then| human(now - then))
}

/// A time as `describe` prints it: `Mon, 02 Jan 2006 15:04:05 +0000`. Go: `time.RFC1123Z`.
pub fn rfc1123(time: &Value) -> String {
    let time = time.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    time.map_or_else(|| "<unset>".to_owned(), |time| time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_as_kubernetes_prints_them() {
        // The table of apimachinery's duration_test.go.
        let (minute, hour, day) = (60, 3600, 86_400);
        let year = 365 * day;
        for (seconds, expected) in [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (1, "1s"),
            (70, "70s"),
            (119, "119s"),
            (2 * minute, "2m"),
            (5 * minute, "5m"),
            (5 * minute + 4, "5m4s"),
            (11 * minute, "11m"),
            (115 * minute, "115m"),
            (3 * hour, "3h"),
            (5 * hour + 37 * minute, "5h37m"),
            (9 * hour, "9h"),
            (47 * hour, "47h"),
            (2 * day, "2d"),
            (3 * day + 5 * hour, "3d5h"),
            (8 * day, "8d"),
            (547 * day, "547d"),
            (2 * year, "2y"),
            (3 * year + day, "3y1d"),
            (9 * year, "9y"),
        ] {
            assert_eq!(human(seconds), expected, "{seconds}");
        }
    }
}
