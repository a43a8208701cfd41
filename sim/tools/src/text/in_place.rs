//! `sed -i`: each file by itself, written anew.

use kernel::Errno;
use world::{Fd, FileKind, Next, OpenMode, Program, ReadResult, Sys};

use super::filter::{Filter, Flow, Out};
use super::sed::Sed;
use crate::shell::state::{write_all, write_checked};

/// A script that is run over each of some files.
///
/// Simplified: a file is written over, where the real one puts another in its place.
#[derive(Clone, Debug)]
pub(super) struct InPlace {
    /// The script, as each file finds it.
    pub sed: Sed,
    pub files: Vec<String>,
    /// What the copy of a file is called: the ending of its name, or its name with `*` for the file's;
    /// no copy if empty.
    pub backup: String,
}

/// Why a file isn't edited.
enum Failure {
    /// The next one is.
    Passed(String),
    /// Nothing more is.
    Fatal(String),
}

impl InPlace {
    /// Edits a file; answers the status with which the script ended everything.
    fn edit(&self, sys: &mut dyn Sys, name: &str) -> Result<Option<i32>, Failure> {
        let unreadable = |errno: Errno| Failure::Passed(format!("can't read {name}: {errno}"));
        let kind = sys.stat(name).map_err(unreadable)?.kind;
        if kind != FileKind::File {
            return Err(Failure::Fatal(format!("couldn't edit {name}: not a regular file")));
        }
        let fd = sys.open(name, OpenMode::Read).map_err(unreadable)?;
        let mut text = Vec::new();
        while let Ok(ReadResult::Data(more)) = sys.read(fd, 1 << 16) {
            text.extend(more);
        }
        sys.close(fd);
        let (mut sed, mut out) = (self.sed.clone(), Out::default());
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let (line, whole) = line.strip_suffix(b"\n").map_or((line, false), |line| (line, true));
            if sed.take(&mut out, line, whole) == Flow::Stop {
                break;
            }
        }
        sed.finish(&mut out);
        let copy = self.copy_of(name).map(|copy| (copy, &text));
        for (name, bytes) in copy.into_iter().chain([(name.to_owned(), &out.bytes)]) {
            let unwritable = |errno: Errno| Failure::Fatal(format!("couldn't open file {name}: {errno}"));
            let fd = sys.open(&name, OpenMode::Write).map_err(unwritable)?;
            let written = write_checked(sys, fd, bytes);
            sys.close(fd);
            written.map_err(unwritable)?;
        }
        Ok(sed.quit)
    }

    fn copy_of(&self, name: &str) -> Option<String> {
        let (folder, base) = name.rsplit_once('/').map_or(("", name), |(folder, base)| (folder, base));
        let copy = match self.backup.as_str() {
            "" => return None,
            pattern if pattern.contains('*') => pattern.replace('*', base),
            ending => format!("{base}{ending}"),
        };
        let beside = !copy.contains('/') && name.contains('/');
        Some(if beside { format!("{folder}/{copy}") } else { copy })
    }
}

impl Program for InPlace {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut status = 0;
        let say = |sys: &mut dyn Sys, text: &str| {
            let _ = write_all(sys, Fd::STDERR, format!("sed: {text}\n").as_bytes());
        };
        if self.files.is_empty() {
            say(sys, "no input files");
            return Next::Exit(4);
        }
        for name in &self.files {
            match self.edit(sys, name) {
                Ok(None) => {}
                Ok(Some(own)) => return Next::Exit(own),
                Err(Failure::Passed(text)) => {
                    say(sys, &text);
                    status = 2;
                }
                Err(Failure::Fatal(text)) => {
                    say(sys, &text);
                    return Next::Exit(4);
                }
            }
        }
        Next::Exit(status)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
