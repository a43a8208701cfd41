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
    /// What went to standard error, when another program reads it.
    kept: Option<String>,
}

/// What a command printed for the program that ran it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl<'a> Console<'a> {
    /// An empty console of this process.
    pub fn new(sys: &'a mut dyn Sys) -> Self {
        Self { sys, pending: String::new(), kept: None }
    }

    /// A console whose text is kept for the program that runs the command.
    pub fn keeping(sys: &'a mut dyn Sys) -> Self {
        Self { sys, pending: String::new(), kept: Some(String::new()) }
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
        if let Some(kept) = &mut self.kept {
            kept.push_str(text);
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

    /// Ends a command: reports its failure, if any, and answers its exit status. A value that a
    /// function returned counts as the status.
    pub fn finish(mut self, outcome: Result<i32, Stop>) -> i32 {
        let status = self.report(outcome);
        self.flush();
        status
    }

    /// Ends a command that another program ran.
    pub fn finish_keeping(mut self, outcome: Result<i32, Stop>) -> Output {
        let status = self.report(outcome);
        Output { status, out: self.pending, err: self.kept.unwrap_or_default() }
    }

    fn report(&mut self, outcome: Result<i32, Stop>) -> i32 {
        let status = match outcome {
            Ok(status) => status,
            Err(stop) => {
                self.error(&stop.text);
                match stop.end {
                    End::Exit(status) | End::Return(status) => status,
                }
            }
        };
        status & 0xff
    }
}

/// Writes all bytes; a closed pipe ends the attempt, as nobody reads it.
pub fn write_all(sys: &mut dyn Sys, fd: Fd, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match sys.write(fd, rest) {
            Ok(n) if n > 0 => rest = rest.get(n..).unwrap_or_default(),
            _ => return,
        }
    }
}

/// A command that ends early: what it says on standard error, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Text with its newline; empty for silence.
    pub text: String,
    /// How the command ends.
    pub end: End,
}

/// How a command ends. In iproute2's batches the two differ: `exit` ends the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `exit(status)`, 0..=255.
    Exit(i32),
    /// A function returns this number; the tool makes a status of it (`ip` negates it).
    Return(i32),
}

impl Stop {
    /// Ends the process with one line.
    pub fn exit(status: i32, line: impl AsRef<str>) -> Self {
        Self { text: format!("{}\n", line.as_ref()), end: End::Exit(status) }
    }

    /// Fails with one line and this return value.
    pub fn fail(value: i32, line: impl AsRef<str>) -> Self {
        Self { text: format!("{}\n", line.as_ref()), end: End::Return(value) }
    }

    /// Ends the process with this text, taken as it is.
    pub fn text(status: i32, text: impl Into<String>) -> Self {
        Self { text: text.into(), end: End::Exit(status) }
    }

    /// Ends the process without a word.
    pub const fn silent(status: i32) -> Self {
        Self { text: String::new(), end: End::Exit(status) }
    }
}
