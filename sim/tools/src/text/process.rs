//! `sleep`, `kill`, `timeout`, `xargs`, `env`, `yes`, `seq`: commands about time and processes.

use packet::{Pid, SimTime};
use std::time::Duration;
use world::{Args, Fd, Next, Program, ReadResult, Registry, Signal, Spawn, Sys, Wait};

use super::filter::Refused;
use crate::getopt::getopt;
use crate::shell::builtin::{SIGNALS, send, signal_number, signal_of};
use crate::shell::resolve::{Command, resolve};
use crate::shell::state::{BROKEN_PIPE, write_all};

/// Seconds with a fraction and a suffix `s`, `m`, `h`, `d`.
fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(digits) => (
            digits,
            match text.chars().last() {
                Some('m') => 60,
                Some('h') => 3600,
                Some('d') => 86400,
                _ => 1,
            },
        ),
        None => (text, 1_u64),
    };
    if digits == "infinity" || digits == "inf" {
        return Some(Duration::from_secs(u64::MAX / 4_000_000_000));
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty())
        || !fraction.bytes().all(|b| b.is_ascii_digit())
        || !whole.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let seconds: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let nanos: u64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(Duration::from_nanos(
        seconds.saturating_mul(1_000_000_000).saturating_add(nanos).saturating_mul(unit),
    ))
}

#[derive(Clone, Debug)]
struct Sleep {
    time: Duration,
    end: Option<SimTime>,
}

