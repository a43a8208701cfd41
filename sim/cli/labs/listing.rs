use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lab::Scenario;
use serde::Serialize;

use super::progress::Progress;
use crate::answer::Format;
use crate::inputs;

/// A lab as it is listed.
#[derive(Serialize)]
pub(crate) struct Entry {
    /// The file's name without `.ron`: what `hoplab lab` takes.
    pub name: String,
    topic: String,
    difficulty: u8,
    title: String,
    file: PathBuf,
    solved: bool,
}

/// The labs of a folder, by topic, difficulty and name. Files that can't be read are left out.
pub(super) fn labs(folder: &Path) -> Vec<Entry> {
    let (files, _) = inputs::scenarios(&[folder.to_owned()]);
    let solved = Progress::read().solved;
    let entry = |file: PathBuf| {
        let (scenario, _) = Scenario::read(&file).ok()?;
        let lab = scenario.lab?;
        let name = file.file_stem()?.to_string_lossy().into_owned();
        let solved = solved.contains_key(&name);
        let (topic, difficulty) = (lab.topic, lab.difficulty);
        Some(Entry { name, topic, difficulty, title: scenario.title, file, solved })
    };
    let mut all: Vec<Entry> = files.into_iter().filter_map(entry).collect();
    all.sort_by(|a, b| (&a.topic, a.difficulty, &a.name).cmp(&(&b.topic, b.difficulty, &b.name)));
    all
}

/// Lists the labs of a folder.
///
/// # Errors
/// There are none.
#[allow(clippy::print_stdout)]
pub(super) fn show(folder: &Path, format: Format) -> Result<ExitCode, String> {
    let all = labs(folder);
    if all.is_empty() {
        return Err(format!("no labs below `{}`\nhint: `--scenarios FOLDER`", folder.display()));
    }
    match format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&all).map_err(|e| e.to_string())?),
        Format::Text => {
            let width = all.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
            let mut topic = "";
            for entry in &all {
                if entry.topic != topic {
                    let gap = if topic.is_empty() { "" } else { "\n" };
                    println!("{gap}{}", entry.topic);
                    topic = &entry.topic;
                }
                let mark = if entry.solved { '✓' } else { ' ' };
                let stars = "*".repeat(usize::from(entry.difficulty));
                println!("  {mark} {:width$}  {stars:5}  {}", entry.name, entry.title);
            }
            let solved = all.iter().filter(|entry| entry.solved).count();
            println!("\n{solved} of {} solved. `hoplab lab NAME` enters one.", all.len());
        }
    }
    Ok(ExitCode::SUCCESS)
}
