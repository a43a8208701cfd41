use world::{FileKind, Sys};

use super::{find, is_special, number};
use crate::shell::Shell;
use crate::shell::frame::{Foreground, Frame, Outcome, Source, SourceKind, Unwind};
use crate::shell::lex::Keyword;
use crate::shell::resolve::{Command, read_file, resolve};

/// `:` and `true`.
pub(super) fn colon(_: &mut Shell, _: &mut dyn Sys, _: &[String]) -> Outcome {
    Outcome::Done(0)
}

/// `false`.
pub(super) fn false_(_: &mut Shell, _: &mut dyn Sys, _: &[String]) -> Outcome {
    Outcome::Done(1)
}

fn levels(args: &[String]) -> Result<usize, Outcome> {
    match args.get(1) {
        None => Ok(1),
        Some(text) => match number(text) {
            Ok(n) if n > 0 => Ok(usize::try_from(n).unwrap_or(1)),
            _ => Err(Outcome::Fatal(format!("Illegal number: {text}"))),
        },
    }
}

/// `break [N]`.
pub(super) fn break_(_: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    levels(args).map_or_else(|e| e, |n| Outcome::Unwind(Unwind::Break(n)))
}

/// `continue [N]`.
pub(super) fn continue_(_: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    levels(args).map_or_else(|e| e, |n| Outcome::Unwind(Unwind::Continue(n)))
}

fn status(shell: &Shell, args: &[String]) -> Result<i32, Outcome> {
    match args.get(1) {
        None => Ok(shell.state.status),
        Some(text) => number(text).map_err(Outcome::Fatal),
    }
}

/// `return [N]`.
pub(super) fn return_(shell: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    status(shell, args).map_or_else(|e| e, |n| Outcome::Unwind(Unwind::Return(n)))
}

/// `exit [N]`. In the action of `EXIT` the status is the one it was called with.
pub(super) fn exit(shell: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    if let (Some(status), None) = (shell.exiting, args.get(1)) {
        return Outcome::Unwind(Unwind::Exit(status));
    }
    status(shell, args).map_or_else(|e| e, |n| Outcome::Unwind(Unwind::Exit(n)))
}

fn run_text(text: String, kind: SourceKind, line: usize) -> Outcome {
    Outcome::Run(Frame::Source(Source { text: text.into(), pos: 0, line, kind, ran: false }))
}

/// `eval`.
pub(super) fn eval(shell: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    let text = args.get(1..).unwrap_or_default().join(" ");
    shell.state.builtin = None;
    run_text(text, SourceKind::Eval, 1)
}

/// `. FILE`.
pub(super) fn dot(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let Some(path) = args.get(1) else { return Outcome::Done(0) };
    if !path.contains('/') {
        return Outcome::Fatal(format!("{path}: not found"));
    }
    match read_file(sys, path) {
        Ok(text) => {
            shell.state.builtin = None;
            run_text(text, SourceKind::Dot, 1)
        }
        Err(kernel::Errno::NoEnt) => Outcome::Fatal(format!("cannot open {path}: No such file")),
        Err(errno) => Outcome::Fatal(format!("cannot open {path}: {errno}")),
    }
}

/// `exec COMMAND`; without one its redirections stay (handled where they are made).
pub(super) fn exec(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let args = args.get(1..).unwrap_or_default().to_vec();
    let name = args.first().cloned().unwrap_or_default();
    match resolve(sys, &name) {
        Command::NotFound => {
            shell.state.complain(sys, &format!("{name}: not found"));
            return Outcome::Unwind(Unwind::Exit(127));
        }
        Command::Denied => {
            shell.state.complain(sys, &format!("{name}: Permission denied"));
            return Outcome::Unwind(Unwind::Exit(126));
        }
        Command::Program(_) | Command::Script(_) => {}
    }
    // Simplified: the command is a child that this process stands for, and `EXIT` is forgotten.
    shell.state.builtin = None;
    shell.state.traps.clear();
    let (pids, failed, program) = match shell.spawn_program(sys, args, &[]) {
        Ok((pid, program)) => (vec![pid], None, program),
        Err(status) => (Vec::new(), Some(status), false),
    };
    Outcome::Run(Frame::Foreground(Foreground { pids, failed, replaces: true, program }))
}

