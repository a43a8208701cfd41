//! `sh`, as dash 0.5.12 runs it: parsed and run one command line at a time.
//!
//! Read first: [`Shell`], `frame.rs` (what a run consists of), `run.rs` (one step of it).
//! Simplified: `PATH` is not searched, a command is found by its name in the registry of the host;
//! there are no aliases and no job control (`bg`, Ctrl-Z).

mod arith;
mod ast;
pub(crate) mod builtin;
mod expand;
mod frame;
mod job;
mod lex;
mod parse;
pub(crate) mod pattern;
mod redirect;
pub(crate) mod resolve;
mod run;
mod simple;
mod spawn;
pub(crate) mod state;
mod syntax;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::sync::Arc;

use world::{Args, Fd, Next, Program, Registry, Signal, Sys, Wait};

use frame::{Foreground, Frame, Source, SourceKind, Unwind};
use state::State;
pub use syntax::{ParseStatus, SyntaxError, parse_status};

/// The shell process.
#[derive(Clone, Debug)]
pub struct Shell {
    args: Args,
    started: bool,
    state: State,
    stack: Vec<Item>,
    /// Whether it prompts, and an error ends only the line.
    interactive: bool,
    prompt: Option<Prompt>,
    /// Whether it is a subshell, all of whose work is on the stack.
    subshell: bool,
    /// Whether a subshell was started within a loop: `break` ends it.
    outer_loop: bool,
    /// Whether the action of `EXIT` has been started.
    exiting: Option<i32>,
    /// Signals that came and have a trap.
    pending: Vec<Signal>,
    /// Whether Ctrl-C ended the foreground job.
    interrupted: bool,
}

/// A frame, and whether a failure in it is being tested (`if`, `&&`, `!`), so that `set -e`
/// doesn't apply.
#[derive(Clone, Debug)]
struct Item {
    frame: Frame,
    tested: bool,
}

/// Which prompt is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// For a new command (`PS1`).
    First,
    /// For the rest of an unfinished one (`PS2`).
    Continuation,
}

/// Makes the text of a prompt, which goes to standard error.
#[derive(Clone)]
pub struct Prompt(Arc<dyn Fn(&dyn Sys, PromptKind) -> String + Send + Sync>);

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prompt")
    }
}

/// Commands between two pauses: other processes get their turn even if a script never waits.
const COMMANDS_PER_TURN: u32 = 2000;

impl Shell {
    /// `sh ARGS`: `args[0]` is the name it was called by.
    pub fn new(args: Args) -> Self {
        let mut state = State { umask: 0o022, line: 1, ..State::default() };
        state.fds = (0..3).map(|n| (n, Fd(n))).collect();
        Self {
            args,
            started: false,
            state,
            stack: Vec::new(),
            interactive: false,
            prompt: None,
            subshell: false,
            outer_loop: false,
            exiting: None,
            pending: Vec::new(),
            interrupted: false,
        }
    }

    /// A shell that prompts (`$PS1`, `# ` by default) and reads commands from its standard input
    /// until that ends. While it is idle it waits for descriptor 0 alone.
    pub fn interactive() -> Self {
        Self { interactive: true, ..Self::new(vec!["sh".to_owned()]) }
    }

    /// Makes the prompts; an empty text prints none.
    #[must_use]
    pub fn with_prompt(
        mut self,
        prompt: impl Fn(&dyn Sys, PromptKind) -> String + Send + Sync + 'static,
    ) -> Self {
        self.prompt = Some(Prompt(Arc::new(prompt)));
        self
    }

