use world::Sys;

use super::number;
use crate::shell::Shell;
use crate::shell::expand::split_line;
use crate::shell::frame::{Frame, Outcome, ReadFrame};
use crate::shell::parse::is_name;
use crate::shell::simple::mark;
use crate::shell::state::{Options, State};

/// A text in single quotes, as `set` and `export -p` print it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

/// `export [-p] [NAME[=VALUE]]...`.
pub(super) fn export(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    declare(shell, sys, args, true)
}

/// `readonly [-p] [NAME[=VALUE]]...`.
pub(super) fn readonly(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    declare(shell, sys, args, false)
}

fn declare(shell: &mut Shell, sys: &mut dyn Sys, args: &[String], exported: bool) -> Outcome {
    let operands: Vec<&String> = args.iter().skip(1).filter(|a| !matches!(a.as_str(), "-p" | "--")).collect();
    if operands.is_empty() {
        let mut out = String::new();
        for (name, variable) in &shell.state.variables {
            if if exported { variable.exported } else { variable.readonly } {
                let value = variable.value.as_deref().map(|v| format!("={}", quoted(v))).unwrap_or_default();
                out += &format!("{} {name}{value}\n", args.first().map_or("", String::as_str));
            }
        }
        shell.state.write(sys, 1, out.as_bytes());
        return Outcome::Done(0);
    }
    for operand in operands {
        let (name, value) = match operand.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (operand.as_str(), None),
        };
        if !is_name(name) {
            return Outcome::Fatal(format!("{name}: bad variable name"));
        }
        if let Some(value) = value
            && let Err(message) = shell.state.set(name, value.to_owned())
        {
            return Outcome::Fatal(message);
        }
        mark(shell.state.variables.entry(name.to_owned()).or_default(), exported);
    }
    Outcome::Done(0)
}

/// `unset [-f | -v] NAME...`.
pub(super) fn unset(shell: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut functions = false;
    for operand in args.iter().skip(1) {
        match operand.as_str() {
            "-f" => functions = true,
            "-v" => functions = false,
            name if functions => {
                shell.state.functions.remove(name);
            }
            name if !is_name(name) => return Outcome::Fatal(format!("{name}: bad variable name")),
            name => {
                if shell.state.variables.get(name).is_some_and(|v| v.readonly) {
                    return Outcome::Fatal(format!("{name}: is read only"));
                }
                shell.state.variables.remove(name);
            }
        }
    }
    Outcome::Done(0)
}

/// `local NAME[=VALUE]...`: the variable keeps its value until it is set.
pub(super) fn local(shell: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    let Some(call) = shell.stack.iter().rposition(|item| matches!(item.frame, Frame::Call { .. })) else {
        return Outcome::Fatal("not in a function".to_owned());
    };
    for operand in args.iter().skip(1) {
        let (name, value) = match operand.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (operand.as_str(), None),
        };
        if !is_name(name) {
            return Outcome::Fatal(format!("{name}: bad variable name"));
        }
        let old = shell.state.variables.get(name).cloned();
        if let Some(item) = shell.stack.get_mut(call)
            && let Frame::Call { locals, .. } = &mut item.frame
        {
            locals.push((name.to_owned(), old));
        }
        if let Some(value) = value
            && let Err(message) = shell.state.set(name, value.to_owned())
        {
            return Outcome::Fatal(message);
        }
    }
    Outcome::Done(0)
}

/// `shift [N]`.
pub(super) fn shift(shell: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    let count = match args.get(1).map_or(Ok(1), |text| number(text)) {
        Ok(count) => usize::try_from(count).unwrap_or(usize::MAX),
        Err(message) => return Outcome::Fatal(message),
    };
    if count > shell.state.params.len() {
        return Outcome::Fatal("can't shift that many".to_owned());
    }
    shell.state.params.drain(..count);
    Outcome::Done(0)
}

