//! `sed`: addresses, ranges, `p d s y q Q = i a c n N D P h H g G x`, blocks.
//!
//! Simplified: no branches, no files to read or write.

use kernel::Errno;
use regex::bytes::Regex;
use world::{Args, Program, Registry};

use super::filter::{Filter, Filtering, Flow, Out, Refused};
use super::in_place::InPlace;
use super::regex::{Syntax, compile};
use crate::getopt::getopt;

#[derive(Clone, Debug)]
enum Address {
    Line(u64),
    Last,
    Match(Regex),
    Step(u64, u64),
    /// `addr,+N`.
    Plus(u64),
}

#[derive(Clone, Debug)]
struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    /// The line at which an open range ends: `None` if it isn't open.
    open: bool,
    until: Option<u64>,
    action: Action,
}

#[derive(Clone, Debug)]
enum Action {
    Print,
    Delete,
    DeleteFirst,
    PrintFirst,
    Substitute {
        regex: Regex,
        with: Vec<Piece>,
        which: usize,
        global: bool,
        print: bool,
    },
    Translate(Vec<u8>, Vec<u8>),
    Quit {
        silent: bool,
        status: i32,
    },
    Number,
    Insert(String),
    Append(String),
    Change(String),
    Next,
    AppendNext,
    Hold {
        append: bool,
    },
    Get {
        append: bool,
    },
    Exchange,
    /// `{`: the index after its `}`.
    Block(usize),
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Vec<u8>),
    Group(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Sed {
    commands: Vec<Command>,
    quiet: bool,
    /// A line is held until it is known whether it is the last.
    waiting: Option<(Vec<u8>, bool)>,
    line: u64,
    space: Vec<u8>,
    hold: Vec<u8>,
    /// Where `n` or `N` goes on with the next line.
    resume: Option<usize>,
    joining: bool,
    appended: Vec<String>,
    /// The status with which it ended before its input.
    pub quit: Option<i32>,
}

impl Address {
    fn matches(&self, line: u64, last: bool, space: &[u8]) -> bool {
        match self {
            Self::Line(n) => *n == line,
            Self::Last => last,
            Self::Match(regex) => regex.is_match(space),
            Self::Step(first, step) if *step == 0 => *first == line,
            Self::Step(first, step) => line >= *first && (line - first).is_multiple_of(*step),
            Self::Plus(_) => false,
        }
    }
}

impl Command {
    fn selects(&mut self, line: u64, last: bool, space: &[u8]) -> bool {
        let Some(from) = &self.from else { return true };
        let Some(to) = &self.to else { return from.matches(line, last, space) };
        if self.open {
            let ends = match (to, self.until) {
                (_, Some(until)) => line >= until,
                (to, None) => to.matches(line, last, space),
            };
            self.open = !ends;
            // A line number that has passed selects nothing more.
            return self.until.is_none_or(|until| line <= until);
        }
        if !from.matches(line, last, space) {
            return false;
        }
        self.until = match to {
            Address::Line(n) => Some(*n),
            Address::Plus(n) => Some(line + n),
            _ => None,
        };
        self.open = self.until.is_none_or(|until| until > line);
        true
    }
}

impl Sed {
    /// Runs the script on a line.
    fn cycle(&mut self, out: &mut Out, line: Vec<u8>, whole: bool, last: bool) -> Flow {
        self.line += 1;
        let mut at = self.resume.take().unwrap_or(0);
        if std::mem::take(&mut self.joining) {
            self.space.push(b'\n');
            self.space.extend(line);
        } else {
            self.space = line;
        }
        let end = |out: &mut Out, space: &[u8]| {
            out.bytes.extend_from_slice(space);
            if whole {
                out.bytes.push(b'\n');
            }
        };
        let mut printed = !self.quiet;
        while let Some(command) = self.commands.get_mut(at) {
            at += 1;
            if command.selects(self.line, last, &self.space) == command.negated {
                if let Action::Block(after) = command.action {
                    at = after;
                }
                continue;
            }
            let mid_range = command.to.is_some() && command.open && !command.negated;
            match command.action.clone() {
                Action::Block(_) => {}
                Action::Print => end(out, &self.space),
                Action::PrintFirst => {
                    let first = self.space.split(|b| *b == b'\n').next().unwrap_or_default().to_vec();
                    out.line(&first);
                }
                Action::Delete => {
                    printed = false;
                    break;
                }
                Action::DeleteFirst => {
                    printed = false;
                    if let Some(newline) = self.space.iter().position(|b| *b == b'\n') {
                        self.space.drain(..=newline);
                        self.joining = true;
                        self.resume = Some(0);
                        if last {
                            self.joining = false;
                        }
                    }
                    break;
                }
                Action::Substitute { regex, with, which, global, print } => {
                    if let Some(changed) = substitute(&self.space, &regex, &with, which, global) {
                        self.space = changed;
                        if print {
                            end(out, &self.space);
                        }
                    }
                }
                Action::Translate(from, to) => {
                    for byte in &mut self.space {
                        if let Some(i) = from.iter().position(|b| b == byte) {
                            *byte = to.get(i).copied().unwrap_or(*byte);
                        }
                    }
                }
                Action::Quit { silent, status } => {
                    printed &= !silent;
                    self.quit = Some(status);
                    break;
                }
                Action::Number => out.line(self.line.to_string().as_bytes()),
                Action::Insert(text) => out.line(text.as_bytes()),
                Action::Append(text) => self.appended.push(text),
                Action::Change(text) => {
                    if !mid_range {
                        out.line(text.as_bytes());
                    }
                    printed = false;
                    break;
                }
                Action::Next => {
                    if last {
                        self.quit = Some(0);
                        break;
                    }
                    if !self.quiet {
                        end(out, &self.space);
                    }
                    self.resume = Some(at);
                    self.flush_appended(out);
                    return Flow::More;
                }
                Action::AppendNext => {
                    if last {
                        self.quit = Some(0);
                        break;
                    }
                    self.resume = Some(at);
                    self.joining = true;
                    self.flush_appended(out);
                    return Flow::More;
                }
                Action::Hold { append: true } => {
                    self.hold.push(b'\n');
                    self.hold.extend_from_slice(&self.space);
                }
                Action::Hold { append: false } => self.hold.clone_from(&self.space),
                Action::Get { append: true } => {
                    self.space.push(b'\n');
                    self.space.extend_from_slice(&self.hold);
                }
                Action::Get { append: false } => self.space.clone_from(&self.hold),
                Action::Exchange => std::mem::swap(&mut self.space, &mut self.hold),
            }
        }
        if printed {
            end(out, &self.space);
        }
        self.flush_appended(out);
        if self.quit.is_some() { Flow::Stop } else { Flow::More }
    }

    fn flush_appended(&mut self, out: &mut Out) {
        for text in std::mem::take(&mut self.appended) {
            out.line(text.as_bytes());
        }
    }
}

fn substitute(space: &[u8], regex: &Regex, with: &[Piece], which: usize, global: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut from, mut changed) = (0, false);
    for (i, captures) in regex.captures_iter(space).enumerate() {
        if i + 1 < which || (i + 1 > which && !global) {
            continue;
        }
        let whole = captures.get(0)?;
        out.extend_from_slice(space.get(from..whole.start()).unwrap_or_default());
        for piece in with {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Group(n) => out.extend_from_slice(captures.get(*n).map_or(&[], |m| m.as_bytes())),
            }
        }
        from = whole.end();
        changed = true;
    }
    out.extend_from_slice(space.get(from..).unwrap_or_default());
    changed.then_some(out)
}

