use std::sync::{Arc, OnceLock};

use super::ast::{Node, Redirect, Simple, Target, Tree, Word};
use super::lex::{Keyword, PendingHere, RedirectOp, Token, unquote};
use super::syntax::SyntaxError;

/// How deep commands and expansions may nest.
const MAX_DEPTH: usize = 100;

/// A recursive-descent parser with the structure of dash's, so that it accepts what dash accepts
/// and says what dash says.
///
/// It is our own rather than the crate `brush-parser`: dash runs each line before it reads the
/// next one, so that `echo a` is run before a syntax error on line 2, and a prompt must tell
/// unfinished text from wrong text; brush parses whole programs and answers both with one error.
#[derive(Clone, Debug)]
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) pos: usize,
    pub(super) line: usize,
    /// Where the current token starts.
    pub(super) start: usize,
    pub(super) depth: usize,
    pub(super) here: Vec<PendingHere>,
    pub(super) open_here: bool,
    pub(super) open_line: bool,
    first_line: usize,
    pushed: Option<(Token, usize)>,
}

/// Which words of the next token are special.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Reserved words are words.
    Plain,
    /// Reserved words count.
    Keywords,
    /// Reserved words count and newlines are skipped.
    SkipNewlines,
}

/// Where a list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListKind {
    /// A line of the script: a newline ends it.
    Line,
    /// Inside a compound command: at least one command.
    Compound,
    /// After a pattern of `case`, or in `$(...)`: may be empty.
    MaybeEmpty,
}

type Parsed<T> = Result<T, SyntaxError>;

impl<'a> Parser<'a> {
    /// A parser from byte `pos` on, which is in line `line`.
    pub(super) fn new(text: &'a str, pos: usize, line: usize) -> Self {
        Self {
            text,
            pos,
            line,
            start: pos,
            depth: 0,
            here: Vec::new(),
            open_here: false,
            open_line: false,
            first_line: line,
            pushed: None,
        }
    }

    /// Whether the text ended in a here-document or after a backslash.
    pub(super) fn is_open(&self) -> bool {
        self.open_here || self.open_line
    }

    /// The commands of the next line; `Some(None)` for an empty line, `None` at the end.
    pub(super) fn command_line(&mut self) -> Parsed<Option<Option<Tree>>> {
        let token = self.token(Look::Keywords)?;
        if token == Token::Eof {
            return Ok(None);
        }
        self.push(token);
        Ok(Some(self.list(ListKind::Line)?))
    }

    /// The whole text as one list.
    pub(super) fn whole(&mut self) -> Parsed<Option<Tree>> {
        let tree = self.list(ListKind::MaybeEmpty)?;
        match self.token(Look::Keywords)? {
            Token::Eof => Ok(tree),
            other => Err(self.unexpected(&other, None)),
        }
    }

    /// `$(...)` after its opening parenthesis.
    pub(super) fn substitution(&mut self) -> Parsed<Option<Tree>> {
        let (pushed, here, start) = (self.pushed.take(), std::mem::take(&mut self.here), self.start);
        let tree = self.list(ListKind::MaybeEmpty)?;
        self.expect(Token::Close)?;
        self.pushed = pushed;
        self.start = start;
        let inner = std::mem::replace(&mut self.here, here);
        self.here.extend(inner);
        Ok(tree)
    }

