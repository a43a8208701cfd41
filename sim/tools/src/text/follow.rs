//! `tail -f`: what is added to files.

use std::time::Duration;

use world::{Fd, Next, OpenMode, Program, ReadResult, Sys, Wait};

use crate::shell::state::{BROKEN_PIPE, write_all};

/// How often the files are looked at. Simplified: the real command is told of changes at once
/// (inotify).
const LOOK: Duration = Duration::from_millis(100);

/// Runs a command over files to its end, then goes on with what is added to them.
#[derive(Clone, Debug)]
pub(super) struct Following {
    /// What prints the files' ends; `None` when it has.
    first: Option<Box<dyn Program>>,
    files: Vec<Followed>,
    /// Whether each change of file is announced.
    headers: bool,
    /// The file that was written of last.
    last: usize,
}

#[derive(Clone, Debug)]
struct Followed {
    name: String,
    /// Bytes that have been seen.
    seen: usize,
}

impl Following {
    /// `first`, then what is added to `files`.
    pub(super) fn program(first: Box<dyn Program>, files: Vec<String>, headers: bool) -> Box<dyn Program> {
        let last = files.len().saturating_sub(1);
        let files = files.into_iter().map(|name| Followed { name, seen: 0 }).collect();
        Box::new(Self { first: Some(first), files, headers, last })
    }

    /// Notes how long the files are now; those that can't be read are given up.
    fn begin(&mut self, sys: &mut dyn Sys) -> Next {
        self.files.retain_mut(|file| {
            let size = contents(sys, &file.name).map(|data| data.len());
            file.seen = size.unwrap_or_default();
            size.is_some()
        });
        if self.files.is_empty() {
            let _ = write_all(sys, Fd::STDERR, b"tail: no files remaining\n");
            return Next::Exit(1);
        }
        self.last = self.last.min(self.files.len() - 1);
        Next::Wait(Wait::until(sys.now() + LOOK))
    }

    fn look(&mut self, sys: &mut dyn Sys) -> Next {
        for number in 0..self.files.len() {
            let Some(data) = contents(sys, &self.files[number].name) else { continue };
            let file = &mut self.files[number];
            if data.len() < file.seen {
                let text = format!("tail: {}: file truncated\n", file.name);
                let _ = write_all(sys, Fd::STDERR, text.as_bytes());
                file.seen = 0;
            }
            let Some(new) = data.get(file.seen..).filter(|new| !new.is_empty()) else { continue };
            file.seen = data.len();
            let mut out = Vec::new();
            if self.headers && self.last != number {
                out.extend(format!("\n==> {} <==\n", file.name).into_bytes());
            }
            self.last = number;
            out.extend_from_slice(new);
            if write_all(sys, Fd::STDOUT, &out).is_err() {
                return Next::Exit(BROKEN_PIPE);
            }
        }
        Next::Wait(Wait::until(sys.now() + LOOK))
    }
}

/// The bytes of a file as it is now.
pub(crate) fn contents(sys: &mut dyn Sys, name: &str) -> Option<Vec<u8>> {
    let fd = sys.open(name, OpenMode::Read).ok()?;
    let mut all = Vec::new();
    while let Ok(ReadResult::Data(data)) = sys.read(fd, 65536) {
        all.extend(data);
    }
    sys.close(fd);
    Some(all)
}

impl Program for Following {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        match &mut self.first {
            None => self.look(sys),
            Some(first) => match first.resume(sys) {
                Next::Exit(BROKEN_PIPE) => Next::Exit(BROKEN_PIPE),
                Next::Exit(_) => {
                    self.first = None;
                    self.begin(sys)
                }
                waits => waits,
            },
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
