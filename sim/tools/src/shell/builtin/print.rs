use kernel::Errno;
use world::Sys;

use crate::shell::Shell;
use crate::shell::arith;
use crate::shell::frame::Outcome;
use crate::shell::frame::Unwind;
use crate::shell::state::{BROKEN_PIPE, write_checked};

/// dash's `echo [-n]`: escapes count.
pub(super) fn echo(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut rest = args.get(1..).unwrap_or_default();
    let newline = rest.first().is_none_or(|a| a != "-n");
    if !newline {
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut out = Vec::new();
    let mut stopped = false;
    for (i, arg) in rest.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        if escape(arg, &mut out, true) {
            stopped = true;
            break;
        }
    }
    if newline && !stopped {
        out.push(b'\n');
    }
    put(shell, sys, &out)
}

/// Writes a builtin's output; a closed pipe ends the shell as `SIGPIPE` does.
fn put(shell: &Shell, sys: &mut dyn Sys, out: &[u8]) -> Outcome {
    let written = match shell.state.fd(1) {
        None if out.is_empty() => Ok(()),
        None => Err(Errno::BadF),
        Some(fd) => write_checked(sys, fd, out),
    };
    match written {
        Ok(()) => Outcome::Done(0),
        Err(Errno::Pipe) => Outcome::Unwind(Unwind::Exit(BROKEN_PIPE)),
        Err(_) => {
            shell
                .state
                .complain(sys, &format!("{}: I/O error", shell.state.builtin.as_deref().unwrap_or("echo")));
            Outcome::Done(1)
        }
    }
}

/// `printf FORMAT [ARG]...`.
pub(super) fn printf_builtin(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut rest = args.get(1..).unwrap_or_default();
    if rest.first().is_some_and(|a| a == "--") {
        rest = rest.get(1..).unwrap_or_default();
    }
    let Some((format, arguments)) = rest.split_first() else {
        return Outcome::Fatal("usage: printf format [arg ...]".to_owned());
    };
    let printed = printf(format, arguments);
    for error in &printed.errors {
        shell.state.complain(sys, error);
    }
    match put(shell, sys, &printed.bytes) {
        Outcome::Done(0) => Outcome::from_bool(printed.errors.is_empty()),
        other => other,
    }
}

/// What `printf` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Printed {
    /// Its output.
    pub(crate) bytes: Vec<u8>,
    /// Complaints about arguments.
    pub(crate) errors: Vec<String>,
}

/// Formats as dash's `printf`.
///
/// Simplified: the floating point conversions print nothing.
pub(crate) fn printf(format: &str, arguments: &[String]) -> Printed {
    let mut printed = Printed::default();
    let mut arguments = arguments.iter();
    loop {
        let before = arguments.len();
        if pass(format, &mut arguments, &mut printed) || arguments.len() == 0 || arguments.len() == before {
            return printed;
        }
    }
}

