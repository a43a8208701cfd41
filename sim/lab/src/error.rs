use std::fmt;
use std::path::{Path, PathBuf};

use unicode_width::UnicodeWidthChar;

use crate::place::{Places, line_column};

/// A file that can't be used: where, why, and what would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file.
    pub file: PathBuf,
    /// Where in the file, if the problem has a place.
    pub place: Option<Place>,
    /// What is wrong.
    pub problem: Problem,
    /// What else is wrong with it.
    pub more: Vec<FileError>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters are meant.
    pub length: usize,
    /// The line itself.
    pub text: String,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It couldn't be read.
    #[error("can't be read: {0}")]
    Unreadable(String),
    /// It couldn't be written.
    #[error("can't be written: {0}")]
    Unwritable(String),
    /// It is not RON of the expected shape.
    #[error("{message}{}", hint_line(hint))]
    Syntax {
        /// What was expected, and what was found.
        message: String,
        /// What would do.
        hint: Option<String>,
    },
    /// A name that nothing has.
    #[error("unknown {kind} `{name}`{}", hint_line(&self.hint()))]
    Unknown {
        /// `host`, `namespace`, `device`, `topology`.
        kind: &'static str,
        /// What was written.
        name: String,
        /// The nearest name that exists.
        hint: Option<String>,
    },
    /// A value that can't be used.
    #[error("`{value}` is not {expected}")]
    Invalid {
        /// What was written.
        value: String,
        /// What would do.
        expected: &'static str,
    },
    /// A name or address that something else already has.
    #[error("{what} is already {first}{}", hint_line(hint))]
    Duplicate {
        /// What is there twice: `host `r1``.
        what: String,
        /// Who has it: `the address of `r1:eth0` (line 4)`.
        first: String,
        /// What would do.
        hint: Option<String>,
    },
    /// Two things that don't go together, or one that can't be had.
    #[error("{message}{}", hint_line(hint))]
    Conflict {
        /// What is wrong.
        message: String,
        /// What would do.
        hint: Option<String>,
    },
    /// Something that must be there isn't.
    #[error("expected {0}")]
    Missing(&'static str),
    /// A row of a table is too short or too long.
    #[error("cells of this row: {cells}; columns of the table: {columns}")]
    Cells {
        /// Cells of the row.
        cells: usize,
        /// Columns of the table.
        columns: usize,
    },
    /// A regular expression that isn't one.
    #[error("`{pattern}` is no regular expression: {why}")]
    Regex {
        /// What was written.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A command of a `setup` failed.
    #[error("the setup of host `{host}` failed with status {status}:\n{output}")]
    Setup {
        /// The host.
        host: String,
        /// Exit status.
        status: i32,
        /// What it printed.
        output: String,
    },
    /// A command never ends.
    #[error("`{command}` never ends: {why}")]
    Endless {
        /// The command.
        command: String,
        /// What keeps it.
        why: String,
    },
}

impl Problem {
    /// What would do, if that can be told.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { hint, .. } => hint.as_ref().map(|name| format!("did you mean `{name}`?")),
            Self::Syntax { hint, .. } | Self::Duplicate { hint, .. } | Self::Conflict { hint, .. } => {
                hint.clone()
            }
            Self::Unreadable(_)
            | Self::Unwritable(_)
            | Self::Invalid { .. }
            | Self::Setup { .. }
            | Self::Endless { .. }
            | Self::Missing(_)
            | Self::Cells { .. }
            | Self::Regex { .. } => None,
        }
    }

    /// The words in the file that it is about.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::Unknown { name: text, .. }
            | Self::Invalid { value: text, .. }
            | Self::Regex { pattern: text, .. }
            | Self::Setup { host: text, .. }
            | Self::Endless { command: text, .. } => text,
            Self::Unreadable(_)
            | Self::Unwritable(_)
            | Self::Syntax { .. }
            | Self::Duplicate { .. }
            | Self::Conflict { .. }
            | Self::Missing(_)
            | Self::Cells { .. } => "",
        }
    }
}

fn hint_line(hint: &Option<String>) -> String {
    hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"))
}

/// `file:line:column: message`, the line with a caret below the place, and the hint; then whatever
/// else is wrong.
impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(Place { line, column, .. }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        let hint = hint_line(&self.problem.hint());
        let message = self.problem.to_string();
        write!(f, ": {}", message.strip_suffix(&hint).unwrap_or(&message).trim_end())?;
        if let Some(place) = &self.place {
            write!(f, "\n{place}")?;
        }
        f.write_str(&hint)?;
        self.more.iter().try_for_each(|error| write!(f, "\nerror: {error}"))
    }
}

/// The line, and carets under what is meant.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let mut chars = self.text.chars();
        let before: String = chars
            .by_ref()
            .take(self.column - 1)
            .map(|c| if c == '\t' { c.to_string() } else { " ".repeat(c.width().unwrap_or(0)) })
            .collect();
        let carets: usize = chars.take(self.length).filter_map(UnicodeWidthChar::width).sum();
        let carets = "^".repeat(carets.max(1));
        write!(f, "{gutter} |\n{number} | {}\n{gutter} | {before}{carets}", self.text)
    }
}

impl std::error::Error for FileError {}

impl FileError {
    /// A problem of the whole file.
    pub fn new(file: &Path, problem: Problem) -> Self {
        Self { file: file.to_owned(), place: None, problem, more: Vec::new() }
    }

    /// A problem at the value with this path in the file's text, such as `acts[1].steps[0].on`; the
    /// forms of a path are those of [`Places::find`].
    pub fn at_path(file: &Path, text: &str, path: &str, problem: Problem) -> Self {
        let span = Places::scan(text).find(path).unwrap_or_else(|nearest| nearest);
        Self { place: Some(Place::new(text, span)), ..Self::new(file, problem) }
    }
}

impl Place {
    /// The place of these bytes of a text, up to the end of their first line.
    pub fn new(text: &str, span: std::ops::Range<usize>) -> Self {
        let (line, column) = line_column(text, span.start);
        let full = text.lines().nth(line - 1).unwrap_or("").to_owned();
        let meant = text.get(span).unwrap_or("");
        Self { line, column, length: meant.lines().next().unwrap_or("").chars().count(), text: full }
    }
}

/// The name among `known` that is nearest to `name`, if one is near: at most a third of its
/// characters differ, and not all of them.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|&(distance, candidate)| {
            let length = candidate.chars().count();
            distance <= length.max(3) / 3 && distance < length
        })
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}
