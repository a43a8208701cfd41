//! `rewrite`: queries' names are changed, and answers' back again.

use super::config::Pattern;

/// `rewrite [continue|stop] name [MATCH] FROM TO [answer …]…`. Names are texts in lower case that
/// end with a dot, but for patterns.
#[derive(Clone, Debug, PartialEq)]
pub struct NameRule {
    /// What happens after it has changed a name.
    pub after: After,
    /// Which names it changes.
    pub matches: Match,
    /// What takes the place of what matched; `{1}` is what the first group of a pattern matched.
    pub to: String,
    /// Whether answers get the asked name back.
    pub answers: Auto,
    /// Further changes of answers.
    pub rules: Vec<AnswerRule>,
}

/// What happens after a rule has changed a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// No further rule is looked at.
    Stop,
    /// The rest is.
    Continue,
}

/// Which names a rule changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// This one.
    Exact(String),
    /// Those that begin so.
    Prefix(String),
    /// Those that end so.
    Suffix(String),
    /// Those with this in them, wherever it is.
    Substring(String),
    /// Those that match; the whole name is replaced.
    Regex(Pattern),
}

/// Whether answers get the asked name back, in records' names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auto {
    /// They do: `exact` always, others with `answer auto`.
    Restored,
    /// They keep the name that was looked up.
    Kept,
}

/// `answer name|value FROM TO`.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerRule {
    /// What of a record it changes.
    pub field: Field,
    /// What it must match.
    pub from: Pattern,
    /// What takes its place; `{1}` is what the first group matched.
    pub to: String,
}

/// What of a record is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its name.
    Name,
    /// The name in its data.
    Value,
}
