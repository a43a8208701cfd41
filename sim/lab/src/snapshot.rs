use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::error::{FileError, Problem};

/// What a scenario told when somebody last looked at it: a file in the folder `snapshots` beside the
/// scenario, in the form that `cargo insta` writes and reviews.
#[derive(Clone, Debug)]
pub struct Snapshot {
    file: PathBuf,
    scenario: String,
    /// The head with its lines `---`, and the text.
    content: Option<(String, String)>,
}

impl Snapshot {
    /// Reads the snapshot of a scenario's file, if it has one.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn of(scenario: &Path) -> Result<Self, FileError> {
        let name = scenario.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = scenario.with_file_name("snapshots").join(format!("{name}.snap"));
        let scenario = scenario.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let content = match std::fs::read_to_string(&file) {
            Ok(text) => Some(split(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(FileError::new(&file, Problem::Unreadable(error.to_string()))),
        };
        Ok(Self { file, scenario, content })
    }

    /// Where it is, or would be.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether there is one.
    pub fn exists(&self) -> bool {
        self.content.is_some()
    }

    /// The lines in which `text` differs from it, with `-` and `+` in front and three lines around.
    /// `None` if there is no snapshot or no difference.
    pub fn difference(&self, text: &str) -> Option<String> {
        let (_, known) = self.content.as_ref()?;
        let (known, text) = (normal(known), normal(text));
        if known == text {
            return None;
        }
        let diff = TextDiff::from_lines(&known, &text);
        Some(diff.unified_diff().context_radius(3).to_string())
    }

    /// Takes `text` from now on. Answers whether the file had to be written.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn accept(&mut self, text: &str) -> Result<bool, FileError> {
        if self.exists() && self.difference(text).is_none() {
            return Ok(false);
        }
        let head = match self.content.take() {
            Some((head, _)) => head,
            None => format!("---\nsource: {}\n---\n", self.scenario),
        };
        let failed =
            |error: std::io::Error| FileError::new(&self.file, Problem::Unwritable(error.to_string()));
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(&self.file, format!("{head}{}", normal(text))).map_err(failed)?;
        self.content = Some((head, text.to_owned()));
        Ok(true)
    }
}

/// The head of a file of insta, and the rest.
fn split(text: &str) -> (String, String) {
    let end =
        text.strip_prefix("---\n").and_then(|rest| rest.find("\n---\n")).map(|at| at + "---\n\n---\n".len());
    let (head, rest) = text.split_at(end.unwrap_or(0));
    (head.to_owned(), rest.to_owned())
}

/// As insta compares: ends of lines and empty lines at both ends don't count.
fn normal(text: &str) -> String {
    format!("{}\n", text.replace("\r\n", "\n").trim_matches('\n').trim_end())
}