impl Filter for Sed {
    fn take(&mut self, out: &mut Out, line: &[u8], whole: bool) -> Flow {
        // Whether a line is the last is only asked for if the script needs it.
        let needs_last = self.commands.iter().any(|c| {
            matches!(c.from, Some(Address::Last))
                || matches!(c.to, Some(Address::Last))
                || matches!(c.action, Action::Next | Action::AppendNext | Action::DeleteFirst)
        });
        if !needs_last {
            return self.cycle(out, line.to_vec(), whole, false);
        }
        match self.waiting.replace((line.to_vec(), whole)) {
            Some((before, whole)) => self.cycle(out, before, whole, false),
            None => Flow::More,
        }
    }

    fn finish(&mut self, out: &mut Out) -> i32 {
        if self.quit.is_none()
            && let Some((line, whole)) = self.waiting.take()
        {
            self.cycle(out, line, whole, true);
        }
        self.quit.unwrap_or(0)
    }

    fn refusal(&self, name: &str, errno: Errno) -> String {
        match errno {
            Errno::IsDir => format!("couldn't edit {name}: not a regular file"),
            _ => format!("can't read {name}: {errno}"),
        }
    }

    fn failure(&self) -> i32 {
        2
    }
}

/// A script being parsed.
struct Script<'a> {
    chars: Vec<char>,
    at: usize,
    syntax: Syntax,
    expression: usize,
    last_regex: Option<Regex>,
    blocks: Vec<usize>,
    commands: &'a mut Vec<Command>,
}

