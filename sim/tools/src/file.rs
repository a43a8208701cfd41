//! Files as daemons keep them: read and written at once.

use world::{FileKind, OpenMode, Sys};

use crate::console::write_all;
pub use crate::net::read_file as read;

/// Makes a directory and those above it.
pub fn make_dirs(sys: &mut dyn Sys, path: &str) {
    if sys.mkdir(path).is_ok() || sys.stat(path).is_ok() {
        return;
    }
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    for end in ends.collect::<Vec<_>>() {
        if let Some(dir) = path.get(..end) {
            let _ = sys.mkdir(dir);
        }
    }
}

/// Writes a file and makes the directories above it.
pub fn put(sys: &mut dyn Sys, path: &str, text: &str) {
    if let Some((dir, _)) = path.rsplit_once('/') {
        make_dirs(sys, dir);
    }
    if let Ok(fd) = sys.open(path, OpenMode::Write) {
        write_all(sys, fd, text);
        sys.close(fd);
    }
}

/// Removes a directory and what is in it. What is mounted in it stays, and so does its folder.
pub fn remove_tree(sys: &mut dyn Sys, path: &str) {
    for entry in sys.read_dir(path).unwrap_or_default() {
        let child = format!("{path}/{}", entry.name);
        if entry.kind == FileKind::Dir {
            remove_tree(sys, &child);
        } else {
            let _ = sys.unlink(&child);
        }
    }
    let _ = sys.unlink(path);
}
