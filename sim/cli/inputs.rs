use std::path::{Path, PathBuf};

use lab::Places;

/// The scenario files that some arguments name, each once, in the order of the arguments and, within
/// one, of their names. An argument is a file, a folder (every scenario below it) or a pattern.
///
/// # Errors
/// Arguments that name nothing.
pub(crate) fn scenarios(arguments: &[PathBuf]) -> (Vec<PathBuf>, Vec<String>) {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut errors = Vec::new();
    for argument in arguments {
        match named(argument) {
            Ok(found) => {
                for file in found {
                    if !files.contains(&file) {
                        files.push(file);
                    }
                }
            }
            Err(message) => errors.push(message),
        }
    }
    (files, errors)
}

fn named(argument: &Path) -> Result<Vec<PathBuf>, String> {
    let text = argument.to_string_lossy();
    if argument.is_dir() {
        let mut found = Vec::new();
        walk(argument, &mut found).map_err(|error| format!("{text}: can't be read: {error}"))?;
        return match found.is_empty() {
            true => Err(format!("{text}: no scenario (*.ron) in this folder or below it")),
            false => Ok(found),
        };
    }
    if argument.exists() || !text.contains(['*', '?', '[']) {
        return Ok(vec![argument.to_owned()]);
    }
    let paths = glob::glob(&text).map_err(|error| format!("{text}: not a pattern: {error}"))?;
    let found: Vec<PathBuf> = paths.filter_map(Result::ok).filter(|path| path.is_file()).collect();
    if found.is_empty() { Err(format!("{text}: no file has such a name")) } else { Ok(found) }
}

/// Every `*.ron` below a folder but topologies, by name; files and folders whose names begin with a
/// dot are left out.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(&path, found)?;
        } else if name.ends_with(".ron") && !is_topology(&path) {
            found.push(path);
        }
    }
    Ok(())
}

fn is_topology(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| Places::scan(&text).name() == Some("Topology"))
}
