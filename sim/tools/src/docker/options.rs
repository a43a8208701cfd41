//! Command-line options as Docker's Go library (pflag) reads them.

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `--rm`, also `--rm=false`.
    Switch,
    /// `--name web`, `--name=web`, `-p80:80`.
    Value,
    /// The real tool takes it with a value; it is not simulated.
    Foreign,
    /// The real tool takes it without a value; it is not simulated.
    ForeignSwitch,
}

/// An option: long name, letter (or a blank), kind.
pub type Flag = (&'static str, char, Kind);

/// The options and words of a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    given: Vec<(&'static str, String)>,
    /// What is not an option.
    pub words: Vec<String>,
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

    /// Whether a switch is on.
    pub fn on(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

/// Whether options may follow the first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Yes: `docker rm web -f`.
    Anywhere,
    /// No: what follows belongs to another command (`docker run IMAGE COMMAND -x`).
    EndOptions,
}

/// Reads options.
///
/// # Errors
/// pflag's words for what is wrong.
pub fn parse(flags: &[Flag], args: &[String], words: Words) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            parsed.words.extend(rest.cloned());
            break;
        } else if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let flag =
                flags.iter().find(|flag| flag.0 == name).ok_or_else(|| format!("unknown flag: --{name}"))?;
            let value = match (flag.2, value) {
                (Kind::Switch, None) => "true".to_owned(),
                (Kind::Value, None) => {
                    rest.next().cloned().ok_or_else(|| format!("flag needs an argument: --{name}"))?
                }
                (kind, value) => checked(flag, kind, value)?,
            };
            parsed.given.push((flag.0, value));
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

/// A cluster of letters, the last of which may have a value.
fn letters<'a>(
    flags: &[Flag],
    arg: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    for (at, letter) in arg.char_indices().skip(1) {
        let flag = flags
            .iter()
            .find(|flag| flag.1 == letter)
            .ok_or_else(|| format!("unknown shorthand flag: '{letter}' in {}", arg))?;
        let after = arg.get(at + letter.len_utf8()..).unwrap_or_default();
        match flag.2 {
            Kind::Switch => {
                if let Some(value) = after.strip_prefix('=') {
                    parsed.given.push((flag.0, checked(flag, Kind::Switch, Some(value.to_owned()))?));
                    return Ok(());
                }
                parsed.given.push((flag.0, "true".to_owned()));
            }
            Kind::Value => {
                let value = match after.strip_prefix('=').unwrap_or(after) {
                    "" => rest
                        .next()
                        .cloned()
                        .ok_or_else(|| format!("flag needs an argument: '{letter}' in {arg}"))?,
                    value => value.to_owned(),
                };
                parsed.given.push((flag.0, value));
                return Ok(());
            }
            kind => {
                checked(flag, kind, None)?;
            }
        }
    }
    Ok(())
}

fn checked(flag: &Flag, kind: Kind, value: Option<String>) -> Result<String, String> {
    let name = flag.0;
    match kind {
        Kind::Foreign | Kind::ForeignSwitch => Err(format!("--{name} is not simulated")),
        Kind::Value => Ok(value.unwrap_or_default()),
        Kind::Switch => match value.as_deref().unwrap_or_default() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".to_owned()),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".to_owned()),
            other => Err(format!(
                "invalid argument \"{other}\" for \"--{name}\" flag: strconv.ParseBool: parsing \"{other}\": \
                 invalid syntax"
            )),
        },
    }
}
