use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// A file that can't be used: where, why, and what would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file.
    pub file: PathBuf,
    /// Line and column from 1, if the problem has a place.
    pub place: Option<(usize, usize)>,
    /// The line itself.
    pub line: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It couldn't be read.
    #[error("can't be read: {0}")]
    Unreadable(String),
    /// It is not RON of the expected shape.
    #[error("{0}")]
    Syntax(String),
    /// A name that nothing has.
    #[error("unknown {kind} `{name}`{}", hint.as_ref().map_or(String::new(), |h| format!("\nhint: did you mean `{h}`?")))]
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

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)?;
        if let (Some(text), Some((number, column))) = (&self.line, self.place) {
            let gutter = number.to_string();
            let blank = " ".repeat(gutter.len());
            let pad = " ".repeat(column.saturating_sub(1));
            write!(f, "\n{blank} |\n{gutter} | {text}\n{blank} | {pad}^")?;
        }
        Ok(())
    }
}

impl std::error::Error for FileError {}

impl FileError {
    /// A problem of the whole file.
    pub fn new(file: &Path, problem: Problem) -> Self {
        Self { file: file.to_owned(), place: None, line: None, problem }
    }

    /// A problem at the first place where `word` stands in quotes in the file's text.
    pub fn at_word(file: &Path, text: &str, word: &str, problem: Problem) -> Self {
        let quoted = format!("\"{word}");
        let found = text.lines().enumerate().find_map(|(i, line)| {
            let byte = line.find(&quoted)?;
            Some(((i + 1, line[..byte].chars().count() + 2), line.to_owned()))
        });
        let (place, line) = found.unzip();
        Self { file: file.to_owned(), place, line, problem }
    }
}

/// Reads and parses a RON file; also answers its text, for later checks.
pub(crate) fn read_ron<T: DeserializeOwned>(file: &Path) -> Result<(T, String), FileError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| FileError::new(file, Problem::Unreadable(error.to_string())))?;
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    match options.from_str(&text) {
        Ok(value) => Ok((value, text)),
        Err(error) => {
            let place = (error.span.start.line, error.span.start.col);
            let line = text.lines().nth(place.0.saturating_sub(1)).map(str::to_owned);
            Err(FileError {
                file: file.to_owned(),
                place: Some(place),
                line,
                problem: Problem::Syntax(error.code.to_string()),
            })
        }
    }
}

/// The name among `known` that is nearest to `name`, if one is near: at most a third of its
/// characters differ.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
