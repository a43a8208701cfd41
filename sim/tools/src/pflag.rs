//! Options as the Go library pflag reads them: those of docker and kubectl.

use std::fmt;

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `--watch`, also `--watch=false`.
    Switch,
    /// `-n web`, `-nweb`, `--namespace=web`.
    Text,
    /// A whole number.
    Int,
    /// `30s`, `5m`, `1h30m`.
    Duration,
    /// `--dry-run` stands for this value, `--dry-run=client` for another.
    Optional(&'static str),
    /// Not simulated, with a value.
    Foreign,
    /// Not simulated, without a value.
    ForeignSwitch,
}

/// An option: long name, letter (or a blank), what it takes.
pub type Flag = (&'static str, char, Kind);

/// The options and words of a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    given: Vec<(&'static str, String)>,
    /// What is not an option.
    pub words: Vec<String>,
    /// How many words stand before `--`.
    pub dash: Option<usize>,
}

/// Whether options may follow the first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Yes: `docker rm web -f`.
    Anywhere,
    /// No: what follows belongs to another command (`docker run IMAGE COMMAND -x`).
    EndOptions,
}

/// Why options can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// pflag refuses them.
    #[error("{0}")]
    Wrong(String),
    /// The real tool takes this one; it is not simulated.
    #[error("--{0} is not simulated")]
    Foreign(&'static str),
}

impl Parsed {
    /// The last value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    /// All values of an option.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.given.iter().filter(|(given, _)| *given == name).map(|(_, value)| value.clone()).collect()
    }

    /// All values of an option that takes a list with commas.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let given = self.given.iter().filter(|(given, _)| *given == name);
        given.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty()).collect()
    }

    /// Whether a switch is on.
    pub fn on(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The value of a number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// The value of a duration, in nanoseconds.
    pub fn duration(&self, name: &str) -> Option<i64> {
        duration(self.get(name)?)
    }
}

/// Reads options.
///
/// # Errors
/// pflag's words for what is wrong.
pub fn parse(flags: &[&[Flag]], args: &[String], words: Words) -> Result<Parsed, FlagError> {
    let mut parsed = Parsed::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            parsed.dash = Some(parsed.words.len());
            parsed.words.extend(rest.cloned());
            break;
        } else if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            if name.is_empty() || name.starts_with('-') {
                return Err(FlagError::Wrong(format!("bad flag syntax: {arg}")));
            }
            let name = name.replace('_', "-");
            let flag = find(flags, |flag| flag.0 == name)
                .ok_or_else(|| FlagError::Wrong(format!("unknown flag: --{name}")))?;
            let value = match (flag.2, value) {
                (Kind::Switch, None) => "true".to_owned(),
                (Kind::Optional(value), None) => value.to_owned(),
                (Kind::Text | Kind::Int | Kind::Duration, None) => {
                    let missing = || FlagError::Wrong(format!("flag needs an argument: --{name}"));
                    rest.next().cloned().ok_or_else(missing)?
                }
                (_, value) => value.unwrap_or_default(),
            };
            parsed.given.push((flag.0, check(flag, value)?));
        } else if arg.len() > 1 && arg.starts_with('-') {
            letters(flags, arg, &mut rest, &mut parsed)?;
        } else {
            parsed.words.push(arg.clone());
            if words == Words::EndOptions {
                parsed.words.extend(rest.cloned());
                break;
            }
        }
    }
    Ok(parsed)
}

fn find(flags: &[&[Flag]], wanted: impl Fn(&Flag) -> bool) -> Option<Flag> {
    flags.iter().flat_map(|list| list.iter()).copied().find(wanted)
}

/// A cluster of letters, the last of which may have a value.
fn letters<'a>(
    flags: &[&[Flag]],
    arg: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    parsed: &mut Parsed,
) -> Result<(), FlagError> {
    for (at, letter) in arg.char_indices().skip(1) {
        let here = arg.get(at..).unwrap_or_default();
        let flag = find(flags, |flag| flag.1 == letter)
            .ok_or_else(|| FlagError::Wrong(format!("unknown shorthand flag: {letter:?} in -{here}")))?;
        let after = here.get(letter.len_utf8()..).unwrap_or_default();
        let given = after.strip_prefix('=').filter(|_| after.len() > 1);
        let value = match (flag.2, given) {
            (Kind::Switch, None) => "true".to_owned(),
            (Kind::Optional(value), None) => value.to_owned(),
            (_, Some(value)) => value.to_owned(),
            (_, None) if !after.is_empty() => after.to_owned(),
            (_, None) => rest
                .next()
                .cloned()
                .ok_or_else(|| FlagError::Wrong(format!("flag needs an argument: {letter:?} in -{here}")))?,
        };
        parsed.given.push((flag.0, check(flag, value)?));
        if given.is_some() || !matches!(flag.2, Kind::Switch | Kind::Optional(_)) {
            return Ok(());
        }
    }
    Ok(())
}

