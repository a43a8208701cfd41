use std::collections::BTreeMap;

use world::Sys;

use super::arith;
use super::ast::{Param, ParamOp, Part, Tree, Word};
use super::pattern::{Pattern, expand_paths};
use super::state::{State, Variable};

/// Results of a word's effects so far, in order.
///
/// A command substitution must wait for a process, so the word's expansion stops there and starts
/// anew when the output is known. What has been done once is then taken from here instead of
/// being done again.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    results: Vec<String>,
    next: usize,
}

impl Log {
    /// Adds the output of the command that stopped the expansion.
    pub(super) fn push(&mut self, result: String) {
        self.results.push(result);
    }
}

/// Why an expansion stopped.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The output of this command is needed.
    Command(Option<Tree>),
    /// A fatal error: dash's message.
    Error(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Error(message)
    }
}

/// A piece of an expanded word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text {
        text: String,
        quoted: bool,
        split: bool,
    },
    /// Between two positional parameters of `$@`.
    Break,
}

/// A field before its pathname expansion: characters, each with whether it was quoted.
type Field = Vec<(char, bool)>;

/// Expands words in a shell's state.
pub(super) struct Expander<'a> {
    pub(super) state: &'a mut State,
    pub(super) sys: &'a mut dyn Sys,
    pub(super) log: &'a mut Log,
}

