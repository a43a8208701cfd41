//! Where in a RON text a value stands. ron forgets places once it has parsed; a check made later
//! names a value by its path, and the scanner here finds it again.

use std::ops::Range;

/// Deeper nesting than ron itself allows is not looked at.
const DEPTH: usize = 128;

/// The values of a RON text with the bytes where they stand. Made of any text: what is not RON is
/// left out.
#[derive(Clone, Debug)]
pub struct Places<'a> {
    text: &'a str,
    root: Option<Node>,
    /// The innermost bracket that isn't closed where it should be.
    pub(crate) unclosed: Option<usize>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// All of it.
    pub span: Range<usize>,
    /// What a caret points at: a name, a text, a number, or the opening bracket.
    pub head: Range<usize>,
    pub shape: Shape,
}

/// What kind of value it is.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// `[…]`.
    List(Vec<Node>),
    /// `{…}`.
    Map(Vec<(Node, Node)>),
    /// `Name(field: …)` or `(field: …)`; the spans are those of the fields' names.
    Struct(Vec<(Range<usize>, Node)>),
    /// `Name(…)` or `(…)` without fields.
    Tuple(Vec<Node>),
    /// `"…"` or `r#"…"#`.
    Text,
    /// A number, a character, a name alone.
    Word,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `.field` of a struct, or `["key"]` of a map: either finds both.
    Name(String),
    /// `[3]` of a list or tuple.
    Index(usize),
    /// `#key`: the name of the field or key itself, instead of its value.
    Key,
    /// `@5+3`: inside a text, after so many bytes of it, so many characters.
    Inside(usize, usize),
}

impl<'a> Places<'a> {
    /// Looks a text through.
    pub fn scan(text: &'a str) -> Self {
        let mut scanner = Scanner { text, at: 0, depth: 0, unclosed: None };
        scanner.attributes();
        let root = scanner.value();
        Self { text, root, unclosed: scanner.unclosed }
    }

    /// The bytes of the value with this path, such as `acts[1].steps[0].on`,
    /// `hosts["r1"].nics["eth0"]` or `links[2].ends[1]`. Items of a tuple count as those of a list:
    /// `steps[1][0]` is what `Expect(…)` holds. `hosts["r1"]#key` is the key itself,
    /// `links[0]@3+2` two characters inside a text after three bytes of it. `Some(…)` is passed
    /// through.
    ///
    /// `Err` has the innermost value on the way if the path goes on where the text doesn't.
    pub fn find(&self, path: &str) -> Result<Range<usize>, Range<usize>> {
        let Some(mut node) = self.root.as_ref() else { return Err(0..0) };
        let mut key = None;
        for part in parts(path) {
            node = node.inside_some(self.text);
            let found = match &part {
                Part::Name(name) => node.entry(self.text, name).map(|(head, value)| {
                    key = Some(head);
                    value
                }),
                Part::Index(index) => match &node.shape {
                    Shape::List(items) | Shape::Tuple(items) => items.get(*index),
                    _ => None,
                },
                Part::Key => return Ok(key.unwrap_or_else(|| node.head.clone())),
                Part::Inside(byte, chars) => {
                    return node.inside(self.text, *byte, *chars).ok_or_else(|| node.head.clone());
                }
            };
            node = found.ok_or_else(|| node.head.clone())?;
        }
        Ok(node.head.clone())
    }

    /// The name in front of the whole: `Scenario`, `Topology`.
    pub fn name(&self) -> Option<&'a str> {
        self.root.as_ref()?.name(self.text)
    }

    /// All values, each before those that it holds.
    pub(crate) fn nodes(&self) -> Vec<&Node> {
        let mut found: Vec<&Node> = self.root.iter().collect();
        let mut next = 0;
        while let Some(node) = found.get(next) {
            next += 1;
            match &node.shape {
                Shape::List(items) | Shape::Tuple(items) => found.extend(items),
                Shape::Map(entries) => found.extend(entries.iter().flat_map(|(key, value)| [key, value])),
                Shape::Struct(fields) => found.extend(fields.iter().map(|(_, value)| value)),
                Shape::Text | Shape::Word => {}
            }
        }
        found
    }
}

/// Line and column, from 1, of a byte; a column is a character.
pub fn line_column(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte.min(text.len()))];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

