use std::io::Read as _;
use std::path::{Path, PathBuf};

use kube::proxy::input::{InputError, Source};
use lab::{FileError, Place, Problem};

/// Files that a command was given, with their names as they were given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    files: Vec<(String, String)>,
}

impl Given {
    /// Reads them; `-` is standard input.
    ///
    /// # Errors
    /// One that can't be read.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self, FileError> {
        let read = |file: &PathBuf| Ok((file.display().to_string(), text_of(file)?));
        Ok(Self { files: files.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// Each with its name.
    pub(crate) fn sources(&self) -> Vec<Source<'_>> {
        self.files.iter().map(|(name, text)| Source { name, text }).collect()
    }

    /// The text of one.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.files.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }

    /// Errors with the lines that they are about.
    ///
    /// # Errors
    /// One that is about no place.
    pub(crate) fn places(&self, errors: Vec<InputError>) -> Result<Vec<FileError>, InputError> {
        let place = |error| match error {
            InputError::At { file, line, column, message, hint } => {
                Ok(at_place(&file, self.text(&file), (line, column), message, hint))
            }
            other => Err(other),
        };
        errors.into_iter().map(place).collect()
    }
}

/// The text of a file; `-` is standard input.
///
/// # Errors
/// It can't be read.
pub(crate) fn text_of(file: &Path) -> Result<String, FileError> {
    let read = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|error| FileError::new(file, Problem::Unreadable(error.to_string())))
}

/// Errors as they are printed after `error: `.
pub(crate) fn list(errors: &[FileError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: ")
}

/// An error at a place of a file.
pub(crate) fn at_place(
    file: &str,
    text: &str,
    (line, column): (usize, usize),
    message: String,
    hint: Option<String>,
) -> FileError {
    let full = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
    let (line, column) = (line.max(1), column.max(1));
    // The word that stands there.
    let word = full.chars().skip(column - 1);
    let length = word.take_while(|c| !c.is_whitespace() && !",:]}".contains(*c)).count().max(1);
    let place = Place { line, column, length, text: full };
    let problem = Problem::Syntax { message, hint };
    FileError { place: Some(place), ..FileError::new(Path::new(file), problem) }
}
