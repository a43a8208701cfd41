use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state;
use crate::typing::Entry;

/// The labs that were solved, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// How each was solved at its best: with the fewest hints.
    pub solved: BTreeMap<String, Solved>,
}

/// How a lab was solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Solved {
    /// Whether the solution was looked at before.
    pub peeked: bool,
    /// Hints that were asked for.
    pub hints: usize,
    /// Commands that were typed.
    pub commands: usize,
}

impl Progress {
    /// What is remembered; nothing if that can't be read.
    pub fn read() -> Self {
        let text = file("labs.json").and_then(|file| std::fs::read_to_string(file).ok());
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Remembers that a lab was solved, if nobody did better before.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn remember(name: &str, how: Solved) -> Result<(), String> {
        let Some(file) = file("labs.json") else { return Ok(()) };
        let mut known = Self::read();
        let best = known.solved.entry(name.to_owned()).or_insert(how);
        *best = how.min(*best);
        write(&file, &known)
    }
}

/// What was typed at a lab's earlier visits.
///
/// # Errors
/// The file is there and can't be read.
pub(crate) fn journal(name: &str) -> Result<Vec<Entry>, String> {
    let Some(file) = file(&format!("lab-{name}.json")).filter(|file| file.exists()) else {
        return Ok(Vec::new());
    };
    let wrong = |error: String| format!("{}: {error}\nhint: delete it to begin anew", file.display());
    let text = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

/// Keeps what was typed for the next visit.
///
/// # Errors
/// The file can't be written.
pub(crate) fn keep(name: &str, journal: &[Entry]) -> Result<(), String> {
    file(&format!("lab-{name}.json")).map_or(Ok(()), |file| write(&file, &journal))
}

fn file(name: &str) -> Option<PathBuf> {
    state::folder().map(|folder| folder.join(name))
}

fn write(file: &Path, value: &(impl Serialize + ?Sized)) -> Result<(), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| wrong(&error))?;
    }
    let text = serde_json::to_string_pretty(value).map_err(|error| wrong(&error))?;
    std::fs::write(file, text + "\n").map_err(|error| wrong(&error))
}