const LONG_OPTIONS: [(&str, char); 8] = [
    ("errexit", 'e'),
    ("noglob", 'f'),
    ("noexec", 'n'),
    ("xtrace", 'x'),
    ("verbose", 'v'),
    ("allexport", 'a'),
    ("nounset", 'u'),
    ("monitor", 'm'),
];

impl Options {
    /// Sets the option of a letter; `false` if there is none.
    pub(in crate::shell) fn set(&mut self, letter: char, on: bool) -> bool {
        let option = match letter {
            'e' => &mut self.errexit,
            'f' => &mut self.noglob,
            'u' => &mut self.nounset,
            'x' => &mut self.xtrace,
            'v' => &mut self.verbose,
            'n' => &mut self.noexec,
            'a' => &mut self.allexport,
            // Simplified: accepted without effect.
            'm' | 'b' | 'C' | 'E' | 'I' => return true,
            _ => return false,
        };
        *option = on;
        true
    }

    fn is_on(&self, letter: char) -> bool {
        match letter {
            'e' => self.errexit,
            'f' => self.noglob,
            'u' => self.nounset,
            'x' => self.xtrace,
            'v' => self.verbose,
            'n' => self.noexec,
            'a' => self.allexport,
            _ => false,
        }
    }
}

/// `set [-efuvxna] [-o NAME] [--] [ARG...]`.
pub(super) fn set(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut rest = args.get(1..).unwrap_or_default();
    if rest.is_empty() {
        let mut out = String::new();
        for (name, variable) in &shell.state.variables {
            if let Some(value) = &variable.value {
                out += &format!("{name}={}\n", quoted(value));
            }
        }
        shell.state.write(sys, 1, out.as_bytes());
        return Outcome::Done(0);
    }
    while let Some((first, tail)) = rest.split_first() {
        if first == "--" || first == "-" {
            if first == "--" || !tail.is_empty() {
                shell.state.params = tail.to_vec();
            }
            return Outcome::Done(0);
        }
        let on = first.starts_with('-');
        let Some(letters) = first.strip_prefix(['-', '+']).filter(|l| !l.is_empty()) else {
            shell.state.params = rest.to_vec();
            return Outcome::Done(0);
        };
        rest = tail;
        for letter in letters.chars() {
            if letter == 'o' {
                let Some((name, tail)) = rest.split_first() else {
                    let mut out = "Current option settings\n".to_owned();
                    for (name, letter) in LONG_OPTIONS {
                        let state = if shell.state.options.is_on(letter) { "on" } else { "off" };
                        out += &format!("{name:<16}{state}\n");
                    }
                    shell.state.write(sys, 1, out.as_bytes());
                    continue;
                };
                let Some((_, letter)) = LONG_OPTIONS.iter().find(|(own, _)| own == name) else {
                    return Outcome::Fatal(format!("Illegal option -o {name}"));
                };
                shell.state.options.set(*letter, on);
                rest = tail;
            } else if !shell.state.options.set(letter, on) {
                return Outcome::Fatal(format!("Illegal option {}{letter}", if on { '-' } else { '+' }));
            }
        }
    }
    Outcome::Done(0)
}

/// `read [-r] [-p PROMPT] NAME...`.
pub(super) fn read(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut rest = args.get(1..).unwrap_or_default();
    let mut raw = false;
    while let Some((option, tail)) = rest.split_first().filter(|(o, _)| o.starts_with('-') && o.len() > 1) {
        rest = tail;
        match option.as_str() {
            "-r" => raw = true,
            "--" => break,
            "-p" => {
                let prompt = rest.first().cloned().unwrap_or_default();
                rest = rest.get(1..).unwrap_or_default();
                shell.state.write(sys, 2, prompt.as_bytes());
            }
            _ => return Outcome::Fatal(format!("Illegal option {option}")),
        }
    }
    if rest.is_empty() {
        return Outcome::Fatal("arg count".to_owned());
    }
    if let Some(bad) = rest.iter().find(|name| !is_name(name)) {
        return Outcome::Fatal(format!("{bad}: bad variable name"));
    }
    let Some(fd) = shell.state.fd(0) else { return Outcome::Done(1) };
    Outcome::Run(Frame::Read(Box::new(ReadFrame {
        names: rest.to_vec(),
        raw,
        fd,
        bytes: Vec::new(),
        protected: Vec::new(),
        escaped: false,
    })))
}