impl Program for Sleep {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let end = *self.end.get_or_insert(sys.now() + self.time);
        if sys.now() >= end { Next::Exit(0) } else { Next::Wait(Wait::until(end)) }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn sleep(args: Args) -> Box<dyn Program> {
    let operands = args.get(1..).unwrap_or_default();
    if operands.is_empty() {
        return Refused::usage("sleep", "missing operand", 1);
    }
    if let Some(option) = operands.first().filter(|a| a.starts_with('-') && a.len() > 1) {
        return Refused::usage(
            "sleep",
            format!("invalid option -- '{}'", option.chars().nth(1).unwrap_or('-')),
            1,
        );
    }
    let mut time = Duration::ZERO;
    for operand in operands {
        match duration(operand) {
            Some(one) => time = time.saturating_add(one),
            None => return Refused::usage("sleep", format!("invalid time interval '{operand}'"), 1),
        }
    }
    Box::new(Sleep { time, end: None })
}

/// Starts a program with the caller's descriptors; `Err` is its status, the message printed.
fn start(
    sys: &mut dyn Sys,
    command: &str,
    mut args: Args,
    env: Option<std::collections::BTreeMap<String, String>>,
) -> Result<Pid, i32> {
    let name = args.first().cloned().unwrap_or_default();
    let (text, status) = match resolve(sys, &name) {
        Command::Program(program) => {
            if let Some(first) = args.first_mut() {
                *first = program;
            }
            ("", 0)
        }
        Command::Script(path) => {
            args.splice(0..1, ["sh".to_owned(), path]);
            ("", 0)
        }
        Command::NotFound => ("No such file or directory", 127),
        Command::Denied => ("Permission denied", 126),
    };
    let verb = match command {
        "timeout" => "failed to run command ",
        _ => "",
    };
    if status != 0 {
        let shown = match command {
            "timeout" => format!("'{name}'"),
            "env" => format!("'{name}'"),
            _ => name,
        };
        let _ = write_all(sys, Fd::STDERR, format!("{command}: {verb}{shown}: {text}\n").as_bytes());
        return Err(status);
    }
    let fds = [Fd::STDIN, Fd::STDOUT, Fd::STDERR].map(|fd| (fd, fd)).to_vec();
    sys.spawn(Spawn { args, env, fds, ..Spawn::default() }).map_err(|_| 126)
}

/// `timeout [-s SIGNAL] [-k TIME] TIME COMMAND...`. Simplified: `-k` is accepted without effect.
#[derive(Clone, Debug)]
struct Timeout {
    time: Duration,
    signal: Signal,
    args: Args,
    child: Option<(Pid, SimTime)>,
    sent: bool,
    preserve: bool,
}

impl Program for Timeout {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let (pid, end) = match self.child {
            Some(child) => child,
            None => match start(sys, "timeout", std::mem::take(&mut self.args), None) {
                Ok(pid) => *self
                    .child
                    .insert((pid, if self.time.is_zero() { SimTime::MAX } else { sys.now() + self.time })),
                Err(status) => return Next::Exit(status),
            },
        };
        if let Some(status) = sys.exit_status(pid) {
            let timed_out = self.sent && self.signal != Signal::Kill && !self.preserve;
            return Next::Exit(if timed_out { 124 } else { status });
        }
        if !self.sent && sys.now() >= end {
            self.sent = true;
            let _ = sys.kill(pid, self.signal);
        }
        let until = (!self.sent && end != SimTime::MAX).then_some(end);
        Next::Wait(Wait { until, pids: vec![pid], ..Wait::default() })
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        if let Some((pid, _)) = self.child {
            let _ = sys.kill(pid, signal);
        }
        Next::Exit(128 + signal.number())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn timeout(args: Args) -> Box<dyn Program> {
    let long = [
        ("signal", 's'),
        ("kill-after", 'k'),
        ("preserve-status", 'p'),
        ("foreground", 'f'),
        ("verbose", 'v'),
    ];
    let (options, words) = match getopt(args.get(1..).unwrap_or_default(), "+s:k:pfv", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::usage("timeout", error, 125),
    };
    let mut signal = Signal::Term;
    for (_, value) in options.iter().filter(|(o, _)| *o == 's') {
        let value = value.clone().unwrap_or_default();
        match signal_number(&value).and_then(signal_of) {
            Some(known) => signal = known,
            None => return Refused::usage("timeout", format!("'{value}': invalid signal"), 125),
        }
    }
    let [time, command @ ..] = words.as_slice() else {
        return Refused::usage("timeout", "missing operand", 125);
    };
    if command.is_empty() {
        return Refused::usage("timeout", "missing operand", 125);
    }
    let Some(time_parsed) = duration(time) else {
        return Refused::usage("timeout", format!("invalid time interval '{time}'"), 125);
    };
    let preserve = options.iter().any(|(o, _)| *o == 'p');
    Box::new(Timeout {
        time: time_parsed,
        signal,
        args: command.to_vec(),
        child: None,
        sent: false,
        preserve,
    })
}

/// `xargs [-n N] [-I TEXT] [-r] COMMAND...`.
#[derive(Clone, Debug)]
struct Xargs {
    command: Args,
    per_call: usize,
    replace: Option<String>,
    only_if_any: bool,
    input: Vec<u8>,
    calls: Option<Vec<Args>>,
    child: Option<Pid>,
    status: i32,
}

impl Xargs {
    /// The commands to run, last one first.
    fn plan(&self) -> Vec<Args> {
        let text = String::from_utf8_lossy(&self.input);
        let mut calls: Vec<Args> = if let Some(mark) = &self.replace {
            let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty());
            lines
                .map(|line| self.command.iter().map(|word| word.replace(mark.as_str(), line)).collect())
                .collect()
        } else {
            let words = words(&text);
            let call = |chunk: &[String]| self.command.iter().chain(chunk).cloned().collect();
            if words.is_empty() && !self.only_if_any {
                vec![self.command.clone()]
            } else {
                words.chunks(self.per_call).map(call).collect()
            }
        };
        calls.reverse();
        calls
    }
}

/// Words as xargs splits them: blanks, quotes, backslashes.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_ascii_whitespace() => out.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

impl Program for Xargs {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        while self.calls.is_none() {
            match sys.read(Fd::STDIN, 65536) {
                Ok(ReadResult::Data(data)) => self.input.extend(data),
                Ok(ReadResult::WouldBlock) => {
                    return Next::Wait(Wait { fds: vec![Fd::STDIN], ..Wait::default() });
                }
                Ok(ReadResult::Eof) | Err(_) => self.calls = Some(self.plan()),
            }
        }
        loop {
            if let Some(pid) = self.child {
                match sys.exit_status(pid) {
                    None => return Next::Wait(Wait { pids: vec![pid], ..Wait::default() }),
                    Some(0) => {}
                    Some(255) => {
                        let name = self.command.first().cloned().unwrap_or_default();
                        let _ = write_all(
                            sys,
                            Fd::STDERR,
                            format!("xargs: {name}: exited with status 255; aborting\n").as_bytes(),
                        );
                        return Next::Exit(124);
                    }
                    Some(_) => self.status = 123,
                }
                self.child = None;
            }
            match self.calls.as_mut().and_then(Vec::pop) {
                None => return Next::Exit(self.status),
                Some(args) => match start(sys, "xargs", args, None) {
                    Ok(pid) => self.child = Some(pid),
                    Err(status) => return Next::Exit(status),
                },
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn xargs(args: Args) -> Box<dyn Program> {
    let long = [("max-args", 'n'), ("no-run-if-empty", 'r')];
    let (options, mut command) = match getopt(args.get(1..).unwrap_or_default(), "+n:I:rt", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::usage("xargs", error, 1),
    };
    if command.is_empty() {
        command.push("echo".to_owned());
    }
    let (mut per_call, mut replace, mut only_if_any) = (usize::MAX, None, false);
    for (letter, value) in options {
        let value = value.unwrap_or_default();
        match letter {
            'n' => match value.parse::<usize>() {
                Ok(n) if n > 0 => per_call = n,
                _ => {
                    return Refused::usage("xargs", format!("value {value} for -n option should be >= 1"), 1);
                }
            },
            'I' => replace = Some(value),
            'r' => only_if_any = true,
            _ => {}
        }
    }
    Box::new(Xargs {
        command,
        per_call,
        replace,
        only_if_any,
        input: Vec::new(),
        calls: None,
        child: None,
        status: 0,
    })
}

/// `env [-i] [NAME=VALUE]... [COMMAND...]`.
#[derive(Clone, Debug)]
struct Env {
    args: Args,
    child: Option<Pid>,
}

impl Program for Env {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if self.child.is_none() {
            let mut rest = self.args.get(1..).unwrap_or_default();
            let mut env = sys.environment();
            while let Some((first, tail)) = rest.split_first() {
                match (first.as_str(), first.split_once('=')) {
                    ("-i" | "-", _) => env.clear(),
                    (option, _) if option.starts_with('-') => {
                        let text = format!(
                            "env: invalid option -- '{}'\nTry 'env --help' for more information.\n",
                            option.chars().nth(1).unwrap_or('-')
                        );
                        let _ = write_all(sys, Fd::STDERR, text.as_bytes());
                        return Next::Exit(125);
                    }
                    (_, Some((name, value))) => {
                        env.insert(name.to_owned(), value.to_owned());
                    }
                    _ => break,
                }
                rest = tail;
            }
            if rest.is_empty() {
                let text: String = env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
                let closed = write_all(sys, Fd::STDOUT, text.as_bytes()).is_err();
                return Next::Exit(if closed { BROKEN_PIPE } else { 0 });
            }
            match start(sys, "env", rest.to_vec(), Some(env)) {
                Ok(pid) => self.child = Some(pid),
                Err(status) => return Next::Exit(status),
            }
        }
        let pids: Vec<Pid> = self.child.into_iter().collect();
        match pids.first().and_then(|pid| sys.exit_status(*pid)) {
            Some(status) => Next::Exit(status),
            None => Next::Wait(Wait { pids, ..Wait::default() }),
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        if let Some(pid) = self.child {
            let _ = sys.kill(pid, signal);
        }
        Next::Exit(128 + signal.number())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

#[derive(Clone, Debug)]
struct Yes {
    line: String,
}

impl Program for Yes {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let block = self.line.repeat(64);
        match write_all(sys, Fd::STDOUT, block.as_bytes()) {
            // A millisecond a block, so that whoever reads gets its turn.
            Ok(()) => Next::Wait(Wait::until(sys.now() + Duration::from_millis(1))),
            Err(_) => Next::Exit(BROKEN_PIPE),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// `kill` as a program (`env kill`).
fn kill(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut rest = args.get(1..).unwrap_or_default();
    let mut signal = 15;
    if rest.first().is_some_and(|a| a == "-l") {
        let text = SIGNALS.get(1..).unwrap_or_default().join(" ");
        let _ = write_all(sys, Fd::STDOUT, format!("{text}\n").as_bytes());
        return 0;
    }
    if let Some(option) = rest.first().and_then(|a| a.strip_prefix('-')) {
        let (name, used) =
            if option == "s" { (rest.get(1).map_or("", String::as_str), 2) } else { (option, 1) };
        match signal_number(name) {
            Some(number) => signal = number,
            None => {
                let _ = write_all(sys, Fd::STDERR, format!("kill: unknown signal {name}\n").as_bytes());
                return 1;
            }
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    let mut status = 0;
    for operand in rest {
        let sent = operand.parse().is_ok_and(|pid| send(sys, Pid(pid), signal));
        if !sent {
            let _ = write_all(sys, Fd::STDERR, format!("kill: ({operand}): No such process\n").as_bytes());
            status = 1;
        }
    }
    status
}

/// `seq`, a block of numbers at a time, so that whoever reads gets its turn.
#[derive(Clone, Debug)]
struct Seq {
    args: Args,
    /// What is left to write, once the arguments are read.
    rest: Option<Numbers>,
}

/// Numbers to write.
#[derive(Clone, Debug)]
struct Numbers {
    next: Option<i64>,
    step: i64,
    last: i64,
    digits: usize,
    separator: String,
    /// Whether one was written, so that the separator comes first.
    began: bool,
}

/// Bytes that `seq` writes at once, at least.
const SEQ_BLOCK: usize = 1 << 16;

impl Program for Seq {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let numbers = match &mut self.rest {
            Some(numbers) => numbers,
            None => match seq(sys, &self.args) {
                Ok(numbers) => self.rest.insert(numbers),
                Err(status) => return Next::Exit(status),
            },
        };
        let text = numbers.block();
        if write_all(sys, Fd::STDOUT, text.as_bytes()).is_err() {
            return Next::Exit(BROKEN_PIPE);
        }
        if numbers.next.is_some() { Next::Wait(Wait::until(sys.now())) } else { Next::Exit(0) }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

impl Numbers {
    fn block(&mut self) -> String {
        let mut text = String::new();
        while let Some(n) =
            self.next.filter(|n| if self.step > 0 { *n <= self.last } else { *n >= self.last })
        {
            if text.len() >= SEQ_BLOCK {
                return text;
            }
            if std::mem::replace(&mut self.began, true) {
                text += &self.separator;
            }
            text += &format!("{n:0width$}", width = self.digits);
            self.next = n.checked_add(self.step);
        }
        self.next = None;
        if self.began {
            text.push('\n');
        }
        text
    }
}

/// The numbers that `seq` is asked for, or its exit status.
///
/// Simplified: whole numbers only.
fn seq(sys: &mut dyn Sys, args: &[String]) -> Result<Numbers, i32> {
    let mut separator = "\n".to_owned();
    let mut width = false;
    let mut rest = args.get(1..).unwrap_or_default();
    loop {
        match rest.first().map(String::as_str) {
            Some("-w") => {
                width = true;
                rest = rest.get(1..).unwrap_or_default();
            }
            Some("-s") => {
                separator = rest.get(1).cloned().unwrap_or_default();
                rest = rest.get(2..).unwrap_or_default();
            }
            Some(glued) if glued.starts_with("-s") => {
                separator = glued.get(2..).unwrap_or_default().to_owned();
                rest = rest.get(1..).unwrap_or_default();
            }
            _ => break,
        }
    }
    let mut numbers = Vec::new();
    for operand in rest {
        match operand.parse::<i64>() {
            Ok(n) => numbers.push(n),
            Err(_) => {
                let text = format!(
                    "seq: invalid floating point argument: '{operand}'\nTry 'seq --help' for more information.\n"
                );
                let _ = write_all(sys, Fd::STDERR, text.as_bytes());
                return Err(1);
            }
        }
    }
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] => (*first, *step, *last),
        other => {
            let text = match other.first() {
                None => "seq: missing operand".to_owned(),
                Some(_) => format!("seq: extra operand '{}'", rest.get(3).map_or("", String::as_str)),
            };
            let _ = write_all(
                sys,
                Fd::STDERR,
                format!("{text}\nTry 'seq --help' for more information.\n").as_bytes(),
            );
            return Err(1);
        }
    };
    if step == 0 {
        let text = "seq: invalid Zero increment value: '0'\nTry 'seq --help' for more information.\n";
        let _ = write_all(sys, Fd::STDERR, text.as_bytes());
        return Err(1);
    }
    let digits = if width { first.to_string().len().max(last.to_string().len()) } else { 0 };
    Ok(Numbers { next: Some(first), step, last, digits, separator, began: false })
}

fn yes(args: Args) -> Box<dyn Program> {
    let words = args.get(1..).unwrap_or_default();
    Box::new(Yes { line: if words.is_empty() { "y\n".to_owned() } else { format!("{}\n", words.join(" ")) } })
}

/// Installs them.
pub(super) fn install(registry: &mut Registry) {
    registry.install("sleep", sleep);
    registry.install("timeout", timeout);
    registry.install("xargs", xargs);
    registry.install("env", |args| Box::new(Env { args, child: None }));
    registry.install("yes", yes);
    registry.install_command("kill", kill);
    registry.install("seq", |args| Box::new(Seq { args, rest: None }));
}