/// `trap [ACTION SIGNAL...]`.
pub(super) fn trap(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut args = args.get(1..).unwrap_or_default();
    if args.first().is_some_and(|a| a == "--") {
        args = args.get(1..).unwrap_or_default();
    }
    if args.is_empty() {
        let mut out = String::new();
        for name in super::SIGNALS {
            if let Some(action) = shell.state.traps.get(name) {
                out += &format!("trap -- {} {name}\n", super::variable::quoted(action));
            }
        }
        shell.state.write(sys, 1, out.as_bytes());
        return Outcome::Done(0);
    }
    let resets = args.len() == 1 || args.first().is_some_and(|a| a == "-" || number(a).is_ok());
    let (action, signals) = match args {
        [one] => (None, std::slice::from_ref(one)),
        [dash, rest @ ..] if dash == "-" => (None, rest),
        all if resets => (None, all),
        [action, rest @ ..] => (Some(action.clone()), rest),
        [] => (None, args),
    };
    for signal in signals {
        let Some(name) = super::signal_number(signal).and_then(|n| super::SIGNALS.get(n)) else {
            shell.state.write(sys, 2, format!("trap: {signal}: bad trap\n").as_bytes());
            return Outcome::Done(1);
        };
        match &action {
            Some(action) => shell.state.traps.insert((*name).to_owned(), action.clone()),
            None => shell.state.traps.remove(*name),
        };
    }
    Outcome::Done(0)
}

/// `command [-v | -V] NAME [ARGS]`.
pub(super) fn command(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut rest = args.get(1..).unwrap_or_default();
    let mut look = None;
    while let Some(option @ ("-v" | "-V" | "-p" | "--")) = rest.first().map(String::as_str) {
        if option == "-v" || option == "-V" {
            look = Some(option == "-V");
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    let Some(name) = rest.first() else { return Outcome::Done(0) };
    if let Some(long) = look {
        return describe(shell, sys, name, long);
    }
    if name == "exec" && rest.len() == 1 {
        return Outcome::Done(0);
    }
    match find(name) {
        Some(run) => {
            shell.state.builtin = Some(name.clone());
            match run(shell, sys, rest) {
                Outcome::Fatal(message) => {
                    shell.state.complain(sys, &message);
                    Outcome::Done(2)
                }
                other => other,
            }
        }
        None => {
            shell.state.builtin = None;
            let started = shell.spawn_program(sys, rest.to_vec(), &[]);
            let (pids, failed, program) = match started {
                Ok((pid, program)) => (vec![pid], None, program),
                Err(status) => (Vec::new(), Some(status), false),
            };
            Outcome::Run(Frame::Foreground(Foreground { pids, failed, replaces: false, program }))
        }
    }
}

/// `type NAME...`.
pub(super) fn type_(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut status = 0;
    for name in args.get(1..).unwrap_or_default() {
        if let Outcome::Done(one) = describe(shell, sys, name, true) {
            status |= one;
        }
    }
    Outcome::Done(status)
}

/// Prints what a name stands for.
fn describe(shell: &Shell, sys: &mut dyn Sys, name: &str, long: bool) -> Outcome {
    let kind = if Keyword::parse(name).is_some() {
        "a shell keyword"
    } else if is_special(name) {
        "a special shell builtin"
    } else if shell.state.functions.contains_key(name) {
        "a shell function"
    } else if find(name).is_some() {
        "a shell builtin"
    } else {
        let path = match resolve(sys, name) {
            Command::Program(program) if !name.contains('/') => Some(format!("/usr/bin/{program}")),
            Command::Program(_) | Command::Script(_) => Some(name.to_owned()),
            Command::Denied => {
                sys.stat(name).ok().filter(|s| s.kind == FileKind::File).map(|_| name.to_owned())
            }
            Command::NotFound => None,
        };
        return match path {
            Some(path) => {
                let text = if long { format!("{name} is {path}\n") } else { format!("{path}\n") };
                shell.state.write(sys, 1, text.as_bytes());
                Outcome::Done(0)
            }
            None => {
                if long {
                    shell.state.write(sys, 1, format!("{name}: not found\n").as_bytes());
                }
                Outcome::Done(127)
            }
        };
    };
    let text = if long { format!("{name} is {kind}\n") } else { format!("{name}\n") };
    shell.state.write(sys, 1, text.as_bytes());
    Outcome::Done(0)
}
