//! A person at a terminal.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect, Session};

/// A new folder for the history.
pub fn state(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hoplab-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// A person at a prompt.
pub struct Person(pub OsSession);

impl Person {
    /// Starts hoplab at a terminal.
    pub fn sits_down(state: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hoplab"));
        command.args(args).env("XDG_STATE_HOME", state).env("TERM", "xterm");
        let mut session = Session::spawn(command).expect("a terminal");
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        Self(session)
    }

    /// Waits until a text is shown.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        if let Err(error) = self.0.expect(text) {
            panic!("not seen: {text:?}: {error}");
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        self.0.send(format!("{line}\r")).expect("the terminal takes it");
    }

    /// Presses a key.
    pub fn presses(&mut self, key: ControlCode) {
        self.0.send(key).expect("the terminal takes it");
    }

    /// Waits until hoplab has ended with that status.
    #[track_caller]
    pub fn leaves_with(&mut self, status: i32) {
        self.0.expect(Eof).expect("it ends");
        match self.0.get_process().wait() {
            Ok(WaitStatus::Exited(_, code)) => assert_eq!(code, status),
            other => panic!("{other:?}"),
        }
    }
}
