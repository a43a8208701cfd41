use std::sync::{Arc, OnceLock};

use super::ast::{Param, ParamOp, Part, Word};
use super::parse::Parser;
use super::syntax::SyntaxError;

/// A token of the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Eof,
    Newline,
    Semi,
    Background,
    And,
    Or,
    Pipe,
    Open,
    Close,
    EndCase,
    Redirect { fd: Option<u32>, op: RedirectOp },
    Word { word: Word, raw: String },
    Keyword(Keyword),
}

/// The operator of a redirection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RedirectOp {
    Read,
    Write,
    Append,
    ReadWrite,
    DuplicateIn,
    DuplicateOut,
    Here { strip: bool },
}

macro_rules! keywords {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// A reserved word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Keyword { $($variant,)* }

        impl Keyword {
            /// The reserved word of that spelling.
            pub(super) fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }

            /// Its spelling.
            pub(super) const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

keywords! {
    Not = "!", Case = "case", Do = "do", Done = "done", Elif = "elif", Else = "else", Esac = "esac",
    Fi = "fi", For = "for", If = "if", In = "in", Then = "then", Until = "until", While = "while",
    Begin = "{", End = "}",
}

impl Token {
    /// What dash calls it in a message.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Eof => "end of file".to_owned(),
            Self::Newline => "newline".to_owned(),
            Self::Semi => "\";\"".to_owned(),
            Self::Background => "\"&\"".to_owned(),
            Self::And => "\"&&\"".to_owned(),
            Self::Or => "\"||\"".to_owned(),
            Self::Pipe => "\"|\"".to_owned(),
            Self::Open => "\"(\"".to_owned(),
            Self::Close => "\")\"".to_owned(),
            Self::EndCase => "\";;\"".to_owned(),
            Self::Redirect { .. } => "redirection".to_owned(),
            Self::Word { .. } => "word".to_owned(),
            Self::Keyword(keyword) => format!("\"{}\"", keyword.text()),
        }
    }

    /// Whether it ends a list inside a compound command.
    pub(super) const fn ends_list(&self) -> bool {
        use Keyword::{Do, Done, Elif, Else, End, Esac, Fi, Then};
        match self {
            Self::Eof | Self::Close | Self::EndCase => true,
            Self::Keyword(k) => matches!(k, Do | Done | Elif | Else | End | Esac | Fi | Then),
            _ => false,
        }
    }
}

/// A here-document whose text has not been read yet.
#[derive(Clone, Debug)]
pub(super) struct PendingHere {
    pub(super) delimiter: String,
    pub(super) quoted: bool,
    pub(super) strip: bool,
    pub(super) body: Arc<OnceLock<Word>>,
}

/// Where a word's characters stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Outside of everything.
    Base,
    /// In `"..."`.
    Double,
    /// In `${...}` outside of double quotes, or in a pattern of one.
    Brace,
    /// In `${...}` within double quotes.
    QuotedBrace,
    /// In `$((...))`.
    Arith,
    /// In a here-document: to the end of the text.
    Here,
}

impl Place {
    const fn quoted(self) -> bool {
        matches!(self, Self::Double | Self::QuotedBrace | Self::Arith | Self::Here)
    }
}

