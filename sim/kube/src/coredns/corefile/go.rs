//! Words as Go's library reads them, with its complaints.

use std::time::Duration;

use regex::Regex;

use super::config::{Listen, Pattern};
use super::error::Error;

/// Go: `strconv.Atoi`.
pub(super) fn integer(text: &str) -> Result<i64, Error> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::refused(format_args!("strconv.Atoi: parsing {text:?}: invalid syntax")));
    }
    text.parse()
        .map_err(|_| Error::refused(format_args!("strconv.Atoi: parsing {text:?}: value out of range")))
}

/// Go: `strconv.ParseUint` with 32 bits.
pub(super) fn unsigned(text: &str) -> Result<u32, Error> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::refused(format_args!("strconv.ParseUint: parsing {text:?}: invalid syntax")));
    }
    text.parse()
        .map_err(|_| Error::refused(format_args!("strconv.ParseUint: parsing {text:?}: value out of range")))
}

/// Nanoseconds. Go: `time.ParseDuration`.
pub(super) fn nanoseconds(text: &str) -> Result<i64, Error> {
    let wrong = |why: String| Error::refused(format_args!("time: {why} duration {text:?}"));
    if let Some(value) = tools::pflag::duration(text) {
        return Ok(value);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut rest = unsigned;
    while rest.starts_with(is_number) {
        let after = rest.trim_start_matches(is_number);
        let number = &rest[..rest.len() - after.len()];
        if number.matches('.').count() > 1 || !number.contains(|c: char| c.is_ascii_digit()) {
            break;
        }
        let end = after.find(is_number).unwrap_or(after.len());
        match &after[..end] {
            "" => return Err(wrong("missing unit in".to_owned())),
            "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h" => {}
            unit => return Err(wrong(format!("unknown unit {unit:?} in"))),
        }
        rest = &after[end..];
    }
    Err(wrong("invalid".to_owned()))
}

/// A duration that isn't negative; `None` if it is.
pub(super) fn duration(text: &str) -> Result<Option<Duration>, Error> {
    Ok(u64::try_from(nanoseconds(text)?).ok().map(Duration::from_nanos))
}

/// Go: `regexp.Compile`.
///
/// Simplified: what is wrong with it is said in fewer words.
pub(super) fn pattern(text: &str) -> Result<Pattern, Error> {
    let compiled = Regex::new(text);
    compiled.map(Pattern).map_err(|_| Error::refused(format_args!("error parsing regexp: `{text}`")))
}

/// Go: `net.SplitHostPort`.
pub(super) fn split_host_port(text: &str) -> Result<(&str, &str), Error> {
    let wrong = |why: &str| Error::refused(format_args!("address {text}: {why}"));
    let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("missing port in address"))?;
    if let Some(inside) = text.strip_prefix('[') {
        let Some((host, after)) = inside.split_once(']') else {
            return Err(wrong("missing ']' in address"));
        };
        return match after.strip_prefix(':') {
            Some(port) if !port.contains(':') => Ok((host, port)),
            Some(_) => Err(wrong("too many colons in address")),
            None => Err(wrong("missing port in address")),
        };
    }
    if host.contains(':') {
        return Err(wrong("too many colons in address"));
    }
    Ok((host, port))
}

/// Where a plugin listens. CoreDNS would say what is wrong with it when it starts to listen.
pub(super) fn listen(text: &str) -> Result<Listen, Error> {
    let (host, port) = split_host_port(text)?;
    let ip = match host {
        "" => None,
        "localhost" => Some(std::net::Ipv4Addr::LOCALHOST.into()),
        host => Some(
            host.parse()
                .map_err(|_| Error::refused(format_args!("listen tcp: lookup {host}: no such host")))?,
        ),
    };
    let port = port.parse().map_err(|_| {
        let why = if port.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("listen tcp: address {port}: invalid port")
        } else {
            format!("listen tcp: lookup tcp/{port}: unknown port")
        };
        Error::refused(why)
    })?;
    Ok(Listen { ip, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("1m30s", "Ok(90000000000)"),
            ("-2s", "Ok(-2000000000)"),
            ("0", "Ok(0)"),
            ("", "time: invalid duration \"\""),
            ("abc", "time: invalid duration \"abc\""),
            ("1", "time: missing unit in duration \"1\""),
            ("1x", "time: unknown unit \"x\" in duration \"1x\""),
            ("1h2", "time: missing unit in duration \"1h2\""),
        ] {
            let found = match nanoseconds(text) {
                Ok(value) => format!("Ok({value})"),
                Err(error) => error.to_string(),
            };
            assert_eq!(found, expected);
        }
    }
}