impl Script<'_> {
    fn error(&self, message: &str) -> String {
        format!("-e expression #{}, char {}: {message}", self.expression, self.at)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn skip(&mut self, chars: &str) {
        while self.peek().is_some_and(|c| chars.contains(c)) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<u64> {
        let mut digits = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_digit) {
            digits.push(c);
            self.at += 1;
        }
        digits.parse().ok()
    }

    /// Text up to an unescaped delimiter; `\n` stays for whom it is meant.
    fn delimited(&mut self, delimiter: char, unterminated: &str) -> Result<String, String> {
        let mut text = String::new();
        let mut in_bracket = false;
        loop {
            let Some(c) = self.bump() else { return Err(self.error(unterminated)) };
            match c {
                '\\' => match self.bump() {
                    Some(next) if next == delimiter => text.push(next),
                    Some(next) => text.extend(['\\', next]),
                    None => return Err(self.error(unterminated)),
                },
                _ if c == delimiter && !in_bracket => return Ok(text),
                _ => {
                    if c == '[' && !in_bracket && delimiter != '[' {
                        in_bracket = self
                            .chars
                            .get(self.at..)
                            .is_some_and(|rest| rest.iter().skip(1).any(|c| *c == ']'));
                        text.push(c);
                        if in_bracket && self.peek() == Some('^') {
                            text.extend(self.bump());
                        }
                        if in_bracket && self.peek() == Some(']') {
                            text.extend(self.bump());
                        }
                        continue;
                    }
                    if c == ']' {
                        in_bracket = false;
                    }
                    text.push(c);
                }
            }
        }
    }

    fn regex(&mut self, text: &str, ignore_case: bool) -> Result<Regex, String> {
        if text.is_empty() {
            return self.last_regex.clone().ok_or_else(|| self.error("no previous regular expression"));
        }
        let regex = compile(text, self.syntax, ignore_case).map_err(|message| self.error(&message))?;
        self.last_regex = Some(regex.clone());
        Ok(regex)
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        match self.peek() {
            Some('$') => {
                self.at += 1;
                Ok(Some(Address::Last))
            }
            Some(c) if c.is_ascii_digit() => {
                let first = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.at += 1;
                    return Ok(Some(Address::Step(first, self.number().unwrap_or(0))));
                }
                Ok(Some(Address::Line(first)))
            }
            Some(c @ ('/' | '\\')) => {
                self.at += 1;
                let delimiter = if c == '\\' { self.bump().unwrap_or('/') } else { '/' };
                let text = self.delimited(delimiter, "unterminated address regex")?;
                let ignore = self.peek() == Some('I');
                self.at += usize::from(ignore);
                Ok(Some(Address::Match(self.regex(&text, ignore)?)))
            }
            _ => Ok(None),
        }
    }

    fn parse(&mut self) -> Result<(), String> {
        loop {
            self.skip(" \t\n;");
            if self.peek().is_none() {
                return Ok(());
            }
            if self.peek() == Some('#') {
                while self.bump().is_some_and(|c| c != '\n') {}
                continue;
            }
            let from = self.address()?;
            let mut to = None;
            self.skip(" \t");
            if self.peek() == Some(',') && from.is_some() {
                self.at += 1;
                self.skip(" \t");
                to = match self.peek() {
                    Some('+') => {
                        self.at += 1;
                        self.number().map(Address::Plus)
                    }
                    _ => self.address()?,
                };
                if to.is_none() {
                    return Err(self.error("unexpected `,'"));
                }
                self.skip(" \t");
            }
            let mut negated = false;
            while self.peek() == Some('!') {
                negated = true;
                self.at += 1;
                self.skip(" \t");
            }
            let Some(letter) = self.bump() else { return Err(self.error("missing command")) };
            if letter == '}' {
                let Some(start) = self.blocks.pop() else { return Err(self.error("unexpected `}'")) };
                let after = self.commands.len();
                if let Some(command) = self.commands.get_mut(start) {
                    command.action = Action::Block(after);
                }
                continue;
            }
            let action = self.action(letter)?;
            if let Action::Block(_) = action {
                self.blocks.push(self.commands.len());
            } else if !matches!(action, Action::Insert(_) | Action::Append(_) | Action::Change(_)) {
                self.skip(" \t");
                if !matches!(self.peek(), None | Some(';' | '\n' | '}' | '#')) {
                    self.at += 1;
                    return Err(self.error(if letter == 's' {
                        "unknown option to `s'"
                    } else {
                        "extra characters after command"
                    }));
                }
            }
            self.commands.push(Command { from, to, negated, open: false, until: None, action });
        }
    }

    fn text(&mut self) -> Result<String, String> {
        self.skip(" \t");
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(" \t");
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        if self.peek().is_none() {
            return Err(self.error("expected \\ after `a', `c' or `i'"));
        }
        let mut text = String::new();
        while let Some(c) = self.bump() {
            match c {
                '\\' => text.extend(self.bump()),
                '\n' => break,
                c => text.push(c),
            }
        }
        Ok(text)
    }

    fn action(&mut self, letter: char) -> Result<Action, String> {
        Ok(match letter {
            '{' => Action::Block(0),
            'p' => Action::Print,
            'P' => Action::PrintFirst,
            'd' => Action::Delete,
            'D' => Action::DeleteFirst,
            '=' => Action::Number,
            'n' => Action::Next,
            'N' => Action::AppendNext,
            'h' => Action::Hold { append: false },
            'H' => Action::Hold { append: true },
            'g' => Action::Get { append: false },
            'G' => Action::Get { append: true },
            'x' => Action::Exchange,
            'q' | 'Q' => {
                self.skip(" \t");
                let status = self.number().and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
                Action::Quit { silent: letter == 'Q', status: status & 0xff }
            }
            'i' => Action::Insert(self.text()?),
            'a' => Action::Append(self.text()?),
            'c' => Action::Change(self.text()?),
            'y' => {
                let delimiter = self.bump().ok_or_else(|| self.error("unterminated `y' command"))?;
                let from = self.delimited(delimiter, "unterminated `y' command")?;
                let to = self.delimited(delimiter, "unterminated `y' command")?;
                let plain = |text: &str| text.replace("\\n", "\n").replace("\\\\", "\\").into_bytes();
                let (from, to) = (plain(&from), plain(&to));
                if from.len() != to.len() {
                    return Err(self.error("strings for `y' command are different lengths"));
                }
                Action::Translate(from, to)
            }
            's' => self.substitution()?,
            other => return Err(self.error(&format!("unknown command: `{other}'"))),
        })
    }

    fn substitution(&mut self) -> Result<Action, String> {
        const UNTERMINATED: &str = "unterminated `s' command";
        let delimiter = self.bump().ok_or_else(|| self.error(UNTERMINATED))?;
        let pattern = self.delimited(delimiter, UNTERMINATED)?;
        let mut pieces = Vec::new();
        let mut text = String::new();
        loop {
            let Some(c) = self.bump() else { return Err(self.error(UNTERMINATED)) };
            let group = match c {
                _ if c == delimiter => break,
                '&' => Some(0),
                '\\' => match self.bump() {
                    None => return Err(self.error(UNTERMINATED)),
                    Some(digit) if digit.is_ascii_digit() => {
                        digit.to_digit(10).and_then(|d| usize::try_from(d).ok())
                    }
                    Some('n') => {
                        text.push('\n');
                        None
                    }
                    Some('t') => {
                        text.push('\t');
                        None
                    }
                    Some(other) => {
                        text.push(other);
                        None
                    }
                },
                c => {
                    text.push(c);
                    None
                }
            };
            if let Some(group) = group {
                pieces.push(Piece::Text(std::mem::take(&mut text).into_bytes()));
                pieces.push(Piece::Group(group));
            }
        }
        pieces.push(Piece::Text(text.into_bytes()));
        let (mut which, mut global, mut print, mut ignore) = (1, false, false, false);
        loop {
            match self.peek() {
                Some('g') => global = true,
                Some('p') => print = true,
                Some('i' | 'I') => ignore = true,
                Some(c) if c.is_ascii_digit() => {
                    which = self.number().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
                    if which == 0 {
                        return Err(self.error("number option to `s' command may not be zero"));
                    }
                    continue;
                }
                _ => break,
            }
            self.at += 1;
        }
        let regex = self.regex(&pattern, ignore)?;
        let groups = regex.captures_len();
        for piece in &pieces {
            if let Piece::Group(n) = piece
                && *n >= groups
            {
                return Err(self.error(&format!("invalid reference \\{n} on `s' command's RHS")));
            }
        }
        Ok(Action::Substitute { regex, with: pieces, which, global, print })
    }
}

