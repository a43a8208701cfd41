//! `cat`, `head`, `tail`, `tac`, `wc`, `tee`.

use std::collections::VecDeque;

use kernel::Errno;
use world::{Args, Fd, Next, OpenMode, Program, ReadResult, Registry, Sys, Wait};

use super::filter::{Filter, Filtering, Flow, Out, Refused};
use super::follow::Following;
use crate::getopt::getopt;
use crate::shell::state::{BROKEN_PIPE, write_all};

#[derive(Clone, Debug)]
struct Cat {
    numbers: bool,
    line: u64,
}

impl Filter for Cat {
    fn by_lines(&self) -> bool {
        self.numbers
    }

    fn take(&mut self, out: &mut Out, line: &[u8], whole: bool) -> Flow {
        self.line += 1;
        if self.numbers {
            out.bytes.extend(format!("{:6}\t", self.line).into_bytes());
        }
        out.bytes.extend_from_slice(line);
        if whole && self.numbers {
            out.bytes.push(b'\n');
        }
        Flow::More
    }

    fn finish(&mut self, _: &mut Out) -> i32 {
        0
    }
}

fn cat(args: Args) -> Box<dyn Program> {
    match getopt(args.get(1..).unwrap_or_default(), "nu", &[("number", 'n')]) {
        Ok((options, files)) => {
            Filtering::program("cat", Cat { numbers: options.iter().any(|(o, _)| *o == 'n'), line: 0 }, files)
        }
        Err(error) => Refused::usage("cat", error, 1),
    }
}

/// A count of lines or bytes, and from which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Lines(u64),
    Bytes(u64),
}

#[derive(Clone, Debug)]
struct Head {
    count: Count,
    /// All but the last so many.
    from_end: bool,
    headers: bool,
    left: u64,
    held: VecDeque<Vec<u8>>,
    opened: bool,
}

fn header(out: &mut Out, name: &str, opened: bool) {
    let name = if name == "-" { "standard input" } else { name };
    out.bytes.extend(format!("{}==> {name} <==\n", if opened { "\n" } else { "" }).into_bytes());
}

impl Filter for Head {
    fn by_lines(&self) -> bool {
        matches!(self.count, Count::Lines(_))
    }

    fn open(&mut self, out: &mut Out, name: &str) {
        if self.headers {
            header(out, name, self.opened);
        }
        self.opened = true;
        self.held.clear();
        self.left = match self.count {
            Count::Lines(n) | Count::Bytes(n) => n,
        };
    }

    fn take(&mut self, out: &mut Out, line: &[u8], whole: bool) -> Flow {
        let mut bytes = line.to_vec();
        if whole {
            bytes.push(b'\n');
        }
        match self.count {
            Count::Lines(n) if self.from_end => {
                self.held.push_back(bytes);
                if self.held.len() as u64 > n {
                    out.bytes.extend(self.held.pop_front().unwrap_or_default());
                }
            }
            Count::Lines(_) => {
                if self.left > 0 {
                    out.bytes.extend(bytes);
                    self.left -= 1;
                }
            }
            Count::Bytes(_) => {
                let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                out.bytes.extend_from_slice(bytes.get(..take).unwrap_or_default());
                self.left -= take as u64;
            }
        }
        if self.left == 0 && !self.from_end { Flow::NextFile } else { Flow::More }
    }

    fn finish(&mut self, _: &mut Out) -> i32 {
        0
    }

    fn refusal(&self, name: &str, errno: Errno) -> String {
        match errno {
            Errno::IsDir => format!("error reading '{name}': {errno}"),
            _ => format!("cannot open '{name}' for reading: {errno}"),
        }
    }
}

/// Turns the old form `-5` into `-n 5`.
fn modern(args: &[String]) -> Vec<String> {
    let mut args = args.get(1..).unwrap_or_default().to_vec();
    if let Some(first) = args.first_mut()
        && let Some(digits) =
            first.strip_prefix('-').filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    {
        *first = format!("-n{digits}");
    }
    args
}

fn amount(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1024),
        None => (text, 1),
    };
    digits.parse::<u64>().ok().map(|n| n.saturating_mul(unit))
}

fn head(args: Args) -> Box<dyn Program> {
    let long = [("lines", 'n'), ("bytes", 'c'), ("quiet", 'q'), ("verbose", 'v')];
    let (options, files) = match getopt(&modern(&args), "n:c:qv", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::usage("head", error, 1),
    };
    let mut head = Head {
        count: Count::Lines(10),
        from_end: false,
        headers: files.len() > 1,
        left: 0,
        held: VecDeque::new(),
        opened: false,
    };
    for (letter, value) in options {
        let value = value.unwrap_or_default();
        match letter {
            'n' | 'c' => {
                let what = if letter == 'n' { "lines" } else { "bytes" };
                let digits = value.strip_prefix('-');
                let Some(n) = amount(digits.unwrap_or(&value)) else {
                    return Refused::program(format!("head: invalid number of {what}: '{value}'"), 1);
                };
                head.from_end = digits.is_some();
                head.count = if letter == 'n' { Count::Lines(n) } else { Count::Bytes(n) };
            }
            'q' => head.headers = false,
            _ => head.headers = true,
        }
    }
    if head.count == Count::Lines(0) || head.count == Count::Bytes(0) {
        return Refused::quiet(0);
    }
    Filtering::program("head", head, files)
}

