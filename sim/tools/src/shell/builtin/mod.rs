//! The shell's builtins.

mod control;
mod files;
mod job;
mod print;
mod test;
mod variable;

use world::{Signal, Sys};

use super::Shell;
use super::frame::Outcome;
pub(crate) use job::send;
pub(crate) use print::{escape, printf};
pub(crate) use test::test;
pub(super) use variable::assign_line;

/// A builtin: the name it was called by is `args[0]`.
pub(super) type Builtin = fn(&mut Shell, &mut dyn Sys, &[String]) -> Outcome;

/// POSIX's special builtins: an error ends the script, assignments before them stay.
const SPECIAL: [(&str, Builtin); 15] = [
    (".", control::dot),
    (":", control::colon),
    ("break", control::break_),
    ("continue", control::continue_),
    ("eval", control::eval),
    ("exec", control::exec),
    ("exit", control::exit),
    ("export", variable::export),
    ("local", variable::local),
    ("readonly", variable::readonly),
    ("return", control::return_),
    ("set", variable::set),
    ("shift", variable::shift),
    ("trap", control::trap),
    ("unset", variable::unset),
];

const REGULAR: [(&str, Builtin); 19] = [
    ("[", test::bracket),
    ("cd", files::cd),
    ("command", control::command),
    ("echo", print::echo),
    ("false", control::false_),
    ("fg", job::fg),
    ("getopts", variable::getopts),
    ("jobs", job::jobs),
    ("kill", job::kill),
    ("printf", print::printf_builtin),
    ("pwd", files::pwd),
    ("read", variable::read),
    ("test", test::test_builtin),
    ("true", control::colon),
    ("type", control::type_),
    ("ulimit", files::ulimit),
    ("umask", files::umask),
    ("wait", job::wait),
    ("hash", control::colon),
];

/// The builtin of that name.
pub(super) fn find(name: &str) -> Option<Builtin> {
    SPECIAL.iter().chain(&REGULAR).find(|(own, _)| *own == name).map(|(_, run)| *run)
}

/// The names of all builtins.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SPECIAL.iter().chain(&REGULAR).map(|(name, _)| *name)
}

/// Whether it is a special builtin.
pub(super) fn is_special(name: &str) -> bool {
    SPECIAL.iter().any(|(own, _)| *own == name)
}

/// A signal's name without `SIG`.
pub(crate) const fn signal_name(signal: Signal) -> &'static str {
    match signal {
        Signal::Hup => "HUP",
        Signal::Int => "INT",
        Signal::Quit => "QUIT",
        Signal::Kill => "KILL",
        Signal::Usr1 => "USR1",
        Signal::Term => "TERM",
    }
}

/// What `kill` and `trap` know as signals.
pub(crate) const SIGNALS: [&str; 32] = [
    "EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The number of a signal given as number or name, with or without `SIG`.
pub(crate) fn signal_number(text: &str) -> Option<usize> {
    if let Ok(number) = text.parse::<usize>() {
        return (number < 65).then_some(number);
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    SIGNALS.iter().position(|own| own.eq_ignore_ascii_case(name))
}

/// The simulated signal of that number. Simplified: those that would only end the process end it
/// as `TERM` does.
pub(crate) const fn signal_of(number: usize) -> Option<Signal> {
    match number {
        1 => Some(Signal::Hup),
        2 => Some(Signal::Int),
        3 => Some(Signal::Quit),
        9 => Some(Signal::Kill),
        10 => Some(Signal::Usr1),
        13..=15 => Some(Signal::Term),
        _ => None,
    }
}

/// An unsigned number as dash's builtins read it.
fn number(text: &str) -> Result<i32, String> {
    text.parse::<i32>().ok().filter(|n| *n >= 0).ok_or_else(|| format!("Illegal number: {text}"))
}
