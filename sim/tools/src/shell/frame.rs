use std::sync::Arc;

use packet::Pid;
use world::Fd;

use super::ast::Tree;
use super::expand::Log;
use super::redirect::{Ready, SavedFds};
use super::state::Variable;

/// A command that is being run; the stack of them is the whole state of the run.
#[derive(Clone, Debug)]
pub(super) enum Frame {
    /// Runs a tree.
    Tree(Tree),
    /// Parses a text line by line and runs it.
    Source(Source),
    /// Runs the commands of a sequence from `next` on.
    Seq { tree: Tree, next: usize },
    /// `&&`, `||`: the right side, if the left one's success is as wanted.
    Then { wanted: bool, right: Tree },
    /// Negates the status.
    Not,
    /// After the condition of `if`.
    If(Tree),
    /// `while` and `until`.
    Loop { tree: Tree, in_body: bool, status: i32 },
    /// Expands the words of `for`.
    ForWords { tree: Tree, next: usize, items: Vec<String>, log: Log },
    /// Runs the body of `for` for the items from `next` on.
    For { tree: Tree, next: usize, items: Arc<Vec<String>> },
    /// Matches `case`.
    Case { tree: Tree, subject: Option<String>, arm: usize, pattern: usize, log: Log },
    /// Expands a simple command, then runs it.
    Simple(Box<SimpleFrame>),
    /// Expands the redirections of a compound command.
    Redirects { tree: Tree, ready: Vec<Ready>, log: Log },
    /// Puts descriptors and variables back after a command.
    Restore(Box<Restore>),
    /// A function call: puts back parameters and local variables.
    Call { params: Vec<String>, locals: Locals },
    /// Waits for processes; the last one's status counts.
    Foreground(Foreground),
    /// Collects the output of a command substitution.
    Substitution { fd: Fd, pid: Pid, output: Vec<u8> },
    /// Lets the world deliver a signal that the shell sent to itself.
    Pause,
    /// `read`.
    Read(Box<ReadFrame>),
    /// `wait`: for these processes; the status of the last one, or 0 if `all`.
    WaitJobs { pids: Vec<Pid>, all: bool },
}

/// Variables to put back, newest last.
pub(super) type Locals = Vec<(String, Option<Variable>)>;

/// A text that is parsed and run line by line.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub text: Arc<str>,
    pub pos: usize,
    pub line: usize,
    pub kind: SourceKind,
    /// Whether it has run a command.
    pub ran: bool,
}

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// The script, or `-c`.
    Script,
    /// `eval`.
    Eval,
    /// `.`: `return` ends it.
    Dot,
    /// A trap's action: the status before it.
    Trap(i32),
    /// A descriptor that is read as needed.
    Input { fd: Fd, eof: bool, prompted: bool },
}

/// A simple command on its way.
#[derive(Clone, Debug)]
pub(super) struct SimpleFrame {
    pub tree: Tree,
    /// How many words are expanded.
    pub words: usize,
    pub args: Vec<String>,
    pub ready: Vec<Ready>,
    pub values: Vec<String>,
    pub log: Log,
    /// Whether a command substitution has set the status.
    pub substituted: bool,
}

/// What a command changed for itself only.
#[derive(Clone, Debug, Default)]
pub(super) struct Restore {
    pub fds: SavedFds,
    pub variables: Locals,
    /// Whether it is a builtin, whose name leaves the messages.
    pub builtin: bool,
}

/// Processes that are waited for.
#[derive(Clone, Debug)]
pub(super) struct Foreground {
    pub pids: Vec<Pid>,
    /// The status if the last command could not be started.
    pub failed: Option<i32>,
    /// Whether signals to the shell go to the processes: the shell stands for them.
    pub replaces: bool,
    /// Whether its last process is a program rather than a subshell, so that its status tells
    /// a signal.
    pub program: bool,
}

/// `read` on its way.
#[derive(Clone, Debug)]
pub(super) struct ReadFrame {
    pub names: Vec<String>,
    pub raw: bool,
    pub fd: Fd,
    pub bytes: Vec<u8>,
    /// Positions of bytes that a backslash protects.
    pub protected: Vec<usize>,
    pub escaped: bool,
}

impl Frame {
    /// The results of the word that is being expanded.
    pub(super) fn log(&mut self) -> Option<&mut Log> {
        match self {
            Self::ForWords { log, .. } | Self::Case { log, .. } | Self::Redirects { log, .. } => Some(log),
            Self::Simple(simple) => {
                simple.substituted = true;
                Some(&mut simple.log)
            }
            _ => None,
        }
    }
}

/// How control leaves commands early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwind {
    /// `break N`.
    Break(usize),
    /// `continue N`.
    Continue(usize),
    /// `return`.
    Return(i32),
    /// `exit`, or a fatal error.
    Exit(i32),
}

/// What a builtin answers.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Its status.
    Done(i32),
    /// It goes on as this frame.
    Run(Frame),
    /// It changes the flow of control.
    Unwind(Unwind),
    /// A message, and a status that ends a script.
    Fatal(String),
}

impl Outcome {
    /// Success if `true`.
    pub(super) const fn from_bool(success: bool) -> Self {
        Self::Done(if success { 0 } else { 1 })
    }
}