impl Node {
    /// The name before the bracket, if there is one.
    pub fn name<'a>(&self, text: &'a str) -> Option<&'a str> {
        let name = match self.shape {
            Shape::Struct(_) | Shape::Tuple(_) => &text[self.head.clone()],
            _ => return None,
        };
        (name != "(").then_some(name)
    }

    /// What a text says.
    pub fn string(&self, text: &str) -> Option<String> {
        matches!(self.shape, Shape::Text).then(|| pieces(text, &self.span).map(|(_, c)| c).collect())
    }

    fn inside_some(&self, text: &str) -> &Self {
        match &self.shape {
            Shape::Tuple(items) if items.len() == 1 && self.name(text) == Some("Some") => &items[0],
            _ => self,
        }
    }

    fn entry(&self, text: &str, name: &str) -> Option<(Range<usize>, &Self)> {
        match &self.shape {
            Shape::Struct(fields) => {
                let (key, value) = fields.iter().find(|(key, _)| &text[key.clone()] == name)?;
                Some((key.clone(), value))
            }
            Shape::Map(entries) => {
                let (key, value) = entries.iter().find(|(key, _)| match key.shape {
                    Shape::Text => key.string(text).is_some_and(|key| key == name),
                    _ => &text[key.span.clone()] == name,
                })?;
                Some((key.head.clone(), value))
            }
            _ => None,
        }
    }

    /// So many characters after so many bytes of what a text says.
    fn inside(&self, text: &str, byte: usize, chars: usize) -> Option<Range<usize>> {
        matches!(self.shape, Shape::Text).then_some(())?;
        let mut seen = 0;
        let mut rest = pieces(text, &self.span).skip_while(|(_, c)| {
            let before = seen < byte;
            seen += c.len_utf8();
            before
        });
        let (start, _) = rest.next()?;
        let last = rest.nth(chars.max(1) - 1).map(|(end, _)| end);
        Some(start..last.or_else(|| text[..self.span.end].rfind('"'))?)
    }
}

/// The characters that a text in quotes says, each with the byte where it is written.
fn pieces<'a>(text: &'a str, span: &Range<usize>) -> impl Iterator<Item = (usize, char)> + use<'a> {
    let written = &text[span.clone()];
    let open = written.find('"').map_or(written.len(), |quote| quote + 1);
    let close = written.rfind('"').filter(|&close| close >= open).unwrap_or(written.len());
    let raw = written.starts_with('r');
    let first = span.start + open;
    let mut rest = written.get(open..close).unwrap_or("");
    let end = first + rest.len();
    std::iter::from_fn(move || {
        loop {
            let start = end - rest.len();
            let mut chars = rest.chars();
            let c = chars.next()?;
            rest = chars.as_str();
            if raw || c != '\\' {
                return Some((start, c));
            }
            let escape = chars.next()?;
            rest = chars.as_str();
            let c = match escape {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'x' => code(&mut rest, 2),
                'u' => {
                    let digits = rest.find('}').unwrap_or(0);
                    let mut hex = rest.get(1..digits).unwrap_or("");
                    rest = rest.get(digits + 1..).unwrap_or("");
                    let len = hex.len();
                    code(&mut hex, len)
                }
                '\n' => {
                    rest = rest.trim_start();
                    continue;
                }
                other => other,
            };
            return Some((start, c));
        }
    })
}

/// Takes a character's number in so many hexadecimal digits.
fn code(rest: &mut &str, digits: usize) -> char {
    let (hex, after) = rest.split_at_checked(digits).unwrap_or((rest, ""));
    *rest = after;
    u32::from_str_radix(hex, 16).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Takes a path apart.
fn parts(path: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = path;
    while let Some(c) = rest.chars().next() {
        let (part, after) = match c {
            '#' => (Part::Key, ""),
            '@' => {
                let (byte, chars) = rest[1..].split_once('+').unwrap_or((&rest[1..], "1"));
                (Part::Inside(byte.parse().unwrap_or(usize::MAX), chars.parse().unwrap_or(1)), "")
            }
            '[' if rest[1..].starts_with('"') => {
                let len = text_length(&rest[1..]).unwrap_or(rest.len() - 1);
                let key = pieces(rest, &(1..1 + len)).map(|(_, c)| c).collect();
                (Part::Name(key), rest[1 + len..].strip_prefix(']').unwrap_or(""))
            }
            '[' => {
                let (index, after) = rest[1..].split_once(']').unwrap_or((&rest[1..], ""));
                (Part::Index(index.parse().unwrap_or(usize::MAX)), after)
            }
            _ => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let end = name.find(['.', '[', '#', '@']).unwrap_or(name.len());
                (Part::Name(name[..end].to_owned()), &name[end..])
            }
        };
        parts.push(part);
        rest = after;
    }
    parts
}