fn check(flag: Flag, value: String) -> Result<String, FlagError> {
    let (name, letter, kind) = flag;
    let shown = if letter == ' ' { format!("--{name}") } else { format!("-{letter}, --{name}") };
    let wrong = |why: &dyn fmt::Display| {
        Err(FlagError::Wrong(format!("invalid argument {value:?} for {shown:?} flag: {why}")))
    };
    match kind {
        Kind::Foreign | Kind::ForeignSwitch => Err(FlagError::Foreign(name)),
        Kind::Text | Kind::Optional(_) => Ok(value),
        Kind::Int => match value.parse::<i64>() {
            Ok(_) => Ok(value),
            Err(_) => wrong(&format_args!("strconv.ParseInt: parsing {value:?}: invalid syntax")),
        },
        Kind::Duration => match duration(&value) {
            Some(_) => Ok(value),
            None if value.parse::<f64>().is_ok() => {
                wrong(&format_args!("time: missing unit in duration {value:?}"))
            }
            None => wrong(&format_args!("time: invalid duration {value:?}")),
        },
        Kind::Switch => match value.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".to_owned()),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".to_owned()),
            _ => wrong(&format_args!("strconv.ParseBool: parsing {value:?}: invalid syntax")),
        },
    }
}

/// Nanoseconds of a Go duration: `1h30m`, `300ms`, `0`. Go: `time.ParseDuration`.
pub fn duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: f64 = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|&at| at > 0)?;
        let (number, after) = rest.split_at(digits);
        let number: f64 = number.parse().ok()?;
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, left) = after.split_at(end);
        let unit = match unit {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        total += number * unit;
        rest = left;
    }
    // A duration that a person types is far below what an i64 holds.
    #[allow(clippy::cast_possible_truncation)]
    Some(sign * total.min(9e18) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[
        ("watch", 'w', Kind::Switch),
        ("selector", 'l', Kind::Text),
        ("replicas", ' ', Kind::Int),
        ("dry-run", ' ', Kind::Optional("unchanged")),
        ("chunk-size", ' ', Kind::Foreign),
        ("timeout", ' ', Kind::Duration),
        ("namespace", 'n', Kind::Text),
    ];

    #[test]
    fn options_are_read_or_refused_as_by_pflag() {
        let outcome = |line: &str| {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            match parse(&[FLAGS], &args, Words::Anywhere) {
                Ok(parsed) => format!("{:?} {:?} {:?}", parsed.given, parsed.words, parsed.dash),
                Err(FlagError::Wrong(why)) => why,
                Err(FlagError::Foreign(name)) => format!("foreign {name}"),
            }
        };
        for (line, expected) in [
            (
                "pods -wl a=b -nweb -- ls -l",
                r#"[("watch", "true"), ("selector", "a=b"), ("namespace", "web")] ["pods", "ls", "-l"] Some(1)"#,
            ),
            ("--dry-run --watch=false x", r#"[("dry-run", "unchanged"), ("watch", "false")] ["x"] None"#),
            ("--wach", "unknown flag: --wach"),
            ("-wx", "unknown shorthand flag: 'x' in -x"),
            ("pods -l", "flag needs an argument: 'l' in -l"),
            ("pods --selector", "flag needs an argument: --selector"),
            (
                "--replicas=a",
                r#"invalid argument "a" for "--replicas" flag: strconv.ParseInt: parsing "a": invalid syntax"#,
            ),
            (
                "-w=maybe",
                r#"invalid argument "maybe" for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": invalid syntax"#,
            ),
            (
                "--timeout 5",
                r#"invalid argument "5" for "--timeout" flag: time: missing unit in duration "5""#,
            ),
            ("--chunk-size=5", "foreign chunk-size"),
        ] {
            assert_eq!(outcome(line), expected, "{line}");
        }
    }

    #[test]
    fn go_durations_are_read() {
        for (text, expected) in [
            ("30s", Some(30_000_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("-1s", Some(-1_000_000_000)),
            ("0", Some(0)),
            ("5", None),
            ("s", None),
            ("", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn options_end_at_the_first_word_or_not() {
        const FLAGS: &[Flag] =
            &[("all", 'a', Kind::Switch), ("name", 'n', Kind::Text), ("volume", 'v', Kind::Foreign)];
        let args = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (text, name, all, words) in [
            ("-a --name x w", Some("x"), true, "w"),
            ("-anx w", Some("x"), true, "w"),
            ("--name=x w -a", Some("x"), false, "w -a"),
            ("--all=false -- -a", None, false, "-a"),
        ] {
            let parsed = parse(&[FLAGS], &args(text), Words::EndOptions).expect(text);
            assert_eq!(
                (parsed.get("name"), parsed.on("all"), parsed.words.join(" ").as_str()),
                (name, all, words),
                "{text}"
            );
        }
        for (text, error) in [
            ("--nosuch", "unknown flag: --nosuch"),
            ("-x", "unknown shorthand flag: 'x' in -x"),
            ("--name", "flag needs an argument: --name"),
            ("-v a:b", "--volume is not simulated"),
        ] {
            let found = parse(&[FLAGS], &args(text), Words::EndOptions).map_err(|error| error.to_string());
            assert_eq!(found, Err(error.to_owned()));
        }
    }
}
