use std::sync::{Arc, OnceLock};

/// A shared piece of a parsed script.
pub(super) type Tree = Arc<Node>;

/// A command of the shell's grammar.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Assignments, words and redirections; any of them may be missing.
    Simple(Simple),
    /// `a | b`; at least two.
    Pipe(Vec<Tree>),
    /// `a && b`.
    And(Tree, Tree),
    /// `a || b`.
    Or(Tree, Tree),
    /// `! a`.
    Not(Tree),
    /// Commands one after another.
    Seq(Vec<Tree>),
    /// `a &`, and its text.
    Background(Tree, String),
    /// `( a )`.
    Subshell(Tree),
    /// A compound command with redirections.
    Redirected(Tree, Vec<Redirect>),
    /// `if`, `then`, `else`.
    If { condition: Tree, then: Tree, otherwise: Option<Tree> },
    /// `while`, or `until`.
    Loop { condition: Tree, body: Tree, until: bool },
    /// `for`; without words, over the positional parameters.
    For { line: usize, variable: String, words: Option<Vec<Word>>, body: Tree },
    /// `case`: the patterns and the command of each arm.
    Case { line: usize, subject: Word, arms: Vec<(Vec<Word>, Option<Tree>)> },
    /// `name() body`.
    Function { name: String, body: Tree },
}

/// A simple command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Simple {
    /// Line of its first word, from 1.
    pub line: usize,
    /// `name=word` before the first word.
    pub assignments: Vec<(String, Word)>,
    /// Name and arguments.
    pub words: Vec<Word>,
    /// In the order written.
    pub redirects: Vec<Redirect>,
}

/// A redirection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    /// Line, from 1.
    pub line: usize,
    /// The descriptor that changes.
    pub fd: u32,
    /// What it becomes.
    pub target: Target,
}

/// What a descriptor becomes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `< word`.
    Read(Word),
    /// `> word`, `>| word`.
    Write(Word),
    /// `>> word`.
    Append(Word),
    /// `<> word`.
    ReadWrite(Word),
    /// `<& word`, `>& word`: a number or `-`.
    Duplicate(Word),
    /// `<<`; its text is known once the line has been read.
    Here(Arc<OnceLock<Word>>),
}

/// A word: parts that are expanded and joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(pub Vec<Part>);

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Unquoted text: may hold pattern characters.
    Bare(String),
    /// Quoted text, taken as it is; empty for `""`.
    Quoted(String),
    /// `$name` or `${name...}`.
    Param(Box<Param>),
    /// `$(...)` or backquotes.
    Command { tree: Option<Tree>, quoted: bool },
    /// `$((...))`.
    Arith { word: Word, quoted: bool },
}

/// A parameter expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Param {
    /// A variable's name, digits, or one of `@*#?-$!`.
    pub name: String,
    /// What is done with its value.
    pub op: ParamOp,
    /// Whether it stands in double quotes.
    pub quoted: bool,
    /// Line, from 1.
    pub line: usize,
}

/// What a parameter expansion does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ParamOp {
    /// `$x`.
    Plain,
    /// `${#x}`.
    Length,
    /// `${x-w}`, `${x:-w}`.
    Default { word: Word, colon: bool },
    /// `${x=w}`, `${x:=w}`.
    Assign { word: Word, colon: bool },
    /// `${x?w}`, `${x:?w}`.
    Error { word: Word, colon: bool },
    /// `${x+w}`, `${x:+w}`.
    Alternative { word: Word, colon: bool },
    /// `${x%w}`, `${x%%w}`.
    TrimSuffix { pattern: Word, longest: bool },
    /// `${x#w}`, `${x##w}`.
    TrimPrefix { pattern: Word, longest: bool },
    /// `${x!}` and kin: refused when it is expanded.
    Bad,
}

impl Word {
    /// The text if nothing in it is quoted or expanded: reserved words, here-document marks.
    pub(super) fn bare(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Bare(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it begins with `name=`: as an argument of `export` it is not split.
    pub(super) fn is_assignment(&self) -> bool {
        match self.0.first() {
            Some(Part::Bare(text)) => {
                text.split_once('=').is_some_and(|(name, _)| super::parse::is_name(name))
            }
            _ => false,
        }
    }

    /// Whether expanding it neither runs a command nor changes a variable.
    pub(super) fn is_pure(&self) -> bool {
        self.0.iter().all(|part| match part {
            Part::Bare(_) | Part::Quoted(_) => true,
            Part::Param(param) => match &param.op {
                ParamOp::Plain | ParamOp::Length => true,
                ParamOp::Default { word, .. } | ParamOp::Alternative { word, .. } => word.is_pure(),
                ParamOp::TrimSuffix { pattern, .. } | ParamOp::TrimPrefix { pattern, .. } => {
                    pattern.is_pure()
                }
                ParamOp::Assign { .. } | ParamOp::Error { .. } | ParamOp::Bad => false,
            },
            Part::Command { .. } | Part::Arith { .. } => false,
        })
    }
}
