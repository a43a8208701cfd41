use kernel::Errno;
use regex::bytes::Regex;
use world::{Args, Program, Registry};

use super::filter::{Filter, Filtering, Flow, Out, Refused};
use super::regex::{Syntax, build, translate};
use crate::getopt::getopt;

/// What `grep` prints of a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Show {
    #[default]
    Lines,
    Matches,
    Count,
    Names,
    OtherNames,
    Nothing,
}

#[derive(Clone, Debug)]
struct Grep {
    regex: Regex,
    invert: bool,
    show: Show,
    numbers: bool,
    with_name: bool,
    silent: bool,
    before: usize,
    after: usize,
    max: u64,
    name: String,
    line: u64,
    count: u64,
    /// Lines that may have to be shown before a match, with their numbers.
    held: Vec<(u64, Vec<u8>)>,
    /// How many lines after a match are still to be shown.
    left: usize,
    /// The last line shown, to know where `--` goes.
    last_shown: u64,
    shown_any: bool,
    any: bool,
}

impl Grep {
    fn prefix(&self, out: &mut Out, number: u64, mark: char) {
        if self.with_name {
            out.bytes.extend(format!("{}{mark}", self.label()).into_bytes());
        }
        if self.numbers {
            out.bytes.extend(format!("{number}{mark}").into_bytes());
        }
    }

    fn label(&self) -> &str {
        if self.name == "-" { "(standard input)" } else { &self.name }
    }

    fn print(&mut self, out: &mut Out, number: u64, line: &[u8], mark: char) {
        let gap = self.last_shown + 1 < number || self.last_shown == 0;
        if self.shown_any && gap && (self.before > 0 || self.after > 0) {
            out.line(b"--");
        }
        self.shown_any = true;
        self.last_shown = number;
        self.prefix(out, number, mark);
        out.line(line);
    }

    fn matched(&mut self, out: &mut Out, line: &[u8]) -> Flow {
        self.any = true;
        self.count += 1;
        match self.show {
            Show::Nothing => return Flow::Stop,
            Show::Names | Show::OtherNames => return Flow::NextFile,
            Show::Count => {}
            Show::Matches => {
                if !self.invert {
                    let regex = self.regex.clone();
                    for found in regex.find_iter(line).filter(|m| !m.is_empty()) {
                        self.prefix(out, self.line, ':');
                        out.line(found.as_bytes());
                    }
                }
            }
            Show::Lines => {
                for (number, held) in std::mem::take(&mut self.held) {
                    self.print(out, number, &held, '-');
                }
                self.print(out, self.line, line, ':');
                self.left = self.after;
            }
        }
        if self.count >= self.max && self.after == 0 { Flow::NextFile } else { Flow::More }
    }
}

impl Filter for Grep {
    fn open(&mut self, _: &mut Out, name: &str) {
        name.clone_into(&mut self.name);
        (self.line, self.count, self.left, self.last_shown) = (0, 0, 0, 0);
        self.held.clear();
    }

    fn take(&mut self, out: &mut Out, line: &[u8], _: bool) -> Flow {
        self.line += 1;
        if self.count < self.max && self.regex.is_match(line) != self.invert {
            return self.matched(out, line);
        }
        if self.left > 0 {
            self.left -= 1;
            self.print(out, self.line, line, '-');
        } else if self.count >= self.max {
            return Flow::NextFile;
        } else if self.before > 0 && self.show == Show::Lines {
            if self.held.len() == self.before {
                self.held.remove(0);
            }
            self.held.push((self.line, line.to_vec()));
        }
        Flow::More
    }

    fn close(&mut self, out: &mut Out, _: &str) {
        match self.show {
            Show::Count => {
                let prefix = if self.with_name { format!("{}:", self.label()) } else { String::new() };
                out.line(format!("{prefix}{}", self.count).as_bytes());
            }
            Show::Names if self.count > 0 => out.line(self.label().as_bytes()),
            Show::OtherNames if self.count == 0 => out.line(self.label().as_bytes()),
            _ => {}
        }
    }

    fn finish(&mut self, _: &mut Out) -> i32 {
        i32::from(!self.any)
    }

    fn refusal(&self, name: &str, errno: Errno) -> String {
        match errno {
            _ if self.silent => String::new(),
            Errno::IsDir => format!("{name}: Is a directory"),
            _ => format!("{name}: {errno}"),
        }
    }

    fn failure(&self) -> i32 {
        if self.show == Show::Nothing && self.any { 0 } else { 2 }
    }
}