    /// Reads its arguments, once.
    fn start(&mut self, sys: &mut dyn Sys) -> Result<(), i32> {
        self.started = true;
        if self.subshell {
            return Ok(());
        }
        self.state.variables = expand::imported(sys.environment());
        self.state.pid = Some(sys.pid());
        let mut args = std::mem::take(&mut self.args).into_iter();
        let name = args.next().unwrap_or_else(|| "sh".to_owned());
        self.state.name = name;
        let mut command = None;
        let mut rest: Vec<String> = Vec::new();
        let mut wants_command = false;
        while let Some(arg) = args.next() {
            if arg == "--" {
                rest.extend(args.by_ref());
            } else if let Some(letters) =
                arg.strip_prefix(['-', '+']).filter(|l| !l.is_empty() && rest.is_empty())
            {
                let on = arg.starts_with('-');
                for letter in letters.chars() {
                    match letter {
                        'c' => wants_command = true,
                        's' | 'l' => {}
                        'i' => self.interactive = true,
                        _ if self.state.options.set(letter, on) => {}
                        _ => {
                            self.state.line = 0;
                            self.state.complain(sys, &format!("Illegal option -{letter}"));
                            return Err(2);
                        }
                    }
                }
            } else {
                rest.push(arg);
                rest.extend(args.by_ref());
            }
        }
        let mut rest = rest.into_iter();
        if wants_command {
            command = rest.next();
            if command.is_none() {
                self.state.line = 0;
                self.state.complain(sys, "-c requires an argument");
                return Err(2);
            }
            if let Some(name) = rest.next() {
                self.state.name = name;
            }
        }
        let text = match command {
            Some(text) => Some(text),
            None => match rest.next() {
                Some(path) => Some(self.script(sys, &path)?),
                None => None,
            },
        };
        self.state.params = rest.collect();
        let kind = match text {
            Some(_) => SourceKind::Script,
            None => {
                self.interactive |= sys.is_terminal(Fd::STDIN) && sys.is_terminal(Fd::STDERR);
                SourceKind::Input { fd: Fd::STDIN, eof: false, prompted: false }
            }
        };
        let source = Source { text: text.unwrap_or_default().into(), pos: 0, line: 1, kind, ran: false };
        self.push(Frame::Source(source), false);
        Ok(())
    }

    fn script(&mut self, sys: &mut dyn Sys, path: &str) -> Result<String, i32> {
        match resolve::read_file(sys, path) {
            Ok(text) => {
                self.state.name = path.to_owned();
                Ok(text)
            }
            Err(errno) => {
                self.state.line = 0;
                let reason =
                    if errno == kernel::Errno::NoEnt { "No such file".to_owned() } else { errno.to_string() };
                self.state.complain(sys, &format!("cannot open {path}: {reason}"));
                Err(2)
            }
        }
    }

    fn push(&mut self, frame: Frame, tested: bool) {
        self.stack.push(Item { frame, tested });
    }

    /// The processes in the foreground.
    fn foreground(&self) -> Vec<packet::Pid> {
        self.stack
            .iter()
            .flat_map(|item| match &item.frame {
                Frame::Foreground(Foreground { pids, .. }) => pids.clone(),
                Frame::Substitution { pid, .. } => vec![*pid],
                _ => Vec::new(),
            })
            .collect()
    }
}

impl Program for Shell {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if !self.started
            && let Err(status) = self.start(sys)
        {
            return Next::Exit(status);
        }
        for _ in 0..COMMANDS_PER_TURN {
            match self.step(sys) {
                None => {}
                Some(next) => return next,
            }
        }
        Next::Wait(Wait::until(sys.now()))
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        let name = builtin::signal_name(signal);
        match self.state.traps.get(name) {
            Some(action) if action.is_empty() => {}
            Some(_) => self.pending.push(signal),
            None => {
                let foreground = self.foreground();
                let replaces =
                    self.stack.iter().any(|i| matches!(&i.frame, Frame::Foreground(f) if f.replaces));
                let forwards = signal == Signal::Int || replaces;
                for &pid in foreground.iter().filter(|_| forwards) {
                    let _ = sys.kill(pid, signal);
                }
                match signal {
                    Signal::Int if !foreground.is_empty() => self.interrupted = true,
                    Signal::Int | Signal::Quit | Signal::Term if self.interactive => {
                        if signal == Signal::Int {
                            self.abandon(sys, 130);
                            self.state.write(sys, 2, b"\n");
                        }
                    }
                    _ if replaces => {}
                    _ => return Next::Exit(128 + signal.number()),
                }
            }
        }
        if self.started { self.resume(sys) } else { Next::Wait(Wait::until(sys.now())) }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

impl Shell {
    /// Leaves everything but the prompt.
    fn abandon(&mut self, sys: &mut dyn Sys, status: i32) {
        while self.stack.len() > 1 {
            self.discard(sys);
        }
        if let Some(Item { frame: Frame::Source(source), .. }) = self.stack.last_mut() {
            source.pos = source.text.len();
            if let SourceKind::Input { prompted, .. } = &mut source.kind {
                *prompted = false;
            }
        }
        self.state.builtin = None;
        self.state.status = status;
    }