#[derive(Clone, Debug)]
struct Tail {
    count: Count,
    /// From that line or byte on.
    from_start: bool,
    headers: bool,
    opened: bool,
    seen: u64,
    held: VecDeque<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Filter for Tail {
    fn open(&mut self, out: &mut Out, name: &str) {
        if self.headers {
            header(out, name, self.opened);
        }
        self.opened = true;
        self.seen = 0;
    }

    fn take(&mut self, out: &mut Out, line: &[u8], whole: bool) -> Flow {
        let mut bytes = line.to_vec();
        if whole {
            bytes.push(b'\n');
        }
        match self.count {
            Count::Lines(n) if self.from_start => {
                self.seen += 1;
                if self.seen >= n {
                    out.bytes.extend(bytes);
                }
            }
            Count::Lines(n) => {
                self.held.push_back(bytes);
                if self.held.len() as u64 > n {
                    self.held.pop_front();
                }
            }
            Count::Bytes(n) if self.from_start => {
                let skip = n.saturating_sub(1).saturating_sub(self.seen).min(bytes.len() as u64);
                self.seen += bytes.len() as u64;
                out.bytes.extend(bytes.into_iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)));
            }
            Count::Bytes(n) => {
                self.bytes.extend(bytes);
                let extra = self.bytes.len().saturating_sub(usize::try_from(n).unwrap_or(usize::MAX));
                self.bytes.drain(..extra);
            }
        }
        Flow::More
    }

    fn close(&mut self, out: &mut Out, _: &str) {
        out.bytes.extend(std::mem::take(&mut self.held).into_iter().flatten());
        out.bytes.append(&mut self.bytes);
    }

    fn finish(&mut self, _: &mut Out) -> i32 {
        0
    }

    fn refusal(&self, name: &str, errno: Errno) -> String {
        match errno {
            Errno::IsDir => format!("error reading '{name}': {errno}"),
            _ => format!("cannot open '{name}' for reading: {errno}"),
        }
    }
}

fn tail(args: Args) -> Box<dyn Program> {
    let long = [("lines", 'n'), ("bytes", 'c'), ("quiet", 'q'), ("follow", 'f')];
    let (options, files) = match getopt(&modern(&args), "n:c:qvf", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::usage("tail", error, 1),
    };
    let mut tail = Tail {
        count: Count::Lines(10),
        from_start: false,
        headers: files.len() > 1,
        opened: false,
        seen: 0,
        held: VecDeque::new(),
        bytes: Vec::new(),
    };
    let mut follow = false;
    for (letter, value) in options {
        let value = value.unwrap_or_default();
        match letter {
            'f' => follow = true,
            'n' | 'c' => {
                let what = if letter == 'n' { "lines" } else { "bytes" };
                let Some(n) = amount(value.trim_start_matches(['+', '-'])) else {
                    return Refused::program(format!("tail: invalid number of {what}: '{value}'"), 1);
                };
                tail.from_start = value.starts_with('+');
                tail.count = if letter == 'n' { Count::Lines(n) } else { Count::Bytes(n) };
            }
            'q' => tail.headers = false,
            _ => tail.headers = true,
        }
    }
    let headers = tail.headers;
    // Standard input has no name to look at again: it is read to its end either way.
    let named: Vec<String> = files.iter().filter(|name| *name != "-").cloned().collect();
    let first = Filtering::program("tail", tail, files);
    if follow && !named.is_empty() { Following::program(first, named, headers) } else { first }
}

#[derive(Clone, Debug, Default)]
struct Tac {
    lines: Vec<Vec<u8>>,
}

impl Filter for Tac {
    fn take(&mut self, _: &mut Out, line: &[u8], whole: bool) -> Flow {
        let mut line = line.to_vec();
        if whole {
            line.push(b'\n');
        }
        self.lines.push(line);
        Flow::More
    }

    fn close(&mut self, out: &mut Out, _: &str) {
        out.bytes.extend(std::mem::take(&mut self.lines).into_iter().rev().flatten());
    }

    fn finish(&mut self, _: &mut Out) -> i32 {
        0
    }
}

fn tac(args: Args) -> Box<dyn Program> {
    match getopt(args.get(1..).unwrap_or_default(), "", &[]) {
        Ok((_, files)) => Filtering::program("tac", Tac::default(), files),
        Err(error) => Refused::usage("tac", error, 1),
    }
}

