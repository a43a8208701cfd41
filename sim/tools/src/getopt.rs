//! Command-line options as getopt(3) takes them apart.

/// An option and its argument.
pub type Opt = (char, Option<String>);

/// Whether a letter takes an argument.
enum Argument {
    None,
    /// The rest of the word, or the next word.
    Next,
    /// The rest of the word, if there is one.
    Attached,
}

/// What getopt refuses; its wording is the C library's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptError {
    /// Not among the known ones.
    #[error("invalid option -- '{0}'")]
    Unknown(char),
    /// A long one that is not known.
    #[error("unrecognized option '{0}'")]
    UnknownLong(String),
    /// The argument is missing.
    #[error("option requires an argument -- '{0}'")]
    NoArgument(char),
    /// The argument of a long one is missing.
    #[error("option '--{0}' requires an argument")]
    NoArgumentLong(String),
}

/// Takes `args` (without the command's name) apart: options in order, then the other words.
///
/// `spec` is as in C: a letter followed by `:` takes an argument, one followed by `::` may have one
/// attached; a leading `+` stops at the first
/// word that is no option. `long` maps long names to letters of `spec`.
pub fn getopt(
    args: &[String],
    spec: &str,
    long: &[(&str, char)],
) -> Result<(Vec<Opt>, Vec<String>), OptError> {
    let (stop_early, spec) = match spec.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, spec),
    };
    let takes_argument = |letter: char| -> Option<Argument> {
        let at = spec.find(letter).filter(|_| letter != ':')?;
        let rest = spec.get(at + letter.len_utf8()..).unwrap_or_default();
        Some(match rest.bytes().take_while(|b| *b == b':').count() {
            0 => Argument::None,
            1 => Argument::Next,
            _ => Argument::Attached,
        })
    };
    let (mut options, mut words) = (Vec::new(), Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            words.extend(args.cloned());
            break;
        }
        if let Some(name) = arg.strip_prefix("--") {
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let mut fitting = long.iter().filter(|(known, _)| known.starts_with(name));
            let exact = long.iter().find(|(known, _)| *known == name);
            let (name, letter) = match (exact, fitting.next(), fitting.next()) {
                (Some(option), _, _) | (None, Some(option), None) => *option,
                _ => return Err(OptError::UnknownLong(arg.clone())),
            };
            let value = match (takes_argument(letter), value) {
                (Some(Argument::Next | Argument::Attached), Some(value)) => Some(value),
                (Some(Argument::Next), None) => {
                    Some(args.next().cloned().ok_or_else(|| OptError::NoArgumentLong(name.to_owned()))?)
                }
                _ => None,
            };
            options.push((letter, value));
            continue;
        }
        let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            words.push(arg.clone());
            if stop_early {
                words.extend(args.cloned());
                break;
            }
            continue;
        };
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            match takes_argument(letter) {
                None => return Err(OptError::Unknown(letter)),
                Some(Argument::None) => options.push((letter, None)),
                Some(Argument::Attached) => {
                    options.push((letter, Some(rest.as_str().to_owned()).filter(|text| !text.is_empty())));
                    break;
                }
                Some(Argument::Next) => {
                    let attached = rest.as_str();
                    let value = if attached.is_empty() {
                        args.next().cloned().ok_or(OptError::NoArgument(letter))?
                    } else {
                        attached.to_owned()
                    };
                    options.push((letter, Some(value)));
                    break;
                }
            }
        }
    }
    Ok((options, words))
}
