//! What a configuration command says, and how it fails.

use world::{Fd, Sys};

/// A command's standard output and error.
///
/// Standard output is buffered as the C library does for pipes and files: it is written when the
/// command ends or [`flush`](Self::flush) is called, so that an error of a batch comes before the
/// listing of an earlier line. On a terminal both appear in order.
pub struct Console<'a> {
    /// The process's system calls.
    pub sys: &'a mut dyn Sys,
    pending: String,
}

impl<'a> Console<'a> {
    /// An empty console of this process.
    pub fn new(sys: &'a mut dyn Sys) -> Self {
        Self { sys, pending: String::new() }
    }

    /// Appends text to standard output.
    pub fn out(&mut self, text: &str) {
        self.pending.push_str(text);
    }

    /// Appends a line to standard output.
    pub fn line(&mut self, text: &str) {
        self.pending.push_str(text);
        self.pending.push('\n');
    }

    /// Writes text to standard error at once.
    pub fn error(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.sys.is_terminal(Fd::STDOUT) {
            self.flush();
        }
        write_all(self.sys, Fd::STDERR, text);
    }

    /// Writes what standard output holds back.
    pub fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        write_all(self.sys, Fd::STDOUT, &pending);
    }

    /// Ends a command: reports its failure, if any, and answers its exit status.
    pub fn finish(mut self, outcome: Result<i32, Stop>) -> i32 {
        let status = outcome.unwrap_or_else(|stop| self.stop(&stop));
        self.flush();
        status
    }

    /// Reports a failure; answers its status.
    pub fn stop(&mut self, stop: &Stop) -> i32 {
        self.error(&stop.text);
        stop.status
    }
}

/// Writes all bytes; a closed pipe ends the attempt, as nobody reads it.
fn write_all(sys: &mut dyn Sys, fd: Fd, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match sys.write(fd, rest) {
            Ok(n) if n > 0 => rest = rest.get(n..).unwrap_or_default(),
            _ => return,
        }
    }
}

/// A command that ends early: what it says on standard error, and its exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Text with its newline; empty for silence.
    pub text: String,
    /// Exit status, 0..=255.
    pub status: i32,
}

impl Stop {
    /// Ends with one line.
    pub fn line(status: i32, line: impl AsRef<str>) -> Self {
        Self { text: format!("{}\n", line.as_ref()), status }
    }

    /// Ends with this text, taken as it is.
    pub fn text(status: i32, text: impl Into<String>) -> Self {
        Self { text: text.into(), status }
    }

    /// Ends without a word.
    pub const fn silent(status: i32) -> Self {
        Self { text: String::new(), status }
    }
}
