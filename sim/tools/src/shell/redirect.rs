use world::{Fd, OpenMode, Sys};

use super::ast::{Redirect, Target};
use super::expand::{Expander, Stop};
use super::state::{State, write_all};

/// A redirection whose words are expanded.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    fd: u32,
    action: Action,
}

#[derive(Clone, Debug)]
enum Action {
    Open(String, OpenMode),
    Duplicate(String),
    Here(String),
}

/// What descriptors were before redirections, to be put back.
#[derive(Clone, Debug, Default)]
pub(super) struct SavedFds(Vec<(u32, Option<Fd>)>);

impl Ready {
    /// Expands a redirection.
    pub(super) fn expand(redirect: &Redirect, expander: &mut Expander<'_>) -> Result<Self, Stop> {
        let action = match &redirect.target {
            Target::Read(word) | Target::ReadWrite(word) => {
                Action::Open(expander.text(word)?, OpenMode::Read)
            }
            Target::Write(word) => Action::Open(expander.text(word)?, OpenMode::Write),
            Target::Append(word) => Action::Open(expander.text(word)?, OpenMode::Append),
            Target::Duplicate(word) => Action::Duplicate(expander.text(word)?),
            Target::Here(body) => Action::Here(match body.get() {
                Some(word) => expander.text(word)?,
                None => String::new(),
            }),
        };
        Ok(Self { fd: redirect.fd, action })
    }
}

impl State {
    /// Redirects descriptors.
    ///
    /// # Errors
    /// dash's message; what was redirected before the failure is put back.
    pub(super) fn redirect(&mut self, sys: &mut dyn Sys, list: &[Ready]) -> Result<SavedFds, ()> {
        let mut saved = SavedFds::default();
        for ready in list {
            match self.open(sys, &ready.action) {
                Ok(fd) => {
                    let old = match fd {
                        Some(fd) => self.fds.insert(ready.fd, fd),
                        None => self.fds.remove(&ready.fd),
                    };
                    saved.0.push((ready.fd, old));
                }
                Err(message) => {
                    let builtin = self.builtin.take();
                    self.complain(sys, &message);
                    self.builtin = builtin;
                    self.restore(sys, saved);
                    return Err(());
                }
            }
        }
        Ok(saved)
    }

    fn open(&self, sys: &mut dyn Sys, action: &Action) -> Result<Option<Fd>, String> {
        use kernel::Errno;
        match action {
            Action::Open(path, mode) => {
                sys.open(path, *mode).map(Some).map_err(|errno| match (mode, errno) {
                    (OpenMode::Read, Errno::NoEnt) => format!("cannot open {path}: No such file"),
                    (OpenMode::Read, _) => format!("cannot open {path}: {errno}"),
                    (_, Errno::NoEnt) => format!("cannot create {path}: Directory nonexistent"),
                    _ => format!("cannot create {path}: {errno}"),
                })
            }
            Action::Duplicate(text) if text == "-" => Ok(None),
            Action::Duplicate(text) => {
                let number: u32 = match text.as_bytes() {
                    [digit] if digit.is_ascii_digit() => u32::from(digit - b'0'),
                    _ => return Err("Syntax error: Bad fd number".to_owned()),
                };
                let fd = self.fd(number).ok_or_else(|| format!("{number}: {}", Errno::BadF))?;
                sys.dup(fd).map(Some).map_err(|errno| format!("{number}: {errno}"))
            }
            Action::Here(text) => {
                let (reader, writer) = sys.pipe();
                let _ = write_all(sys, writer, text.as_bytes());
                sys.close(writer);
                Ok(Some(reader))
            }
        }
    }

    /// Puts descriptors back.
    pub(super) fn restore(&mut self, sys: &mut dyn Sys, saved: SavedFds) {
        for (number, old) in saved.0.into_iter().rev() {
            let current = match old {
                Some(fd) => self.fds.insert(number, fd),
                None => self.fds.remove(&number),
            };
            if let Some(fd) = current {
                sys.close(fd);
            }
        }
    }

    /// Makes redirections permanent (`exec`).
    pub(super) fn keep(&mut self, sys: &mut dyn Sys, saved: SavedFds) {
        for (_, old) in saved.0 {
            if let Some(fd) = old {
                sys.close(fd);
            }
        }
    }
}
