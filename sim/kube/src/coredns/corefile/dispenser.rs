//! Hands out tokens: by line, by block. Caddy: `caddyfile/dispenser.go`.

use super::error::Error;
use super::lexer::Token;

/// A walk over tokens. At first it stands before them.
#[derive(Clone, Debug)]
pub(super) struct Dispenser<'a> {
    /// The Corefile's path.
    pub file: &'a str,
    /// The tokens.
    pub tokens: Vec<Token>,
    /// How many tokens were handed out; the last of them is the current one.
    pub taken: usize,
    nesting: usize,
}

impl<'a> Dispenser<'a> {
    pub fn new(file: &'a str, tokens: Vec<Token>) -> Self {
        Self { file, tokens, taken: 0, nesting: 0 }
    }

    /// Goes to the next token.
    pub fn next(&mut self) -> bool {
        let has_more = self.taken < self.tokens.len();
        self.taken += usize::from(has_more);
        has_more
    }

    fn current(&self) -> Option<&Token> {
        self.tokens.get(self.taken.checked_sub(1)?)
    }

    /// The current token's text.
    pub fn text(&self) -> &str {
        self.current().map_or("", |token| &token.text)
    }

    /// Whether the current token is the first of its line.
    pub fn is_new_line(&self) -> bool {
        let before = self.taken.checked_sub(2).and_then(|at| self.tokens.get(at));
        before.zip(self.current()).is_none_or(|(before, current)| before.ends_line(current))
    }

    /// Goes to the next token if it is on the same line.
    pub fn next_arg(&mut self) -> bool {
        let next = self.tokens.get(self.taken);
        let is_arg = match (self.current(), next) {
            (Some(current), Some(next)) => current.shares_line(next),
            (None, next) => next.is_some(),
            (Some(_), None) => false,
        };
        self.taken += usize::from(is_arg);
        is_arg
    }

    /// The rest of the line, up to a block.
    pub fn remaining_args(&mut self) -> Vec<String> {
        let mut args = Vec::new();
        while self.next_arg() {
            if self.text() == "{" {
                self.taken -= 1;
                break;
            }
            args.push(self.text().to_owned());
        }
        args
    }

    /// Goes into the block that opens on this line, or on to its next token; says when it ends.
    pub fn next_block(&mut self) -> bool {
        if self.nesting > 0 {
            if !self.next() {
                return false;
            }
            if self.text() == "}" {
                self.nesting -= 1;
                return false;
            }
            return true;
        }
        if !self.next_arg() {
            return false;
        }
        if self.text() != "{" {
            self.taken -= 1;
            return false;
        }
        if !self.next() || self.text() == "}" {
            return false;
        }
        self.nesting += 1;
        true
    }

    /// Where the current token is.
    fn place(&self) -> (&str, u32) {
        let current = self.current();
        let file = current.and_then(|token| token.file.as_deref()).unwrap_or(self.file);
        (file, current.map_or(0, |token| token.line))
    }

    /// An error at the current token.
    pub fn error(&self, text: impl std::fmt::Display) -> Error {
        let (file, line) = self.place();
        Error::refused(format_args!("{file}:{line} - Error during parsing: {text}"))
    }

    /// Another token was expected.
    pub fn syntax_error(&self, expected: &str) -> Error {
        let ((file, line), text) = (self.place(), self.text());
        Error::refused(format_args!(
            "{file}:{line} - Syntax error: Unexpected token '{text}', expecting '{expected}'"
        ))
    }

    /// Too many arguments, or too few.
    pub fn arg_error(&self) -> Error {
        match self.text() {
            "{" => self.error("Unexpected token '{', expecting argument"),
            text => self.error(format_args!("Wrong argument count or unexpected line ending after '{text}'")),
        }
    }

    /// Something of CoreDNS that is not simulated.
    pub fn not_simulated(&self, what: impl Into<String>) -> Error {
        let (file, line) = self.place();
        Error::NotSimulated { file: file.to_owned(), line, what: what.into() }
    }

    /// The rest of the line, which must be `count` words.
    pub fn exactly<const N: usize>(&mut self) -> Result<[String; N], Error> {
        <[String; N]>::try_from(self.remaining_args()).map_err(|_| self.arg_error())
    }

    /// One more word on this line.
    pub fn arg(&mut self) -> Result<String, Error> {
        if self.next_arg() { Ok(self.text().to_owned()) } else { Err(self.arg_error()) }
    }
}