/// The length of the text in quotes that `rest` begins with, if it ends.
fn text_length(rest: &str) -> Option<usize> {
    let after_r = rest.strip_prefix('b').unwrap_or(rest);
    if let Some(raw) = after_r.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let end = body.find(&format!("\"{}", "#".repeat(hashes)))?;
        return Some(rest.len() - body.len() + end + 1 + hashes);
    }
    let body = after_r.strip_prefix('"')?;
    let mut escaped = false;
    let end = body.find(|c| {
        let end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        end
    })?;
    Some(rest.len() - body.len() + end + 1)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    unclosed: Option<usize>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += block_comment_length(trimmed);
            } else {
                return;
            }
        }
    }

    /// Passes `#![enable(…)]`.
    fn attributes(&mut self) {
        self.skip();
        while self.rest().starts_with("#!") {
            self.at += self.rest().find(']').map_or(self.rest().len(), |end| end + 1);
            self.skip();
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip();
        let found = self.rest().starts_with(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }

    /// A name or number: everything up to a blank, a bracket or a mark of punctuation.
    fn word(&mut self) -> Range<usize> {
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_alphanumeric() || "_+-.=#".contains(c))).unwrap_or(rest.len());
        let start = self.at;
        self.at += len;
        start..self.at
    }

    fn value(&mut self) -> Option<Node> {
        self.skip();
        let start = self.at;
        let leaf = |end, shape| Some(Node { span: start..end, head: start..end, shape });
        if let Some(len) = text_length(self.rest()) {
            self.at += len;
            return leaf(self.at, Shape::Text);
        }
        match self.rest().chars().next()? {
            '[' => {
                let items = self.bracket(']', |s| s.value())?;
                Some(Node { span: start..self.at, head: start..start + 1, shape: Shape::List(items) })
            }
            '{' => {
                let entries = self.bracket('}', |s| {
                    let key = s.value()?;
                    s.eat(':').then_some(())?;
                    Some((key, s.value()?))
                })?;
                Some(Node { span: start..self.at, head: start..start + 1, shape: Shape::Map(entries) })
            }
            '(' => self.parentheses(start, start..start + 1),
            '\'' => {
                let body = &self.rest()[1..];
                let first = body.chars().next().map_or(0, |c| if c == '\\' { 2 } else { c.len_utf8() });
                let close = body.get(first..).and_then(|rest| rest.find('\''))?;
                self.at += 1 + first + close + 1;
                leaf(self.at, Shape::Word)
            }
            _ => {
                let name = self.word();
                if name.is_empty() {
                    return None;
                }
                let end = self.at;
                self.skip();
                if self.rest().starts_with('(') {
                    return self.parentheses(start, name);
                }
                self.at = end;
                leaf(end, Shape::Word)
            }
        }
    }

    /// `(…)`, with the name before it already passed.
    fn parentheses(&mut self, start: usize, head: Range<usize>) -> Option<Node> {
        let mut fields = Vec::new();
        let mut items = Vec::new();
        self.bracket(')', |s| {
            s.skip();
            let before = s.at;
            let name = s.word();
            if !name.is_empty() && s.eat(':') {
                fields.push((name, s.value()?));
            } else {
                s.at = before;
                items.push(s.value()?);
            }
            Some(())
        })?;
        let shape = if fields.is_empty() { Shape::Tuple(items) } else { Shape::Struct(fields) };
        Some(Node { span: start..self.at, head, shape })
    }

    /// What stands between brackets, with commas between. What can't be read ends it.
    fn bracket<T>(&mut self, close: char, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        if self.depth == DEPTH {
            return None;
        }
        let open = self.at;
        self.at += 1;
        self.depth += 1;
        let mut items = Vec::new();
        let closed = loop {
            if self.eat(close) {
                break true;
            }
            let Some(next) = item(self) else { break false };
            items.push(next);
            if !self.eat(',') {
                break self.eat(close);
            }
        };
        self.depth -= 1;
        if !closed {
            self.unclosed.get_or_insert(open);
        }
        Some(items)
    }
}

/// The length of a block comment; they nest.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(next) = rest[at..].find(['/', '*']) {
        at += next;
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests;
