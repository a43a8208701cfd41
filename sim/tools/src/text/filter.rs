//! What the commands that read files or standard input have in common.

use std::fmt;

use kernel::Errno;
use world::{Fd, Next, OpenMode, Program, ReadResult, Sys, Wait};

use crate::shell::state::{BROKEN_PIPE, write_all};

/// What a filter says. Simplified: written at once, where the C library would hold back what goes
/// into a pipe or file.
#[derive(Clone, Debug, Default)]
pub(super) struct Out {
    /// For standard output.
    pub bytes: Vec<u8>,
    /// For standard error.
    pub errors: String,
}

impl Out {
    /// Appends a line to standard output.
    pub(super) fn line(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
    }
}

/// Whether a filter wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// More of this input.
    More,
    /// The next input.
    NextFile,
    /// Nothing more: the command ends.
    Stop,
}

/// A command that reads its inputs one after another.
pub(super) trait Filter: Clone + fmt::Debug + Send + Sync + 'static {
    /// Whether it takes lines; else blocks as they come.
    fn by_lines(&self) -> bool {
        true
    }

    /// An input begins; its name is `-` for standard input without an operand.
    fn open(&mut self, _out: &mut Out, _name: &str) {}
    /// A line without its newline; `whole` if it had one. Or a block.
    fn take(&mut self, out: &mut Out, bytes: &[u8], whole: bool) -> Flow;
    /// An input ends.
    fn close(&mut self, _out: &mut Out, _name: &str) {}
    /// All inputs have ended; answers the exit status.
    fn finish(&mut self, out: &mut Out) -> i32;
    /// The message for an input that can't be read, without the command's name; empty for none.
    fn refusal(&self, name: &str, errno: Errno) -> String {
        format!("{name}: {errno}")
    }
    /// The status if an input can't be read.
    fn failure(&self) -> i32 {
        1
    }
}

/// Reads after which others may run: an input need not end.
const READS_AT_ONCE: usize = 64;

/// Runs a filter over its inputs.
#[derive(Clone, Debug)]
pub(super) struct Filtering<F> {
    command: String,
    filter: F,
    inputs: Vec<String>,
    next: usize,
    current: Option<(Fd, String)>,
    rest: Vec<u8>,
    failed: bool,
}

impl<F: Filter> Filtering<F> {
    /// A filter over files; over standard input if there are none.
    pub(super) fn program(command: &str, filter: F, files: Vec<String>) -> Box<dyn Program> {
        let inputs = if files.is_empty() { vec!["-".to_owned()] } else { files };
        Box::new(Self {
            command: command.to_owned(),
            filter,
            inputs,
            next: 0,
            current: None,
            rest: Vec::new(),
            failed: false,
        })
    }

    fn run(&mut self, sys: &mut dyn Sys, out: &mut Out) -> Next {
        for _ in 0..READS_AT_ONCE {
            let Some((fd, name)) = self.current.clone() else {
                let Some(name) = self.inputs.get(self.next).cloned() else {
                    let status = self.filter.finish(out);
                    return Next::Exit(if self.failed { self.filter.failure().max(status) } else { status });
                };
                self.next += 1;
                self.begin(sys, out, &name);
                continue;
            };
            match sys.read(fd, 65536) {
                Ok(ReadResult::Data(data)) => match self.feed(out, &data) {
                    Flow::More => {}
                    Flow::NextFile => self.end(sys, out, fd, &name),
                    Flow::Stop => {
                        let status = self.filter.finish(out);
                        return Next::Exit(status);
                    }
                },
                Ok(ReadResult::WouldBlock) => return Next::Wait(Wait { fds: vec![fd], ..Wait::default() }),
                Ok(ReadResult::Eof) => {
                    let rest = std::mem::take(&mut self.rest);
                    let stops = !rest.is_empty() && self.filter.take(out, &rest, false) == Flow::Stop;
                    self.end(sys, out, fd, &name);
                    if stops {
                        return Next::Exit(self.filter.finish(out));
                    }
                }
                Err(errno) => {
                    self.refuse(out, &name, errno);
                    self.end(sys, out, fd, &name);
                }
            }
            if !self.flush(sys, out) {
                return Next::Exit(BROKEN_PIPE);
            }
        }
        Next::Wait(Wait::until(sys.now()))
    }

    fn begin(&mut self, sys: &mut dyn Sys, out: &mut Out, name: &str) {
        if name == "-" {
            self.current = Some((Fd::STDIN, name.to_owned()));
        } else {
            let is_dir = sys.stat(name).is_ok_and(|s| s.kind == world::FileKind::Dir);
            let opened = if is_dir { Err(Errno::IsDir) } else { sys.open(name, OpenMode::Read) };
            match opened {
                Ok(fd) => self.current = Some((fd, name.to_owned())),
                Err(errno) => {
                    self.refuse(out, name, errno);
                    return;
                }
            }
        }
        self.filter.open(out, name);
    }

    fn refuse(&mut self, out: &mut Out, name: &str, errno: Errno) {
        self.failed = true;
        let message = self.filter.refusal(name, errno);
        if !message.is_empty() {
            out.errors += &format!("{}: {message}\n", self.command);
        }
    }

    fn end(&mut self, sys: &mut dyn Sys, out: &mut Out, fd: Fd, name: &str) {
        self.rest.clear();
        self.filter.close(out, name);
        if name != "-" {
            sys.close(fd);
        }
        self.current = None;
    }

    fn feed(&mut self, out: &mut Out, data: &[u8]) -> Flow {
        if !self.filter.by_lines() {
            return self.filter.take(out, data, true);
        }
        let mut data = data;
        while let Some(end) = data.iter().position(|&b| b == b'\n') {
            let (line, tail) = data.split_at(end);
            data = tail.get(1..).unwrap_or_default();
            let flow = if self.rest.is_empty() {
                self.filter.take(out, line, true)
            } else {
                self.rest.extend_from_slice(line);
                let whole = std::mem::take(&mut self.rest);
                self.filter.take(out, &whole, true)
            };
            if flow != Flow::More {
                return flow;
            }
        }
        self.rest.extend_from_slice(data);
        Flow::More
    }

    fn flush(&mut self, sys: &mut dyn Sys, out: &mut Out) -> bool {
        let bytes = std::mem::take(&mut out.bytes);
        let open = write_all(sys, Fd::STDOUT, &bytes).is_ok();
        let errors = std::mem::take(&mut out.errors);
        let _ = write_all(sys, Fd::STDERR, errors.as_bytes());
        open
    }
}

impl<F: Filter> Program for Filtering<F> {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut out = Out::default();
        let next = self.run(sys, &mut out);
        if self.flush(sys, &mut out) { next } else { Next::Exit(BROKEN_PIPE) }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// A command that only complains.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    text: String,
    status: i32,
}

impl Refused {
    /// Prints a text, without the newline at its end, and ends.
    pub(super) fn program(text: impl Into<String>, status: i32) -> Box<dyn Program> {
        Box::new(Self { text: format!("{}\n", text.into()), status })
    }

    /// Ends without a word.
    pub(super) fn quiet(status: i32) -> Box<dyn Program> {
        Box::new(Self { text: String::new(), status })
    }

    /// coreutils' two lines for wrong usage.
    pub(super) fn usage(command: &str, message: impl fmt::Display, status: i32) -> Box<dyn Program> {
        Self::program(format!("{command}: {message}\nTry '{command} --help' for more information."), status)
    }
}

impl Program for Refused {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let _ = write_all(sys, Fd::STDERR, self.text.as_bytes());
        Next::Exit(self.status)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
