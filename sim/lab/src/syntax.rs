//! ron's complaints, in words that say what was expected and what is nearest.

use std::ops::Range;
use std::path::Path;

use ron::error::{Error, Position, SpannedError};
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

use crate::error::{FileError, Place, Problem, nearest};
use crate::place::{Places, Shape};

/// Reads and parses a RON file; also answers its text, for later checks.
///
/// # Errors
/// The file, the place, what was expected there, and the nearest name that would do.
pub(crate) fn read_ron<T: DeserializeOwned>(file: &Path) -> Result<(T, String), FileError> {
    let text = read_text(file)?;
    let value = read_ron_text(file, &text)?;
    Ok((value, text))
}

/// Reads a file.
///
/// # Errors
/// It can't be read.
pub(crate) fn read_text(file: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(file)
        .map_err(|error| FileError::new(file, Problem::Unreadable(error.to_string())))
}

/// Parses the text of a RON file.
///
/// # Errors
/// As [`read_ron`].
pub(crate) fn read_ron_text<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, FileError> {
    parse_ron(text).map_err(|(span, problem)| FileError {
        place: Some(Place::new(text, span)),
        ..FileError::new(file, problem)
    })
}

/// How our files are written: an optional field without `Some`.
pub(crate) fn ron_options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

/// Parses a text; what is wrong with it comes with the bytes where.
fn parse_ron<T: DeserializeOwned>(text: &str) -> Result<T, (Range<usize>, Problem)> {
    let places = Places::scan(text);
    let value = ron_options().from_str(text).map_err(|error| {
        let span = place_of(&error, text, &places);
        (span.clone(), problem_of(&error.code, text, &places, span.start))
    })?;
    match twice(text, &places) {
        Some((span, problem)) => Err((span, problem)),
        None => Ok(value),
    }
}

/// A key that a map has twice: ron keeps the last one and says nothing.
fn twice(text: &str, places: &Places<'_>) -> Option<(Range<usize>, Problem)> {
    let maps = places.nodes().into_iter().filter_map(|node| match &node.shape {
        Shape::Map(entries) => Some(entries),
        _ => None,
    });
    maps.flat_map(|entries| {
        let keys: Vec<_> = entries.iter().map(|(key, _)| (key.string(text), key.head.clone())).collect();
        (1..keys.len()).filter_map(move |i| {
            let first = keys[..i].iter().find(|(name, _)| name.is_some() && *name == keys[i].0)?;
            let line = Place::new(text, first.1.clone()).line;
            let what = format!("`{}`", first.0.as_deref().unwrap_or(""));
            let problem =
                Problem::Duplicate { what, first: format!("a key of this map (line {line})"), hint: None };
            Some((keys[i].1.clone(), problem))
        })
    })
    .next()
}

/// What an error of ron means: its cursor stands before or behind it, by turns.
fn place_of(error: &SpannedError, text: &str, places: &Places<'_>) -> Range<usize> {
    let (start, end) = (byte_of(text, error.span.start), byte_of(text, error.span.end));
    match error.code {
        Error::MissingStructField { .. } | Error::ExpectedDifferentLength { .. } => {
            enclosing(places, end).map_or(end..end, |node| node.head.clone())
        }
        // The value has been passed, perhaps with the blanks behind it.
        Error::InvalidValueForType { .. } => {
            let passed = places.nodes().into_iter().filter(|node| node.span.end <= end);
            passed.max_by_key(|node| node.span.end).map_or(end..end, |node| node.head.clone())
        }
        Error::InvalidEscape(_) => {
            let start = text[..end].rfind('\\').unwrap_or(start);
            start..end
        }
        _ => {
            let passed = text.get(start..end).unwrap_or("");
            let meant = match passed.trim_start() {
                "" => end + blank(&text[end..]),
                word => end - word.len(),
            };
            head_at(places, meant).unwrap_or(meant..meant)
        }
    }
}

/// The name, text or number that stands at this byte.
fn head_at(places: &Places<'_>, byte: usize) -> Option<Range<usize>> {
    let nodes = places.nodes();
    let names = nodes.iter().flat_map(|node| match &node.shape {
        Shape::Struct(fields) => fields.iter().map(|(name, _)| name.clone()).collect(),
        _ => Vec::new(),
    });
    nodes.iter().map(|node| node.head.clone()).chain(names).find(|head| head.contains(&byte))
}

/// The innermost value with parentheses around this byte.
fn enclosing<'p>(places: &'p Places<'_>, byte: usize) -> Option<&'p crate::place::Node> {
    let nodes = places.nodes().into_iter();
    nodes
        .filter(|node| matches!(node.shape, Shape::Struct(_) | Shape::Tuple(_)))
        .rfind(|node| node.span.contains(&byte))
}

/// The length of the blanks and line comments that a text begins with.
fn blank(text: &str) -> usize {
    let mut rest = text.trim_start();
    while let Some((_, after)) = rest.strip_prefix("//").and_then(|comment| comment.split_once('\n')) {
        rest = after.trim_start();
    }
    text.len() - rest.len()
}

fn byte_of(text: &str, position: Position) -> usize {
    let lines = text.split_inclusive('\n').take(position.line - 1);
    let line = lines.map(str::len).sum();
    let rest = &text[line..];
    line + rest.char_indices().nth(position.col - 1).map_or(rest.len(), |(byte, _)| byte)
}