const USAGE: &str = "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.";

fn make(args: Args) -> Box<dyn Program> {
    let command = args.first().map_or("grep", String::as_str).to_owned();
    let mut syntax = match command.as_str() {
        "egrep" => Syntax::Extended,
        "fgrep" => Syntax::Fixed,
        _ => Syntax::Basic,
    };
    let long = [
        ("invert-match", 'v'),
        ("count", 'c'),
        ("only-matching", 'o'),
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("ignore-case", 'i'),
        ("word-regexp", 'w'),
        ("line-number", 'n'),
        ("line-regexp", 'x'),
        ("files-with-matches", 'l'),
        ("files-without-match", 'L'),
        ("no-filename", 'h'),
        ("with-filename", 'H'),
        ("after-context", 'A'),
        ("before-context", 'B'),
        ("context", 'C'),
        ("regexp", 'e'),
        ("max-count", 'm'),
        ("no-messages", 's'),
        ("text", 'a'),
        ("color", 'K'),
        ("line-buffered", 'U'),
    ];
    let (options, mut words) =
        match getopt(args.get(1..).unwrap_or_default(), "vcoEFGqinwxlLhHA:B:C:e:m:sayKU", &long) {
            Ok(parsed) => parsed,
            Err(error) => return Refused::program(format!("{command}: {error}\n{USAGE}"), 2),
        };
    let (mut invert, mut ignore, mut word, mut whole, mut numbers, mut silent) =
        (false, false, false, false, false, false);
    let (mut before, mut after, mut max) = (0, 0, u64::MAX);
    let (mut show, mut name_wanted) = (Show::Lines, None);
    let mut patterns: Vec<String> = Vec::new();
    for (letter, value) in options {
        let value = value.unwrap_or_default();
        match letter {
            'v' => invert = true,
            'c' => show = Show::Count,
            'o' => show = Show::Matches,
            'E' => syntax = Syntax::Extended,
            'F' => syntax = Syntax::Fixed,
            'G' => syntax = Syntax::Basic,
            'q' => show = Show::Nothing,
            'i' | 'y' => ignore = true,
            'n' => numbers = true,
            'w' => word = true,
            'x' => whole = true,
            'l' => show = Show::Names,
            'L' => show = Show::OtherNames,
            'h' => name_wanted = Some(false),
            'H' => name_wanted = Some(true),
            's' => silent = true,
            'e' => patterns.extend(value.split('\n').map(str::to_owned)),
            'm' => match value.parse() {
                Ok(n) => max = n,
                Err(_) => return Refused::program(format!("{command}: invalid max count"), 2),
            },
            'A' | 'B' | 'C' => {
                let Ok(n) = value.parse::<usize>() else {
                    return Refused::program(
                        format!("{command}: {value}: invalid context length argument"),
                        2,
                    );
                };
                if letter != 'A' {
                    before = n;
                }
                if letter != 'B' {
                    after = n;
                }
            }
            _ => {}
        }
    }
    if patterns.is_empty() {
        if words.is_empty() {
            return Refused::program(USAGE, 2);
        }
        patterns = words.remove(0).split('\n').map(str::to_owned).collect();
    }
    let mut alternatives = Vec::new();
    for pattern in &patterns {
        match translate(pattern, syntax) {
            Ok(text) => alternatives.push(format!("(?:{text})")),
            Err(message) => return Refused::program(format!("{command}: {message}"), 2),
        }
    }
    let mut joined = format!("(?:{})", alternatives.join("|"));
    if word {
        joined = format!("\\b{{start-half}}{joined}\\b{{end-half}}");
    }
    if whole {
        joined = format!("^{joined}$");
    }
    let regex = match build(&joined, ignore) {
        Ok(regex) => regex,
        Err(message) => return Refused::program(format!("{command}: {message}"), 2),
    };
    let with_name = name_wanted.unwrap_or(words.len() > 1);
    let grep = Grep {
        regex,
        invert,
        show,
        numbers,
        with_name,
        silent,
        before,
        after,
        max,
        name: String::new(),
        line: 0,
        count: 0,
        held: Vec::new(),
        left: 0,
        last_shown: 0,
        shown_any: false,
        any: false,
    };
    Filtering::program(&command, grep, words)
}

/// Installs `grep` and its old names.
pub(super) fn install(registry: &mut Registry) {
    for name in ["grep", "egrep", "fgrep"] {
        registry.install(name, make);
    }
}