/// One use of the format; `true` if `\c` ends the output.
fn pass(format: &str, arguments: &mut std::slice::Iter<'_, String>, printed: &mut Printed) -> bool {
    let mut chars = format.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let rest = format.get(at..).unwrap_or_default();
                let (used, stop) = one_escape(rest, &mut printed.bytes, false);
                if stop {
                    return true;
                }
                while chars.peek().is_some_and(|&(i, _)| i < at + used) {
                    chars.next();
                }
            }
            '%' => {
                let mut spec = Spec::default();
                while let Some(flag) = chars.next_if(|(_, c)| "-+ 0#".contains(*c)) {
                    match flag.1 {
                        '-' => spec.left = true,
                        '+' => spec.plus = true,
                        ' ' => spec.blank = true,
                        '0' => spec.zero = true,
                        _ => spec.alternate = true,
                    }
                }
                let count = |chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
                             arguments: &mut std::slice::Iter<'_, String>| {
                    if chars.next_if(|(_, c)| *c == '*').is_some() {
                        return arguments.next().and_then(|a| a.parse::<i64>().ok()).unwrap_or(0);
                    }
                    let mut number = 0_i64;
                    while let Some((_, digit)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
                        number = (number * 10 + i64::from(digit.to_digit(10).unwrap_or(0))).min(100_000);
                    }
                    number
                };
                let width = count(&mut chars, arguments);
                spec.left |= width < 0;
                spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(0).min(100_000);
                if chars.next_if(|(_, c)| *c == '.').is_some() {
                    spec.precision = Some(usize::try_from(count(&mut chars, arguments)).unwrap_or(0));
                }
                while chars.next_if(|(_, c)| matches!(c, 'l' | 'h' | 'j' | 'z')).is_some() {}
                let Some((_, conversion)) = chars.next() else {
                    printed.errors.push("missing format character".to_owned());
                    return true;
                };
                if conversion == '%' {
                    printed.bytes.push(b'%');
                } else if spec.convert(conversion, arguments, printed) {
                    return true;
                }
            }
            c => {
                let mut buffer = [0; 4];
                printed.bytes.extend(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
    false
}

#[derive(Clone, Copy, Debug, Default)]
struct Spec {
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    fn pad(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let fill = self.width.saturating_sub(bytes.len());
        if !self.left {
            out.extend(std::iter::repeat_n(b' ', fill));
        }
        out.extend(bytes);
        if self.left {
            out.extend(std::iter::repeat_n(b' ', fill));
        }
    }

    fn convert(
        &self,
        conversion: char,
        arguments: &mut std::slice::Iter<'_, String>,
        printed: &mut Printed,
    ) -> bool {
        match conversion {
            's' | 'b' => {
                let text = arguments.next().map_or("", String::as_str);
                let mut bytes = Vec::new();
                let stop = if conversion == 'b' {
                    escape(text, &mut bytes, true)
                } else {
                    bytes.extend(text.as_bytes());
                    false
                };
                bytes.truncate(self.precision.unwrap_or(usize::MAX));
                self.pad(&bytes, &mut printed.bytes);
                return stop;
            }
            'c' => {
                let first = arguments.next().and_then(|a| a.bytes().next());
                self.pad(first.as_slice(), &mut printed.bytes);
            }
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
                let value = argument(arguments.next(), printed);
                let unsigned = value.cast_unsigned();
                let (sign, mut digits) = match conversion {
                    'd' | 'i' => {
                        let sign = if value < 0 {
                            "-"
                        } else if self.plus {
                            "+"
                        } else if self.blank {
                            " "
                        } else {
                            ""
                        };
                        (sign, value.unsigned_abs().to_string())
                    }
                    'u' => ("", unsigned.to_string()),
                    'o' => (if self.alternate { "0" } else { "" }, format!("{unsigned:o}")),
                    'x' => (if self.alternate && value != 0 { "0x" } else { "" }, format!("{unsigned:x}")),
                    _ => (if self.alternate && value != 0 { "0X" } else { "" }, format!("{unsigned:X}")),
                };
                let wanted = match self.precision {
                    Some(precision) => precision,
                    None if self.zero && !self.left => self.width.saturating_sub(sign.len()),
                    None => 0,
                };
                let zeros = wanted.saturating_sub(digits.len());
                digits.insert_str(0, &"0".repeat(zeros));
                digits.insert_str(0, sign);
                self.pad(digits.as_bytes(), &mut printed.bytes);
            }
            other => {
                printed.errors.push(format!("%{other}: invalid directive"));
                return true;
            }
        }
        false
    }
}

/// A numeric argument.
fn argument(text: Option<&String>, printed: &mut Printed) -> i64 {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return 0 };
    if let Some(character) = text.strip_prefix(['\'', '"']) {
        return character.chars().next().map_or(0, |c| i64::from(u32::from(c)));
    }
    if let Some(value) = arith::number(text) {
        return value;
    }
    let end = text
        .char_indices()
        .find(|&(i, c)| !(c.is_ascii_digit() || (i == 0 && c == '-')))
        .map_or(text.len(), |(i, _)| i);
    match text.get(..end).and_then(|t| t.parse().ok()) {
        Some(value) => {
            printed.errors.push(format!("{text}: not completely converted"));
            value
        }
        None => {
            printed.errors.push(format!("{text}: expected numeric value"));
            0
        }
    }
}

/// Undoes the escapes of a text; `true` if `\c` ended it.
pub(crate) fn escape(text: &str, out: &mut Vec<u8>, octal_with_zero: bool) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend(rest.get(..at).unwrap_or_default().as_bytes());
        rest = rest.get(at..).unwrap_or_default();
        let (used, stop) = one_escape(rest, out, octal_with_zero);
        if stop {
            return true;
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    out.extend(rest.as_bytes());
    false
}

/// Undoes the escape at the start of a text: the bytes it takes, and whether it is `\c`.
fn one_escape(text: &str, out: &mut Vec<u8>, octal_with_zero: bool) -> (usize, bool) {
    let bytes = text.as_bytes();
    let plain = match bytes.get(1) {
        Some(b'a') => 7,
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'v') => 11,
        Some(b'\\') => b'\\',
        Some(b'c') if octal_with_zero => return (2, true),
        Some(b'0'..=b'7') => {
            let from = if octal_with_zero && bytes.get(1) == Some(&b'0') { 2 } else { 1 };
            let digits: Vec<u8> =
                bytes.iter().skip(from).take(3).copied().take_while(|b| (b'0'..=b'7').contains(b)).collect();
            let value = digits.iter().fold(0_u32, |n, d| n * 8 + u32::from(d - b'0'));
            out.push((value & 0xff) as u8);
            return (from + digits.len(), false);
        }
        _ => {
            out.push(b'\\');
            return (1, false);
        }
    };
    out.push(plain);
    (2, false)
}