impl Expander<'_> {
    /// A word as arguments: fields split, paths expanded. Clears the log when done.
    pub(super) fn fields(&mut self, word: &Word) -> Result<Vec<String>, Stop> {
        let segments = self.whole(word)?;
        let mut out = Vec::new();
        for field in split(&segments, &self.state.separators()) {
            let special =
                !self.state.options.noglob && field.iter().any(|&(c, q)| !q && matches!(c, '*' | '?' | '['));
            let paths = if special { expand_paths(&Pattern::new(&field), self.sys) } else { Vec::new() };
            if paths.is_empty() {
                out.push(field.into_iter().map(|(c, _)| c).collect());
            } else {
                out.extend(paths);
            }
        }
        Ok(out)
    }

    /// A word as one text: assignments, redirections, the subject of `case`.
    pub(super) fn text(&mut self, word: &Word) -> Result<String, Stop> {
        let segments = self.whole(word)?;
        Ok(join(&segments))
    }

    /// A word as a pattern.
    pub(super) fn pattern(&mut self, word: &Word) -> Result<Pattern, Stop> {
        let segments = self.whole(word)?;
        Ok(Pattern::new(&characters(&segments)))
    }

    fn whole(&mut self, word: &Word) -> Result<Vec<Segment>, Stop> {
        self.log.next = 0;
        let mut segments = Vec::new();
        let word = self.tilde(word);
        self.word(&word, &mut segments)?;
        *self.log = Log::default();
        Ok(segments)
    }

    /// `~` alone or before a slash is `$HOME`.
    fn tilde(&self, word: &Word) -> Word {
        let mut word = word.clone();
        if let Some(Part::Bare(text)) = word.0.first()
            && let Some(rest) = text.strip_prefix('~')
            && (rest.starts_with('/') || (rest.is_empty() && word.0.len() == 1))
            && let Some(home) = self.state.get("HOME")
        {
            let (home, rest) = (home.to_owned(), rest.to_owned());
            word.0.splice(0..1, [Part::Quoted(home), Part::Bare(rest)]);
        }
        word
    }

    /// Does something once: the second time its result comes from the log.
    fn once(&mut self, action: impl FnOnce(&mut Self) -> Result<String, Stop>) -> Result<String, Stop> {
        if let Some(result) = self.log.results.get(self.log.next) {
            self.log.next += 1;
            return Ok(result.clone());
        }
        let result = action(self)?;
        self.log.results.push(result.clone());
        self.log.next = self.log.results.len();
        Ok(result)
    }

    fn word(&mut self, word: &Word, out: &mut Vec<Segment>) -> Result<(), Stop> {
        for part in &word.0 {
            match part {
                Part::Bare(text) => {
                    out.push(Segment::Text { text: text.clone(), quoted: false, split: false })
                }
                Part::Quoted(text) => {
                    out.push(Segment::Text { text: text.clone(), quoted: true, split: false })
                }
                Part::Param(param) => self.param(param, out)?,
                Part::Command { tree, quoted } => {
                    let text = self.once(|_| Err(Stop::Command(tree.clone())))?;
                    push_value(text, *quoted, out);
                }
                Part::Arith { word, quoted } => {
                    let mut inner = Vec::new();
                    self.word(word, &mut inner)?;
                    let text = join(&inner);
                    let value =
                        self.once(|e| Ok(arith::evaluate(&text, &mut ArithVariables(e.state))?.to_string()))?;
                    push_value(value, *quoted, out);
                }
            }
        }
        Ok(())
    }

    fn param(&mut self, param: &Param, out: &mut Vec<Segment>) -> Result<(), Stop> {
        let list = matches!(param.name.as_str(), "@" | "*");
        let value = if list { None } else { self.value(&param.name)? };
        let set = if list { !self.state.params.is_empty() } else { value.is_some() };
        let empty = if list {
            self.state.params.iter().all(String::is_empty)
        } else {
            value.as_deref().unwrap_or("").is_empty()
        };
        let missing = |colon: bool| !set || (colon && empty);
        match &param.op {
            ParamOp::Bad => return Err(Stop::Error("Bad substitution".to_owned())),
            ParamOp::Default { .. } | ParamOp::Alternative { .. } if param.quoted => {
                push_value(String::new(), true, out)
            }
            _ => {}
        }
        match &param.op {
            ParamOp::Default { word, colon } if missing(*colon) => return self.word(word, out),
            ParamOp::Alternative { word, colon } => {
                return if missing(*colon) { Ok(()) } else { self.word(word, out) };
            }
            ParamOp::Assign { word, colon } => {
                let assigns =
                    self.once(|_| Ok(if missing(*colon) { "yes" } else { "no" }.to_owned()))? == "yes";
                let value = if assigns {
                    let mut inner = Vec::new();
                    self.word(word, &mut inner)?;
                    let text = join(&inner);
                    self.state.set(&param.name, text.clone())?;
                    text
                } else {
                    value.unwrap_or_default()
                };
                push_value(value, param.quoted, out);
                return Ok(());
            }
            ParamOp::Error { word, colon } if missing(*colon) => {
                let mut inner = Vec::new();
                self.word(word, &mut inner)?;
                let text = join(&inner);
                let default = if *colon { "parameter not set or null" } else { "parameter not set" };
                let text = if word.0.is_empty() { default } else { &text };
                return Err(Stop::Error(format!("{}: {text}", param.name)));
            }
            _ => {}
        }
        if !set && !list && self.state.options.nounset && !matches!(param.name.as_str(), "!") {
            let defaulted = matches!(param.op, ParamOp::Default { .. });
            if !defaulted {
                return Err(Stop::Error(format!("{}: parameter not set", param.name)));
            }
        }
        match &param.op {
            ParamOp::Length => {
                let length = if list { self.state.params.len() } else { value.unwrap_or_default().len() };
                push_value(length.to_string(), param.quoted, out);
            }
            ParamOp::TrimSuffix { pattern, longest } => {
                let pattern = self.inner_pattern(pattern)?;
                let text = value.unwrap_or_default();
                let mut cuts: Vec<usize> = boundaries(&text).collect();
                if !*longest {
                    cuts.reverse();
                }
                let cut = cuts.into_iter().find(|&i| text.get(i..).is_some_and(|t| pattern.matches(t)));
                push_value(
                    text.get(..cut.unwrap_or(text.len())).unwrap_or_default().to_owned(),
                    param.quoted,
                    out,
                );
            }
            ParamOp::TrimPrefix { pattern, longest } => {
                let pattern = self.inner_pattern(pattern)?;
                let text = value.unwrap_or_default();
                let mut cuts: Vec<usize> = boundaries(&text).collect();
                if *longest {
                    cuts.reverse();
                }
                let cut = cuts.into_iter().find(|&i| text.get(..i).is_some_and(|t| pattern.matches(t)));
                push_value(text.get(cut.unwrap_or(0)..).unwrap_or_default().to_owned(), param.quoted, out);
            }
            _ if list => self.positional(param, out),
            _ => push_value(value.unwrap_or_default(), param.quoted, out),
        }
        Ok(())
    }

    fn inner_pattern(&mut self, word: &Word) -> Result<Pattern, Stop> {
        let mut inner = Vec::new();
        self.word(word, &mut inner)?;
        Ok(Pattern::new(&characters(&inner)))
    }

    /// `$@` and `$*`.
    fn positional(&self, param: &Param, out: &mut Vec<Segment>) {
        if param.quoted && param.name == "*" {
            let separators = self.state.separators();
            let joint = separators.chars().next().map(String::from).unwrap_or_default();
            push_value(self.state.params.join(&joint), true, out);
            return;
        }
        for (i, text) in self.state.params.iter().enumerate() {
            if i > 0 {
                out.push(Segment::Break);
            }
            push_value(text.clone(), param.quoted, out);
        }
    }

    /// The value of a parameter other than `@` and `*`.
    fn value(&mut self, name: &str) -> Result<Option<String>, Stop> {
        let state = &*self.state;
        Ok(match name {
            "#" => Some(state.params.len().to_string()),
            "?" => Some(self.once(|e| Ok(e.state.status.to_string()))?),
            "$" => Some(state.pid.unwrap_or_else(|| self.sys.pid()).to_string()),
            "!" => state.background.map(|pid| pid.to_string()),
            "-" => Some(state.flags()),
            "0" => Some(state.name.clone()),
            _ if name.starts_with(|c: char| c.is_ascii_digit()) => {
                let index: usize = name.parse().unwrap_or(usize::MAX);
                if index == 0 { Some(state.name.clone()) } else { state.params.get(index - 1).cloned() }
            }
            _ => state.get(name).map(str::to_owned),
        })
    }
}

