//! The files that plugins keep.

use world::{OpenMode, ReadResult, Sys};

use super::link::go_text;

/// All of a file.
///
/// # Errors
/// `open PATH: …`.
pub fn read(sys: &mut dyn Sys, path: &str) -> Result<String, String> {
    let fd = sys.open(path, OpenMode::Read).map_err(|errno| format!("open {path}: {}", go_text(errno)))?;
    let mut bytes = Vec::new();
    while let Ok(ReadResult::Data(more)) = sys.read(fd, 65_536) {
        bytes.extend(more);
    }
    sys.close(fd);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes a file anew.
///
/// # Errors
/// `open PATH: …`.
pub fn write(sys: &mut dyn Sys, path: &str, text: &str) -> Result<(), String> {
    let fd = sys.open(path, OpenMode::Write).map_err(|errno| format!("open {path}: {}", go_text(errno)))?;
    tools::console::write_all(sys, fd, text);
    sys.close(fd);
    Ok(())
}

/// Makes a folder and those above it.
///
/// # Errors
/// `mkdir PATH: …`.
pub fn make_folder(sys: &mut dyn Sys, folder: &str) -> Result<(), String> {
    let mut path = String::new();
    for part in folder.split('/').filter(|part| !part.is_empty()) {
        path = format!("{path}/{part}");
        if sys.stat(&path).is_err() {
            sys.mkdir(&path).map_err(|errno| format!("mkdir {path}: {}", go_text(errno)))?;
        }
    }
    Ok(())
}
