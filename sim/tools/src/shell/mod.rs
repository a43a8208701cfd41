//! `sh`, as dash 0.5.12 runs it: parsed and run one command line at a time.

use world::{Args, Next, Program, Registry, Sys};

/// The shell process.
#[derive(Clone, Debug)]
pub struct Shell {
    args: Args,
}

impl Shell {
    /// `sh ARGS`: `args[0]` is the name it was called by.
    pub fn new(args: Args) -> Self {
        Self { args }
    }

    /// A shell that prompts and reads commands from its standard input until that ends.
    pub fn interactive() -> Self {
        Self { args: vec!["sh".to_owned()] }
    }
}

impl Program for Shell {
    fn resume(&mut self, _sys: &mut dyn Sys) -> Next {
        Next::Exit(if self.args.is_empty() { 2 } else { 0 })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Whether a text can be run as it is, e.g. to choose the continuation prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseStatus {
    /// Whole commands.
    Complete,
    /// The beginning of a command: more lines must follow.
    Incomplete,
    /// No continuation can make it right.
    Wrong(SyntaxError),
}

/// Where and why a script can't be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Syntax error: {message}")]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// dash's words after `Syntax error: `, e.g. `"fi" unexpected (expecting "then")`.
    pub message: String,
    /// Whether the text ended too early, so that more lines may mend it.
    pub incomplete: bool,
}

/// Judges a text without running it.
pub fn parse_status(_text: &str) -> ParseStatus {
    ParseStatus::Complete
}

/// Installs `sh`.
pub fn install(registry: &mut Registry) {
    for name in ["sh", "dash", "/bin/sh"] {
        registry.install(name, |args| Box::new(Shell::new(args)));
    }
}