/// Collects parts; text of one kind is joined.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn bare(&mut self, c: char) {
        match self.0.last_mut() {
            Some(Part::Bare(text)) => text.push(c),
            _ => self.0.push(Part::Bare(c.to_string())),
        }
    }

    fn quoted(&mut self, c: char) {
        match self.0.last_mut() {
            Some(Part::Quoted(text)) => text.push(c),
            _ => self.0.push(Part::Quoted(c.to_string())),
        }
    }

    fn plain(&mut self, c: char, quoted: bool) {
        if quoted { self.quoted(c) } else { self.bare(c) }
    }
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.pos..)?.chars().next()
    }

    fn peek_second(&self) -> Option<char> {
        self.text.get(self.pos..)?.chars().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    /// Skips backslash-newline pairs.
    fn join_lines(&mut self) {
        while self.text.get(self.pos..).is_some_and(|t| t.starts_with("\\\n")) {
            self.bump();
            self.bump();
            if self.pos >= self.text.len() {
                self.open_line = true;
            }
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.join_lines();
        let found = self.peek() == Some(c);
        if found {
            self.bump();
        }
        found
    }

    /// The next token, reserved words not recognised.
    pub(super) fn lex(&mut self) -> Result<Token, SyntaxError> {
        loop {
            self.join_lines();
            match self.peek() {
                Some(' ' | '\t') => {
                    self.bump();
                }
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.bump();
                    }
                }
                _ => break,
            }
        }
        self.start = self.pos;
        let Some(c) = self.peek() else { return Ok(Token::Eof) };
        let token = match c {
            '\n' => {
                self.bump();
                Token::Newline
            }
            ';' => {
                self.bump();
                if self.eat(';') { Token::EndCase } else { Token::Semi }
            }
            '&' => {
                self.bump();
                if self.eat('&') { Token::And } else { Token::Background }
            }
            '|' => {
                self.bump();
                if self.eat('|') { Token::Or } else { Token::Pipe }
            }
            '(' => {
                self.bump();
                Token::Open
            }
            ')' => {
                self.bump();
                Token::Close
            }
            '<' | '>' => Token::Redirect { fd: None, op: self.redirect_op() },
            _ if c.is_ascii_digit() && matches!(self.peek_second(), Some('<' | '>')) => {
                self.bump();
                Token::Redirect { fd: c.to_digit(10), op: self.redirect_op() }
            }
            _ => {
                let parts = self.parts(Place::Base)?;
                let raw = self.text.get(self.start..self.pos).unwrap_or_default().to_owned();
                Token::Word { word: Word(parts), raw }
            }
        };
        Ok(token)
    }

    fn redirect_op(&mut self) -> RedirectOp {
        if self.bump() == Some('<') {
            if self.eat('<') {
                return RedirectOp::Here { strip: self.eat('-') };
            }
            if self.eat('&') {
                return RedirectOp::DuplicateIn;
            }
            return if self.eat('>') { RedirectOp::ReadWrite } else { RedirectOp::Read };
        }
        if self.eat('>') {
            return RedirectOp::Append;
        }
        if self.eat('&') {
            return RedirectOp::DuplicateOut;
        }
        self.eat('|');
        RedirectOp::Write
    }

    /// Reads parts up to what ends `place`, which is consumed except outside of everything.
    fn parts(&mut self, place: Place) -> Result<Vec<Part>, SyntaxError> {
        let mut parts = Parts::default();
        let mut depth = 0_u32; // of parentheses in arithmetic
        loop {
            if place != Place::Here || self.text.get(self.pos..).is_some_and(|t| t.starts_with("\\\n")) {
                self.join_lines();
            }
            let Some(c) = self.peek() else {
                return match place {
                    Place::Base | Place::Here => Ok(parts.0),
                    Place::Double => Err(self.error_here("Syntax error: Unterminated quoted string")),
                    Place::Brace | Place::QuotedBrace => Err(self.error_here("Syntax error: Missing '}'")),
                    Place::Arith => Err(self.error_here("Syntax error: Missing '))'")),
                };
            };
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' if place == Place::Base => {
                    return Ok(parts.0);
                }
                '"' if place == Place::Double => {
                    self.bump();
                    return Ok(parts.0);
                }
                '}' if matches!(place, Place::Brace | Place::QuotedBrace) => {
                    self.bump();
                    return Ok(parts.0);
                }
                '(' if place == Place::Arith => {
                    depth += 1;
                    self.bump();
                    parts.quoted(c);
                }
                ')' if place == Place::Arith => {
                    self.bump();
                    if depth > 0 {
                        depth -= 1;
                        parts.quoted(c);
                    } else if self.eat(')') {
                        return Ok(parts.0);
                    } else {
                        return Err(self.error_here("Syntax error: Missing '))'"));
                    }
                }
                '\\' => {
                    self.bump();
                    match self.peek() {
                        None => parts.quoted('\\'),
                        Some(next) => {
                            let escapes = match place {
                                Place::Base | Place::Brace => true,
                                Place::Double => matches!(next, '$' | '`' | '"' | '\\'),
                                Place::QuotedBrace => matches!(next, '$' | '`' | '"' | '\\' | '}'),
                                Place::Arith | Place::Here => matches!(next, '$' | '`' | '\\'),
                            };
                            if !escapes {
                                parts.quoted('\\');
                            }
                            self.bump();
                            parts.quoted(next);
                        }
                    }
                }
                '\'' if matches!(place, Place::Base | Place::Brace) => {
                    self.bump();
                    self.single_quoted(&mut parts)?;
                }
                '"' if !matches!(place, Place::Here | Place::Arith) => {
                    self.bump();
                    let inner = self.parts(Place::Double)?;
                    if inner.is_empty() {
                        parts.0.push(Part::Quoted(String::new()));
                    }
                    parts.0.extend(inner);
                }
                '"' if place == Place::Arith => {
                    self.bump();
                }
                '$' => {
                    self.bump();
                    self.dollar(place, &mut parts)?;
                }
                '`' => {
                    self.bump();
                    parts.0.push(self.backquotes(place)?);
                }
                _ => {
                    self.bump();
                    parts.plain(c, place.quoted());
                }
            }
        }
    }

    fn single_quoted(&mut self, parts: &mut Parts) -> Result<(), SyntaxError> {
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return Err(self.error_here("Syntax error: Unterminated quoted string")),
                Some('\'') => break,
                Some(c) => text.push(c),
            }
        }
        match parts.0.last_mut() {
            Some(Part::Quoted(before)) => before.push_str(&text),
            _ => parts.0.push(Part::Quoted(text)),
        }
        Ok(())
    }

    /// What follows a `$`.
    fn dollar(&mut self, place: Place, parts: &mut Parts) -> Result<(), SyntaxError> {
        self.join_lines();
        let quoted = place.quoted();
        match self.peek() {
            Some('(') => {
                self.bump();
                self.enter()?;
                self.join_lines();
                let part = if self.peek() == Some('(') {
                    self.bump();
                    Part::Arith { word: Word(self.parts(Place::Arith)?), quoted }
                } else {
                    Part::Command { tree: self.substitution()?, quoted }
                };
                self.leave();
                parts.0.push(part);
            }
            Some('{') => {
                self.bump();
                self.enter()?;
                let part = self.braces(place)?;
                self.leave();
                parts.0.push(part);
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.name();
                parts.0.push(self.plain_param(name, quoted));
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.bump();
                parts.0.push(self.plain_param(c.to_string(), quoted));
            }
            _ => parts.plain('$', quoted),
        }
        Ok(())
    }

    fn plain_param(&self, name: String, quoted: bool) -> Part {
        Part::Param(Box::new(Param { name, op: ParamOp::Plain, quoted, line: self.line }))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        loop {
            self.join_lines();
            match self.peek() {
                Some(c) if c.is_ascii_alphanumeric() || c == '_' => {
                    self.bump();
                    name.push(c);
                }
                _ => return name,
            }
        }
    }

    /// A parameter's name within braces.
    fn param_name(&mut self) -> String {
        match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                let mut name = String::new();
                while let Some(c) = self.peek().filter(char::is_ascii_digit) {
                    self.bump();
                    name.push(c);
                }
                name
            }
            Some(c) if "@*#?-$!".contains(c) => {
                self.bump();
                c.to_string()
            }
            _ => self.name(),
        }
    }

    /// `${...}` after its opening brace.
    fn braces(&mut self, place: Place) -> Result<Part, SyntaxError> {
        let (line, quoted) = (self.line, place.quoted());
        let param = |name: String, op: ParamOp| Part::Param(Box::new(Param { name, op, quoted, line }));
        self.join_lines();
        if self.peek() == Some('#')
            && !matches!(self.peek_second(), Some('}' | '-' | '=' | '?' | '+' | ':' | '%' | '#') | None)
        {
            self.bump();
            let name = self.param_name();
            if !name.is_empty() && self.eat('}') {
                return Ok(param(name, ParamOp::Length));
            }
            self.parts(Place::Brace)?;
            return Ok(param(name, ParamOp::Bad));
        }
        let name = self.param_name();
        if name.is_empty() {
            self.parts(Place::Brace)?;
            return Ok(param(name, ParamOp::Bad));
        }
        if self.eat('}') {
            return Ok(param(name, ParamOp::Plain));
        }
        let word_place = if quoted { Place::QuotedBrace } else { Place::Brace };
        let colon = self.eat(':');
        self.join_lines();
        let operator = self.peek();
        if operator.is_none() {
            return Err(self.error_here("Syntax error: Missing '}'"));
        }
        let op = match operator {
            Some(c @ ('-' | '=' | '?' | '+')) => {
                self.bump();
                let word = Word(self.parts(word_place)?);
                match c {
                    '-' => ParamOp::Default { word, colon },
                    '=' => ParamOp::Assign { word, colon },
                    '?' => ParamOp::Error { word, colon },
                    _ => ParamOp::Alternative { word, colon },
                }
            }
            Some(c @ ('%' | '#')) if !colon => {
                self.bump();
                let longest = self.eat(c);
                let pattern = Word(self.parts(Place::Brace)?);
                if c == '%' {
                    ParamOp::TrimSuffix { pattern, longest }
                } else {
                    ParamOp::TrimPrefix { pattern, longest }
                }
            }
            _ => {
                self.parts(word_place)?;
                ParamOp::Bad
            }
        };
        Ok(param(name, op))
    }

    /// Backquotes: their text, with its escapes undone, is a script of its own.
    fn backquotes(&mut self, place: Place) -> Result<Part, SyntaxError> {
        let line = self.line;
        let mut script = String::new();
        loop {
            match self.bump() {
                None => return Err(self.error_here("Syntax error: EOF in backquote substitution")),
                Some('`') => break,
                Some('\\') => match self.peek() {
                    Some('\n') => {
                        self.bump();
                    }
                    Some(c) if matches!(c, '\\' | '`' | '$') || (place.quoted() && c == '"') => {
                        self.bump();
                        script.push(c);
                    }
                    _ => script.push('\\'),
                },
                Some(c) => script.push(c),
            }
        }
        self.enter()?;
        let mut inner = Parser::new(&script, 0, line);
        inner.depth = self.depth;
        let tree = inner.whole().map_err(|e| SyntaxError { incomplete: false, ..e })?;
        self.leave();
        Ok(Part::Command { tree, quoted: place.quoted() })
    }

    /// Reads the here-documents announced on the line that has just ended.
    pub(super) fn read_here_documents(&mut self) -> Result<(), SyntaxError> {
        for here in std::mem::take(&mut self.here) {
            let body = self.here_document(&here)?;
            // Set once: each here-document is announced once.
            let _ = here.body.set(body);
        }
        Ok(())
    }

    fn here_document(&mut self, here: &PendingHere) -> Result<Word, SyntaxError> {
        let mut body = String::new();
        let line = self.line;
        loop {
            if self.pos >= self.text.len() {
                self.open_here = true;
                break;
            }
            let rest = self.text.get(self.pos..).unwrap_or_default();
            let (raw, step) = match rest.find('\n') {
                Some(end) => (rest.get(..end).unwrap_or_default(), end + 1),
                None => (rest, rest.len()),
            };
            let mut text = if here.strip { raw.trim_start_matches('\t') } else { raw };
            self.pos += step;
            self.line += usize::from(step > raw.len());
            if text == here.delimiter {
                break;
            }
            // A joined line can't be the delimiter, and its tabs stay.
            loop {
                body.push_str(text);
                let backslashes = text.chars().rev().take_while(|&c| c == '\\').count();
                if here.quoted || backslashes % 2 == 0 || self.pos >= self.text.len() {
                    break;
                }
                body.push('\n');
                let rest = self.text.get(self.pos..).unwrap_or_default();
                let end = rest.find('\n').unwrap_or(rest.len());
                text = rest.get(..end).unwrap_or_default();
                self.pos += (end + 1).min(rest.len());
                self.line += usize::from(end < rest.len());
            }
            body.push('\n');
        }
        if here.quoted {
            return Ok(Word(vec![Part::Quoted(body)]));
        }
        let mut inner = Parser::new(&body, 0, line);
        inner.depth = self.depth;
        Ok(Word(inner.parts(Place::Here)?))
    }
}

/// A word's text with its quotes removed and nothing expanded, and whether it had any: what a
/// here-document's delimiter is.
pub(super) fn unquote(raw: &str) -> (String, bool) {
    let (mut text, mut quoted, mut open) = (String::new(), false, None);
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' if open.is_none() => {
                quoted = true;
                open = Some(c);
            }
            _ if open == Some(c) => open = None,
            '\\' if open != Some('\'') => {
                quoted = true;
                text.extend(chars.next());
            }
            _ => text.push(c),
        }
    }
    (text, quoted)
}
