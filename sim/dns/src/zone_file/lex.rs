//! The words of a master file. Source: BIND's `isc_lex`.

use super::Fault;

/// A word, or what is between words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Space at the beginning of a line.
    Indent,
    /// A word, with its backslashes.
    Word(Vec<u8>),
    /// What was between quotes, with its backslashes.
    Quoted(Vec<u8>),
    /// The end of a line that no parenthesis is open in.
    EndOfLine,
    /// The end.
    EndOfFile,
}

/// Whether quotes mean something where a word is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// They enclose a string.
    Enclose,
    /// They are part of a word.
    Plain,
}

/// Goes through the words.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The line of the next byte, from 1.
    line: usize,
    depth: usize,
    line_start: bool,
    /// Where the last token began, to go back to.
    before: (usize, usize, usize, bool),
}

impl<'a> Lexer<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1, depth: 0, line_start: true, before: (0, 1, 0, true) }
    }

    /// The line that is read.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Goes back to before the last token.
    pub fn unget(&mut self) {
        (self.at, self.line, self.depth, self.line_start) = self.before;
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next token.
    pub fn next(&mut self, quotes: Quotes) -> Result<Token, Fault> {
        self.before = (self.at, self.line, self.depth, self.line_start);
        let indent = std::mem::take(&mut self.line_start);
        let start = self.at;
        loop {
            let Some(byte) = self.peek() else {
                if self.depth > 0 {
                    self.depth = 0;
                    return Err(Fault::Parentheses);
                }
                return Ok(Token::EndOfFile);
            };
            match byte {
                b' ' | b'\t' => {
                    self.at += 1;
                    if indent && self.at == start + 1 {
                        while matches!(self.peek(), Some(b' ' | b'\t')) {
                            self.at += 1;
                        }
                        return Ok(Token::Indent);
                    }
                }
                b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    if self.depth == 0 {
                        self.line_start = true;
                        return Ok(Token::EndOfLine);
                    }
                }
                b';' => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                b'(' => {
                    self.at += 1;
                    self.depth += 1;
                }
                b')' => {
                    self.at += 1;
                    match self.depth.checked_sub(1) {
                        Some(depth) => self.depth = depth,
                        None => return Err(Fault::Parentheses),
                    }
                }
                b'"' if quotes == Quotes::Enclose => {
                    let text = self.quoted();
                    if text.is_err() {
                        self.unget();
                    }
                    return text;
                }
                _ => return Ok(self.word(quotes)),
            }
        }
    }

    fn quoted(&mut self) -> Result<Token, Fault> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.peek() {
                None | Some(b'\n') => return Err(Fault::Quotes),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Token::Quoted(text));
                }
                Some(b'\\') => {
                    text.push(b'\\');
                    self.at += 1;
                    match self.peek() {
                        None | Some(b'\n') => return Err(Fault::Quotes),
                        Some(byte) => text.push(byte),
                    }
                    self.at += 1;
                }
                Some(byte) => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn word(&mut self, quotes: Quotes) -> Token {
        let mut text = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' => break,
                b'"' if quotes == Quotes::Enclose => break,
                b'\\' => {
                    text.push(byte);
                    self.at += 1;
                    match self.peek() {
                        Some(byte) if byte != b'\n' => text.push(byte),
                        _ => break,
                    }
                }
                _ => text.push(byte),
            }
            self.at += 1;
        }
        Token::Word(text)
    }
}