/// Lines, words, bytes.
type Counts = [u64; 3];

#[derive(Clone, Debug)]
struct Wc {
    wanted: [bool; 3],
    files: usize,
    operands: bool,
    /// Digits of each column: those of the sizes of the files together.
    width: usize,
    counts: Counts,
    in_word: bool,
    rows: Vec<(Counts, String)>,
}

impl Filter for Wc {
    fn by_lines(&self) -> bool {
        false
    }

    fn open(&mut self, _: &mut Out, _: &str) {
        self.counts = Counts::default();
        self.in_word = false;
    }

    fn take(&mut self, _: &mut Out, bytes: &[u8], _: bool) -> Flow {
        let [lines, words, all] = &mut self.counts;
        *all += bytes.len() as u64;
        for &b in bytes {
            *lines += u64::from(b == b'\n');
            let space = b.is_ascii_whitespace() || b == 11;
            *words += u64::from(!space && !self.in_word);
            self.in_word = !space;
        }
        Flow::More
    }

    fn close(&mut self, _: &mut Out, name: &str) {
        self.rows.push((self.counts, name.to_owned()));
    }

    fn finish(&mut self, out: &mut Out) -> i32 {
        let mut total = Counts::default();
        for (counts, _) in &self.rows {
            for (sum, count) in total.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        if self.files > 1 {
            self.rows.push((total, "total".to_owned()));
        }
        let columns = self.wanted.iter().filter(|w| **w).count();
        // Standard input has no size to know the width from.
        let stdin = self.rows.iter().any(|(_, name)| name == "-");
        self.width = match (columns, self.files) {
            (1, 0 | 1) => 1,
            _ if stdin => 7,
            _ => total[2].to_string().len(),
        };
        for (counts, name) in std::mem::take(&mut self.rows) {
            let shown = counts
                .iter()
                .zip(self.wanted)
                .filter(|(_, w)| *w)
                .map(|(n, _)| format!("{n:>0$}", self.width));
            let mut line = shown.collect::<Vec<_>>().join(" ");
            if self.operands {
                line += &format!(" {name}");
            }
            out.line(line.as_bytes());
        }
        0
    }
}

fn wc(args: Args) -> Box<dyn Program> {
    let long = [("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm')];
    let (options, files) = match getopt(args.get(1..).unwrap_or_default(), "lwcm", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::usage("wc", error, 1),
    };
    let has = |letters: &str| options.iter().any(|(o, _)| letters.contains(*o));
    let wanted = if options.is_empty() { [true; 3] } else { [has("l"), has("w"), has("cm")] };
    let wc = Wc {
        wanted,
        files: files.len(),
        operands: !files.is_empty(),
        width: 1,
        counts: Counts::default(),
        in_word: false,
        rows: Vec::new(),
    };
    Filtering::program("wc", wc, files)
}

/// `tee [-a] FILE...`.
#[derive(Clone, Debug)]
struct Tee {
    files: Vec<String>,
    append: bool,
    open: Option<Vec<Fd>>,
    status: i32,
}

impl Program for Tee {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                let mut open = vec![Fd::STDOUT];
                for file in &self.files {
                    match sys.open(file, if self.append { OpenMode::Append } else { OpenMode::Write }) {
                        Ok(fd) => open.push(fd),
                        Err(errno) => {
                            let _ = write_all(sys, Fd::STDERR, format!("tee: {file}: {errno}\n").as_bytes());
                            self.status = 1;
                        }
                    }
                }
                open
            }
        };
        loop {
            match sys.read(Fd::STDIN, 65536) {
                Ok(ReadResult::Data(data)) => {
                    for &fd in &open {
                        if write_all(sys, fd, &data).is_err() {
                            return Next::Exit(BROKEN_PIPE);
                        }
                    }
                }
                Ok(ReadResult::WouldBlock) => {
                    self.open = Some(std::mem::take(&mut open));
                    return Next::Wait(Wait { fds: vec![Fd::STDIN], ..Wait::default() });
                }
                Ok(ReadResult::Eof) | Err(_) => return Next::Exit(self.status),
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn tee(args: Args) -> Box<dyn Program> {
    match getopt(args.get(1..).unwrap_or_default(), "ai", &[("append", 'a')]) {
        Ok((options, files)) => {
            Box::new(Tee { files, append: options.iter().any(|(o, _)| *o == 'a'), open: None, status: 0 })
        }
        Err(error) => Refused::usage("tee", error, 1),
    }
}

/// Installs them.
pub(super) fn install(registry: &mut Registry) {
    registry.install("cat", cat);
    registry.install("head", head);
    registry.install("tail", tail);
    registry.install("tac", tac);
    registry.install("wc", wc);
    registry.install("tee", tee);
}