    /// Enters a nested construct.
    pub(super) fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SyntaxError {
                incomplete: false,
                ..self.error_here("Syntax error: nested too deeply")
            });
        }
        Ok(())
    }

    /// Leaves it.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    fn error_at(&self, at: usize, message: impl Into<String>, incomplete: bool) -> SyntaxError {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let after_start = self.text.get(..self.pos).unwrap_or(self.text);
        let newlines = |t: &str| t.bytes().filter(|&b| b == b'\n').count();
        SyntaxError {
            line: (self.line + newlines(before)).saturating_sub(newlines(after_start)).max(self.first_line),
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            message: message.into(),
            incomplete,
            reported: self.line,
        }
    }

    /// An error where the reader stands; incomplete at the end of the text.
    pub(super) fn error_here(&self, message: &str) -> SyntaxError {
        self.error_at(self.pos, message, self.pos >= self.text.len())
    }

    fn unexpected(&self, token: &Token, expected: Option<Token>) -> SyntaxError {
        let expecting = expected.map(|t| format!(" (expecting {})", t.name())).unwrap_or_default();
        self.error_at(
            self.start,
            format!("Syntax error: {} unexpected{expecting}", token.name()),
            *token == Token::Eof,
        )
    }

    fn push(&mut self, token: Token) {
        self.pushed = Some((token, self.start));
    }

    fn token(&mut self, look: Look) -> Parsed<Token> {
        loop {
            let token = match self.pushed.take() {
                Some((token, start)) => {
                    self.start = start;
                    token
                }
                None => self.lex()?,
            };
            match token {
                Token::Newline if look == Look::SkipNewlines => self.read_here_documents()?,
                Token::Word { word, raw } if look != Look::Plain => {
                    return Ok(match word.bare().and_then(Keyword::parse) {
                        Some(keyword) => Token::Keyword(keyword),
                        None => Token::Word { word, raw },
                    });
                }
                token => return Ok(token),
            }
        }
    }

    fn expect(&mut self, wanted: Token) -> Parsed<()> {
        let token = self.token(Look::Keywords)?;
        if token == wanted { Ok(()) } else { Err(self.unexpected(&token, Some(wanted))) }
    }

    fn expect_keyword(&mut self, wanted: Keyword) -> Parsed<()> {
        self.expect(Token::Keyword(wanted))
    }

    fn list(&mut self, kind: ListKind) -> Parsed<Option<Tree>> {
        let look = if kind == ListKind::Line { Look::Keywords } else { Look::SkipNewlines };
        let mut commands: Vec<Tree> = Vec::new();
        let done = |mut commands: Vec<Tree>| match commands.len() {
            0 | 1 => commands.pop(),
            _ => Some(Arc::new(Node::Seq(commands))),
        };
        loop {
            let token = self.token(look)?;
            match token {
                Token::Newline => {
                    self.read_here_documents()?;
                    return Ok(done(commands));
                }
                Token::Eof => {
                    self.read_here_documents()?;
                    self.push(Token::Eof);
                    return Ok(done(commands));
                }
                _ => {}
            }
            let may_end =
                kind == ListKind::MaybeEmpty || (kind == ListKind::Compound && !commands.is_empty());
            let ends = may_end && token.ends_list();
            self.push(token);
            if ends {
                return Ok(done(commands));
            }
            let from = self.start;
            let command = self.and_or()?;
            let token = self.token(Look::Plain)?;
            commands.push(if token == Token::Background {
                let text = self.text.get(from..self.start).unwrap_or_default().trim();
                Arc::new(Node::Background(command, text.to_owned()))
            } else {
                command
            });
            match token {
                Token::Background | Token::Semi => {}
                Token::Newline | Token::Eof => self.push(token),
                _ if kind == ListKind::Line => return Err(self.unexpected(&token, None)),
                _ => {
                    self.push(token);
                    return Ok(done(commands));
                }
            }
        }
    }

    /// A list that must not be empty.
    fn body(&mut self) -> Parsed<Tree> {
        Ok(self.list(ListKind::Compound)?.unwrap_or_else(|| Arc::new(Node::Seq(Vec::new()))))
    }

    fn and_or(&mut self) -> Parsed<Tree> {
        let mut left = self.pipeline(Look::Keywords)?;
        loop {
            let token = self.token(Look::Plain)?;
            if !matches!(token, Token::And | Token::Or) {
                self.push(token);
                return Ok(left);
            }
            let right = self.pipeline(Look::SkipNewlines)?;
            left = Arc::new(if token == Token::And { Node::And(left, right) } else { Node::Or(left, right) });
        }
    }

    fn pipeline(&mut self, look: Look) -> Parsed<Tree> {
        let token = self.token(look)?;
        let negated = token == Token::Keyword(Keyword::Not);
        if !negated {
            self.push(token);
        }
        let mut commands = vec![self.command(Look::Keywords)?];
        loop {
            let token = self.token(Look::Plain)?;
            if token != Token::Pipe {
                self.push(token);
                break;
            }
            commands.push(self.command(Look::SkipNewlines)?);
        }
        let tree = match commands.pop() {
            Some(only) if commands.is_empty() => only,
            last => {
                commands.extend(last);
                Arc::new(Node::Pipe(commands))
            }
        };
        Ok(if negated { Arc::new(Node::Not(tree)) } else { tree })
    }

    fn command(&mut self, look: Look) -> Parsed<Tree> {
        let token = self.token(look)?;
        if matches!(token, Token::Word { .. } | Token::Redirect { .. }) {
            self.push(token);
            return self.simple();
        }
        self.enter()?;
        let tree = match token {
            Token::Keyword(Keyword::If) => self.if_clause()?,
            Token::Keyword(Keyword::While) => self.loop_clause(false)?,
            Token::Keyword(Keyword::Until) => self.loop_clause(true)?,
            Token::Keyword(Keyword::For) => self.for_clause()?,
            Token::Keyword(Keyword::Case) => self.case_clause()?,
            Token::Open => {
                let body = self.body()?;
                self.expect(Token::Close)?;
                Arc::new(Node::Subshell(body))
            }
            Token::Keyword(Keyword::Begin) => {
                let body = self.body()?;
                self.expect_keyword(Keyword::End)?;
                body
            }
            other => return Err(self.unexpected(&other, None)),
        };
        self.leave();
        let mut redirects = Vec::new();
        loop {
            match self.token(Look::Keywords)? {
                Token::Redirect { fd, op } => redirects.push(self.redirect(fd, op)?),
                other => {
                    self.push(other);
                    break;
                }
            }
        }
        Ok(if redirects.is_empty() { tree } else { Arc::new(Node::Redirected(tree, redirects)) })
    }

    fn if_clause(&mut self) -> Parsed<Tree> {
        let mut clauses = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.body()?;
            self.expect_keyword(Keyword::Then)?;
            clauses.push((condition, self.body()?));
            match self.token(Look::Keywords)? {
                Token::Keyword(Keyword::Elif) => {}
                Token::Keyword(Keyword::Else) => {
                    otherwise = Some(self.body()?);
                    break;
                }
                other => {
                    self.push(other);
                    break;
                }
            }
        }
        self.expect_keyword(Keyword::Fi)?;
        for (condition, then) in clauses.into_iter().rev() {
            otherwise = Some(Arc::new(Node::If { condition, then, otherwise }));
        }
        Ok(otherwise.unwrap_or_else(|| Arc::new(Node::Seq(Vec::new()))))
    }

    fn loop_clause(&mut self, until: bool) -> Parsed<Tree> {
        let condition = self.body()?;
        self.expect_keyword(Keyword::Do)?;
        let body = self.body()?;
        self.expect_keyword(Keyword::Done)?;
        Ok(Arc::new(Node::Loop { condition, body, until }))
    }

    fn for_clause(&mut self) -> Parsed<Tree> {
        let token = self.token(Look::Plain)?;
        let line = self.line;
        let variable = match &token {
            Token::Word { word, .. } => word.bare().filter(|name| is_name(name)).map(str::to_owned),
            _ => None,
        };
        let Some(variable) = variable else {
            return Err(self.error_at(
                self.start,
                "Syntax error: Bad for loop variable",
                token == Token::Eof,
            ));
        };
        let mut words = None;
        match self.token(Look::SkipNewlines)? {
            Token::Keyword(Keyword::In) => {
                let mut list = Vec::new();
                loop {
                    match self.token(Look::Plain)? {
                        Token::Word { word, .. } => list.push(word),
                        Token::Newline | Token::Semi => break,
                        other => return Err(self.unexpected(&other, None)),
                    }
                }
                self.read_here_documents()?;
                words = Some(list);
            }
            Token::Semi => {}
            other => self.push(other),
        }
        let token = self.token(Look::SkipNewlines)?;
        if token != Token::Keyword(Keyword::Do) {
            return Err(self.unexpected(&token, Some(Token::Keyword(Keyword::Do))));
        }
        let body = self.body()?;
        self.expect_keyword(Keyword::Done)?;
        Ok(Arc::new(Node::For { line, variable, words, body }))
    }

    fn case_clause(&mut self) -> Parsed<Tree> {
        let a_word = || Token::Word { word: Word::default(), raw: String::new() };
        let subject = match self.token(Look::Plain)? {
            Token::Word { word, .. } => word,
            other => return Err(self.unexpected(&other, Some(a_word()))),
        };
        let line = self.line;
        let token = self.token(Look::SkipNewlines)?;
        if token != Token::Keyword(Keyword::In) {
            return Err(self.unexpected(&token, Some(Token::Keyword(Keyword::In))));
        }
        let mut arms = Vec::new();
        loop {
            let mut token = self.token(Look::SkipNewlines)?;
            if token == Token::Keyword(Keyword::Esac) {
                break;
            }
            if token == Token::Open {
                token = self.token(Look::Plain)?;
            }
            let mut patterns = Vec::new();
            loop {
                patterns.push(match token {
                    Token::Word { word, .. } => word,
                    Token::Keyword(keyword) => Word(vec![super::ast::Part::Bare(keyword.text().to_owned())]),
                    other => return Err(self.unexpected(&other, Some(Token::Close))),
                });
                token = self.token(Look::Plain)?;
                if token != Token::Pipe {
                    break;
                }
                token = self.token(Look::Plain)?;
            }
            if token != Token::Close {
                return Err(self.unexpected(&token, Some(Token::Close)));
            }
            let body = self.list(ListKind::MaybeEmpty)?;
            arms.push((patterns, body));
            match self.token(Look::SkipNewlines)? {
                Token::Keyword(Keyword::Esac) => break,
                Token::EndCase => {}
                other => return Err(self.unexpected(&other, Some(Token::EndCase))),
            }
        }
        Ok(Arc::new(Node::Case { line, subject, arms }))
    }

    fn simple(&mut self) -> Parsed<Tree> {
        let mut simple = Simple { line: self.line, ..Simple::default() };
        loop {
            match self.token(Look::Plain)? {
                Token::Word { word, raw } => {
                    match assignment(&word, &raw).filter(|_| simple.words.is_empty()) {
                        Some(assignment) => simple.assignments.push(assignment),
                        None => simple.words.push(word),
                    }
                }
                Token::Redirect { fd, op } => simple.redirects.push(self.redirect(fd, op)?),
                Token::Open
                    if simple.words.len() == 1
                        && simple.assignments.is_empty()
                        && simple.redirects.is_empty() =>
                {
                    return self.function(&simple);
                }
                other => {
                    self.push(other);
                    return Ok(Arc::new(Node::Simple(simple)));
                }
            }
        }
    }

    fn function(&mut self, simple: &Simple) -> Parsed<Tree> {
        let at = self.start;
        self.expect(Token::Close)?;
        let name = simple
            .words
            .first()
            .and_then(Word::bare)
            .filter(|n| is_name(n) && !super::builtin::is_special(n));
        let Some(name) = name.map(str::to_owned) else {
            return Err(self.error_at(at, "Syntax error: Bad function name", false));
        };
        self.enter()?;
        let body = self.command(Look::SkipNewlines)?;
        self.leave();
        Ok(Arc::new(Node::Function { name, body }))
    }

    fn redirect(&mut self, fd: Option<u32>, op: RedirectOp) -> Parsed<Redirect> {
        let (word, raw) = match self.token(Look::Plain)? {
            Token::Word { word, raw } => (word, raw),
            other => return Err(self.unexpected(&other, None)),
        };
        let (default, target) = match op {
            RedirectOp::Read => (0, Target::Read(word)),
            RedirectOp::Write => (1, Target::Write(word)),
            RedirectOp::Append => (1, Target::Append(word)),
            RedirectOp::ReadWrite => (0, Target::ReadWrite(word)),
            RedirectOp::DuplicateIn => (0, Target::Duplicate(word)),
            RedirectOp::DuplicateOut => (1, Target::Duplicate(word)),
            RedirectOp::Here { strip } => {
                let (delimiter, quoted) = unquote(&raw);
                let body = Arc::new(OnceLock::new());
                self.here.push(PendingHere { delimiter, quoted, strip, body: Arc::clone(&body) });
                (0, Target::Here(body))
            }
        };
        Ok(Redirect { line: self.line, fd: fd.unwrap_or(default), target })
    }
}

/// Whether a text is a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `name=word`, the name unquoted.
fn assignment(word: &Word, raw: &str) -> Option<(String, Word)> {
    use super::ast::Part;
    let (name, _) = raw.split_once('=')?;
    if !is_name(name) {
        return None;
    }
    let mut parts = word.0.clone();
    match parts.first_mut() {
        Some(Part::Bare(text)) => {
            let rest = text.strip_prefix(name)?.strip_prefix('=')?.to_owned();
            if rest.is_empty() {
                parts.remove(0);
            } else {
                *text = rest;
            }
        }
        _ => return None,
    }
    Some((name.to_owned(), Word(parts)))
}