    /// Takes a way out of the commands that run.
    fn unwind(&mut self, sys: &mut dyn Sys, unwind: Unwind) -> Option<Next> {
        let (mut levels, is_continue) = match unwind {
            Unwind::Exit(status) => return self.exit(sys, status),
            Unwind::Return(status) => {
                self.state.status = status;
                return self.leave_function(sys, status);
            }
            Unwind::Break(n) => (n, false),
            Unwind::Continue(n) => (n, true),
        };
        self.state.status = 0;
        let limit =
            self.stack.iter().rposition(|i| matches!(i.frame, Frame::Call { .. })).map_or(0, |i| i + 1);
        let loops: Vec<usize> = (limit..self.stack.len())
            .filter(|&i| {
                matches!(self.stack.get(i).map(|i| &i.frame), Some(Frame::Loop { .. } | Frame::For { .. }))
            })
            .collect();
        if loops.is_empty() {
            if self.outer_loop && limit == 0 {
                return self.exit(sys, 0);
            }
            return None;
        }
        levels = levels.min(loops.len());
        let target = loops.get(loops.len() - levels).copied().unwrap_or(0);
        while self.stack.len() > target + 1 {
            self.discard(sys);
        }
        if !is_continue {
            self.stack.pop();
        } else if let Some(Item { frame: Frame::Loop { in_body, status, .. }, .. }) = self.stack.last_mut() {
            *in_body = true;
            *status = 0;
        }
        None
    }

    fn leave_function(&mut self, sys: &mut dyn Sys, status: i32) -> Option<Next> {
        loop {
            match self.stack.last().map(|i| &i.frame) {
                None => return self.exit(sys, status),
                Some(Frame::Call { .. }) => {
                    self.discard(sys);
                    return None;
                }
                Some(Frame::Source(Source { kind: SourceKind::Dot, .. })) => {
                    self.stack.pop();
                    return None;
                }
                Some(Frame::Source(Source { kind: SourceKind::Input { .. }, .. })) if self.interactive => {
                    return None;
                }
                Some(_) => self.discard(sys),
            }
        }
    }

    /// Drops the top frame, undoing what it changed.
    fn discard(&mut self, sys: &mut dyn Sys) {
        match self.stack.pop().map(|item| item.frame) {
            Some(Frame::Restore(restore)) => self.put_back(sys, *restore),
            Some(Frame::Call { params, locals }) => self.end_call(params, locals),
            Some(Frame::Substitution { fd, .. }) => sys.close(fd),
            _ => {}
        }
    }

    /// Ends the process, after the action of `EXIT`.
    fn exit(&mut self, sys: &mut dyn Sys, status: i32) -> Option<Next> {
        while !self.stack.is_empty() {
            self.discard(sys);
        }
        self.state.builtin = None;
        self.state.status = status;
        match self.state.traps.remove("EXIT").filter(|_| self.exiting.is_none()) {
            Some(action) if !action.is_empty() => {
                self.exiting = Some(status);
                let source = Source {
                    text: action.into(),
                    pos: 0,
                    line: 1,
                    kind: SourceKind::Trap(status),
                    ran: false,
                };
                self.push(Frame::Source(source), true);
                None
            }
            _ => Some(Next::Exit(status & 0xff)),
        }
    }

    /// Ends a script for an error; a prompt only loses its line.
    fn fail(&mut self, sys: &mut dyn Sys, message: &str) -> Option<Next> {
        self.state.complain(sys, message);
        self.fail_silently(sys, 2)
    }

    fn fail_silently(&mut self, sys: &mut dyn Sys, status: i32) -> Option<Next> {
        self.state.builtin = None;
        if self.interactive && !self.subshell {
            self.abandon(sys, status);
            return None;
        }
        self.exit(sys, status)
    }
}

/// The names of the shell's builtins.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    builtin::names()
}

/// Installs `sh`.
pub fn install(registry: &mut Registry) {
    for name in ["sh", "dash"] {
        registry.install(name, |args| Box::new(Shell::new(args)));
    }
}