impl State {
    /// `$-`.
    fn flags(&self) -> String {
        let o = &self.options;
        [
            (o.nounset, 'u'),
            (o.allexport, 'a'),
            (o.verbose, 'v'),
            (o.xtrace, 'x'),
            (o.noexec, 'n'),
            (o.noglob, 'f'),
            (o.errexit, 'e'),
        ]
        .into_iter()
        .filter_map(|(on, letter)| on.then_some(letter))
        .collect()
    }
}

struct ArithVariables<'a>(&'a mut State);

impl arith::Variables for ArithVariables<'_> {
    fn get(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.0.get(name) {
            None if self.0.options.nounset => Err(format!("{name}: parameter not set")),
            value => Ok(value.map(str::to_owned)),
        }
    }

    fn set(&mut self, name: &str, value: i64) -> Result<(), String> {
        self.0.set(name, value.to_string())
    }
}

fn push_value(text: String, quoted: bool, out: &mut Vec<Segment>) {
    out.push(Segment::Text { text, quoted, split: !quoted });
}

fn boundaries(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(i, _)| i).chain([text.len()])
}

fn join(segments: &[Segment]) -> String {
    segments
        .iter()
        .map(|segment| match segment {
            Segment::Text { text, .. } => text.as_str(),
            Segment::Break => " ",
        })
        .collect()
}

fn characters(segments: &[Segment]) -> Field {
    let mut out = Vec::new();
    for segment in segments {
        match segment {
            Segment::Text { text, quoted, .. } => out.extend(text.chars().map(|c| (c, *quoted))),
            Segment::Break => out.push((' ', true)),
        }
    }
    out
}

/// Field splitting.
fn split(segments: &[Segment], separators: &str) -> Vec<Field> {
    let mut splitter = Splitter::default();
    for segment in segments {
        match segment {
            Segment::Break => splitter.end_if_any(),
            Segment::Text { text, quoted, split: false } => {
                splitter.after_blank = false;
                splitter.exists |= *quoted || !text.is_empty();
                splitter.field.extend(text.chars().map(|c| (c, *quoted)));
            }
            Segment::Text { text, .. } => {
                for c in text.chars() {
                    splitter.unquoted(c, separators);
                }
            }
        }
    }
    splitter.end_if_any();
    splitter.fields
}

#[derive(Default)]
struct Splitter {
    fields: Vec<Field>,
    field: Field,
    /// Whether the current field counts even if it is empty.
    exists: bool,
    /// Whether a blank has just ended a field.
    after_blank: bool,
}

impl Splitter {
    fn unquoted(&mut self, c: char, separators: &str) {
        if !separators.contains(c) {
            self.after_blank = false;
            self.exists = true;
            self.field.push((c, false));
        } else if matches!(c, ' ' | '\t' | '\n') {
            if self.exists {
                self.end();
                self.after_blank = true;
            }
        } else if self.after_blank {
            self.after_blank = false;
        } else {
            self.end();
        }
    }

    fn end(&mut self) {
        self.fields.push(std::mem::take(&mut self.field));
        self.exists = false;
    }

    fn end_if_any(&mut self) {
        if self.exists {
            self.end();
        }
        self.after_blank = false;
    }
}

/// Splits a line for `read`: at most `count` fields, the last takes the rest. Characters after a
/// backslash count as quoted.
pub(super) fn split_line(line: &[(char, bool)], separators: &str, count: usize) -> Vec<String> {
    let is_blank =
        |&(c, quoted): &(char, bool)| !quoted && matches!(c, ' ' | '\t' | '\n') && separators.contains(c);
    let is_mark =
        |&(c, quoted): &(char, bool)| !quoted && separators.contains(c) && !matches!(c, ' ' | '\t' | '\n');
    let mut out: Vec<String> = Vec::new();
    let mut rest = line;
    while rest.first().is_some_and(is_blank) {
        rest = rest.get(1..).unwrap_or_default();
    }
    while out.len() + 1 < count && !rest.is_empty() {
        let end = rest.iter().position(|c| is_blank(c) || is_mark(c)).unwrap_or(rest.len());
        out.push(rest.iter().take(end).map(|&(c, _)| c).collect());
        rest = rest.get(end..).unwrap_or_default();
        let mut marks = 0;
        while let Some(c) = rest.first() {
            if is_mark(c) && marks == 0 {
                marks = 1;
            } else if !is_blank(c) {
                break;
            }
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    while rest.last().is_some_and(is_blank) {
        rest = rest.get(..rest.len() - 1).unwrap_or_default();
    }
    if let Some((last, before)) = rest.split_last()
        && is_mark(last)
        && !before.iter().any(is_mark)
    {
        rest = before;
    }
    out.push(rest.iter().map(|&(c, _)| c).collect());
    out.resize(count, String::new());
    out
}

/// Variables as a process starts with them.
pub(super) fn imported(environment: BTreeMap<String, String>) -> BTreeMap<String, Variable> {
    let import = |(name, value)| (name, Variable { value: Some(value), exported: true, readonly: false });
    environment.into_iter().filter(|(name, _)| super::parse::is_name(name)).map(import).collect()
}
