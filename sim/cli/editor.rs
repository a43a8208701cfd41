use std::path::PathBuf;

use packet::{HostId, NetnsId, Pid};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Context};
use world::World;

use crate::complete::complete;
use crate::state;

/// Edits lines at the terminal, with completion and a history.
pub(crate) struct Editor {
    lines: rustyline::Editor<View, FileHistory>,
    /// Where the history is kept; none without a home.
    file: Option<PathBuf>,
}

/// What the terminal gave.
pub(crate) enum Line {
    /// A line without its end.
    Text(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    End,
}

/// The world as completion sees it.
#[derive(Default)]
struct View(Option<(World, (HostId, NetnsId, Pid))>);

impl Editor {
    /// Reads the history.
    ///
    /// # Errors
    /// The terminal is not usable.
    pub fn open() -> Result<Self, String> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(2000)
            .map_err(text)?
            .build();
        let mut lines = rustyline::Editor::with_config(config).map_err(text)?;
        let file = state::folder().map(|folder| folder.join("history"));
        if let Some(file) = &file {
            // A missing or unreadable history is an empty one.
            let _ = lines.load_history(file);
        }
        Ok(Self { lines, file })
    }

    /// Reads one line. Completion looks at a process of the world.
    ///
    /// # Errors
    /// The terminal fails.
    pub fn read(&mut self, prompt: &str, world: &World, at: (HostId, NetnsId, Pid)) -> Result<Line, String> {
        self.lines.set_helper(Some(View(Some((world.clone(), at)))));
        let line = self.lines.readline(prompt);
        self.lines.set_helper(None);
        match line {
            Ok(line) => Ok(Line::Text(line)),
            Err(ReadlineError::Interrupted) => Ok(Line::Interrupt),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => Err(text(error)),
        }
    }

    /// Adds a command to the history.
    pub fn remember(&mut self, command: &str) {
        // A history that can't be kept is no reason to stop.
        if self.lines.add_history_entry(command).unwrap_or(false)
            && let Some(file) = &self.file
        {
            if let Some(folder) = file.parent() {
                let _ = std::fs::create_dir_all(folder);
            }
            let _ = self.lines.append_history(file);
        }
    }
}

fn text(error: ReadlineError) -> String {
    format!("the terminal: {error}")
}

impl Completer for View {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let Some((world, at)) = &self.0 else { return Ok((pos, Vec::new())) };
        let (start, found) = complete(world, *at, line.get(..pos).unwrap_or_default());
        let pairs = found.into_iter().map(|word| {
            let end = if word.ends_with('/') { "" } else { " " };
            Pair { replacement: format!("{word}{end}"), display: word }
        });
        Ok((start, pairs.collect()))
    }
}

impl rustyline::hint::Hinter for View {
    type Hint = String;
}
impl rustyline::highlight::Highlighter for View {}
impl rustyline::validate::Validator for View {}
impl rustyline::Helper for View {}