/// Sets the variables of `read` from the line it has read.
pub(in crate::shell) fn assign_line(state: &mut State, read: &ReadFrame) -> Result<(), String> {
    let text = String::from_utf8_lossy(&read.bytes);
    let line: Vec<(char, bool)> =
        text.char_indices().map(|(i, c)| (c, read.protected.contains(&i))).collect();
    let fields = split_line(&line, &state.separators(), read.names.len());
    for (name, value) in read.names.iter().zip(fields) {
        state.set(name, value)?;
    }
    Ok(())
}

/// `getopts OPTIONS NAME [ARG...]`.
pub(super) fn getopts(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let (Some(options), Some(name)) = (args.get(1), args.get(2)) else {
        return Outcome::Fatal("Usage: getopts optstring var [arg...]".to_owned());
    };
    let own = args.get(3..).unwrap_or_default();
    let list = if own.is_empty() { shell.state.params.clone() } else { own.to_vec() };
    let index: usize = shell.state.get("OPTIND").and_then(|v| v.parse().ok()).unwrap_or(1).max(1);
    let offset: usize = shell.state.get("_OPTOFF").and_then(|v| v.parse().ok()).unwrap_or(1).max(1);
    let word = list.get(index - 1).filter(|w| w.len() > 1 && w.starts_with('-'));
    let Some(word) = word.filter(|w| *w != "--") else {
        let skip = usize::from(list.get(index - 1).is_some_and(|w| w == "--"));
        return variables(shell, &[("OPTIND", (index + skip).to_string()), (name, "?".to_owned())], 1);
    };
    let letter = word.chars().nth(offset).unwrap_or('?');
    let last = word.chars().count() <= offset + 1;
    let (mut next, mut next_offset) = if last { (index + 1, 1) } else { (index, offset + 1) };
    let known = options.find(letter).filter(|_| letter != ':');
    let Some(at) = known else {
        if !options.starts_with(':') {
            shell.state.write(sys, 2, format!("Illegal option -{letter}\n").as_bytes());
        }
        let mut set = vec![
            ("OPTIND", next.to_string()),
            ("_OPTOFF", next_offset.to_string()),
            (name.as_str(), "?".to_owned()),
        ];
        if options.starts_with(':') {
            set.push(("OPTARG", letter.to_string()));
        }
        return variables(shell, &set, 0);
    };
    let mut set = vec![(name.as_str(), letter.to_string())];
    if options.get(at + 1..).is_some_and(|o| o.starts_with(':')) {
        let value =
            if last { list.get(index).cloned() } else { Some(word.chars().skip(offset + 1).collect()) };
        (next, next_offset) = (if last { index + 2 } else { index + 1 }, 1);
        match value {
            Some(value) => set.push(("OPTARG", value)),
            None => {
                shell.state.write(sys, 2, format!("No arg for -{letter} option\n").as_bytes());
                set = vec![(name.as_str(), "?".to_owned())];
                next = index + 1;
            }
        }
    }
    set.push(("OPTIND", next.to_string()));
    set.push(("_OPTOFF", next_offset.to_string()));
    variables(shell, &set, 0)
}

fn variables(shell: &mut Shell, list: &[(&str, String)], status: i32) -> Outcome {
    for (name, value) in list {
        if let Err(message) = shell.state.set(name, value.clone()) {
            return Outcome::Fatal(message);
        }
    }
    Outcome::Done(status)
}