fn problem_of(code: &Error, text: &str, places: &Places<'_>, at: usize) -> Problem {
    let found = found(text, at);
    let expected = |what: &str| format!("expected {what}, found {found}");
    let struct_name = |outer: &Option<String>| {
        let name = enclosing(places, at).and_then(|node| node.name(text)).map(str::to_owned);
        name.or_else(|| outer.clone()).map_or(String::new(), |name| format!(" in `{name}`"))
    };
    let mut hint = None;
    let message = match code {
        Error::NoSuchStructField { expected, found, outer } => {
            hint = nearest(found, expected.iter().copied());
            let one_of = if expected.is_empty() { "no field".to_owned() } else { one_of(expected) };
            format!("unknown field `{found}`{}; expected {one_of}", struct_name(outer))
        }
        Error::NoSuchEnumVariant { expected, found, .. } => {
            hint = nearest(found, expected.iter().copied());
            format!("unknown name `{found}`; expected {}", one_of(expected))
        }
        Error::ExpectedDifferentStructName { expected, found } => {
            hint = nearest(found, [*expected]);
            format!("expected `{expected}(…)`, found `{found}`")
        }
        Error::MissingStructField { field, outer } => {
            format!("the field `{field}` is missing{}", struct_name(outer))
        }
        Error::DuplicateStructField { field, outer } => {
            format!("the field `{field}` is there twice{}", struct_name(outer))
        }
        Error::InvalidValueForType { expected: what, found } => match found.strip_prefix("the string ") {
            Some(text) => format!("expected {what}, found {text}"),
            None => expected(what),
        },
        Error::ExpectedDifferentLength { expected, found } => {
            format!("expected {expected}, found {found} items")
        }
        Error::ExpectedNamedStructLike(name) if !name.is_empty() => expected(&format!("`{name}(…)`")),
        Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) => expected("`(…)`"),
        Error::ExpectedMap => expected("a map `{…}`"),
        Error::ExpectedArray => expected("a list `[…]`"),
        Error::ExpectedString => expected("a text in quotes"),
        Error::ExpectedInteger => expected("a whole number"),
        Error::ExpectedFloat => expected("a number"),
        Error::ExpectedBoolean => expected("`true` or `false`"),
        Error::ExpectedIdentifier => expected("a name without quotes"),
        Error::ExpectedMapColon => expected("`:`"),
        Error::ExpectedComma
        | Error::ExpectedStructLikeEnd
        | Error::ExpectedArrayEnd
        | Error::ExpectedMapEnd => {
            let open = places.unclosed.and_then(|open| text[open..].chars().next());
            match open {
                Some('[') => expected("`,` or `]`"),
                Some('{') => expected("`,` or `}`"),
                Some(_) => expected("`,` or `)`"),
                None => expected("`)`"),
            }
        }
        Error::ExpectedStringEnd => "this text has no closing quote".to_owned(),
        Error::Eof => "the file ends too early".to_owned(),
        Error::TrailingCharacters => format!("expected the end of the file, found {found}"),
        Error::IntegerOutOfBounds => "the number doesn't fit".to_owned(),
        Error::UnclosedBlockComment => "this comment has no end".to_owned(),
        Error::ExceededRecursionLimit => "the file is nested too deeply".to_owned(),
        other => {
            let message = other.to_string();
            let mut chars = message.chars();
            chars.next().map_or(String::new(), |c| c.to_lowercase().chain(chars).collect())
        }
    };
    let hint =
        hint.map(|name| format!("did you mean `{name}`?")).or_else(|| unclosed(code, text, places, at));
    Problem::Syntax { message, hint }
}

/// Names the bracket that was left open, unless it stands on the same line.
fn unclosed(code: &Error, text: &str, places: &Places<'_>, at: usize) -> Option<String> {
    use Error::{
        Eof, ExpectedArrayEnd, ExpectedComma, ExpectedMapColon, ExpectedMapEnd, ExpectedStructLikeEnd,
    };
    matches!(
        code,
        Eof | ExpectedArrayEnd | ExpectedComma | ExpectedMapColon | ExpectedMapEnd | ExpectedStructLikeEnd
    )
    .then_some(())?;
    // Where a value follows, a comma is missing rather than a bracket.
    text[at..].chars().next().is_none_or(|c| ")]}".contains(c)).then_some(())?;
    let open = Place::new(text, places.unclosed?..places.unclosed?);
    let bracket = open.text.chars().nth(open.column - 1)?;
    (open.line != Place::new(text, at..at).line)
        .then(|| format!("the `{bracket}` of line {}, column {}, is still open", open.line, open.column))
}

/// What stands at this byte, in words.
fn found(text: &str, at: usize) -> String {
    let rest = &text[at..];
    let Some(first) = rest.chars().next() else { return "the end of the file".to_owned() };
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    match first {
        '"' => "a text in quotes".to_owned(),
        '[' => "a list".to_owned(),
        '{' => "a map".to_owned(),
        _ if word > 0 => format!("`{}`", &rest[..word]),
        other => format!("`{other}`"),
    }
}

fn one_of(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [one] => one.clone(),
        _ => format!("one of {}", names.join(", ")),
    }
}