const USAGE: &str = "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...";

fn make(args: Args) -> Box<dyn Program> {
    let long = [
        ("quiet", 'n'),
        ("silent", 'n'),
        ("regexp-extended", 'E'),
        ("expression", 'e'),
        ("unbuffered", 'u'),
        ("in-place", 'i'),
    ];
    let (options, mut words) = match getopt(args.get(1..).unwrap_or_default(), "nErue:i::sz", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::program(format!("sed: {error}\n{USAGE}"), 1),
    };
    let mut scripts = Vec::new();
    let (mut quiet, mut syntax, mut backup) = (false, Syntax::Basic, None);
    for (letter, value) in options {
        match letter {
            'n' => quiet = true,
            'E' | 'r' => syntax = Syntax::Extended,
            'e' => scripts.push(value.unwrap_or_default()),
            'i' => backup = Some(value.unwrap_or_default()),
            _ => {}
        }
    }
    if scripts.is_empty() {
        if words.is_empty() {
            return Refused::program(USAGE, 1);
        }
        scripts.push(words.remove(0));
    }
    let mut commands = Vec::new();
    let mut blocks = Vec::new();
    for (i, text) in scripts.iter().enumerate() {
        let mut script = Script {
            chars: text.chars().collect(),
            at: 0,
            syntax,
            expression: i + 1,
            last_regex: None,
            blocks: std::mem::take(&mut blocks),
            commands: &mut commands,
        };
        if let Err(message) = script.parse() {
            return Refused::program(format!("sed: {message}"), 1);
        }
        blocks = script.blocks;
    }
    if !blocks.is_empty() {
        return Refused::program("sed: -e expression #1, char 0: unmatched `{'", 1);
    }
    let sed = Sed {
        commands,
        quiet,
        waiting: None,
        line: 0,
        space: Vec::new(),
        hold: Vec::new(),
        resume: None,
        joining: false,
        appended: Vec::new(),
        quit: None,
    };
    match backup {
        Some(backup) => Box::new(InPlace { sed, files: words, backup }),
        None => Filtering::program("sed", sed, words),
    }
}

/// Installs `sed`.
pub(super) fn install(registry: &mut Registry) {
    registry.install("sed", make);
}
