//! A console block: what is typed and what is printed.

use tools::shell::{ParseStatus, parse_status};

/// A command of a console block, and what the page says it prints.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Line of the page, from 1.
    pub line: usize,
    /// `$` for the real shell, else `host` or `host/namespace`.
    pub place: String,
    /// What is typed, over several lines if the shell asks for more.
    pub command: String,
    /// The lines below it.
    pub expected: Vec<String>,
}

/// The line that stands for any lines.
pub const ELISION: &str = "…";

/// Takes a block's lines apart; `first` is the number of the first one.
///
/// # Errors
/// Output without a command.
pub fn entries(lines: &[&str], first: usize) -> Result<Vec<Entry>, (usize, String)> {
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let number = first + number;
        let last = entries.last_mut();
        if let Some((place, command)) = typed(line) {
            let (place, command) = (place.to_owned(), command.to_owned());
            entries.push(Entry { line: number, place, command, expected: Vec::new() });
        } else if let Some(entry) = last {
            match line.strip_prefix("> ") {
                Some(more) if entry.expected.is_empty() && asks_for_more(&entry.command) => {
                    entry.command.push('\n');
                    entry.command.push_str(more);
                }
                _ => entry.expected.push((*line).to_owned()),
            }
        } else {
            return Err((number, "a console block begins with a command: `$ …` or `host# …`".to_owned()));
        }
    }
    Ok(entries)
}

fn asks_for_more(command: &str) -> bool {
    parse_status(&format!("{command}\n")) == ParseStatus::Incomplete || command.ends_with('\\')
}

/// Place and command of a line that is typed.
fn typed(line: &str) -> Option<(&str, &str)> {
    if let Some(command) = line.strip_prefix("$ ") {
        return Some(("$", command));
    }
    let (prompt, command) = line.split_once("# ")?;
    let place = prompt.split(':').next().unwrap_or_default();
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    (place.split('/').count() <= 2 && place.split('/').all(is_name)).then_some((place, command))
}

/// Whether `actual` is what `expected` says, where `…` stands for any lines.
pub fn fits(expected: &[String], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first == ELISION => (0..=actual.len()).any(|skip| fits(rest, &actual[skip..])),
        Some((first, rest)) => {
            actual.split_first().is_some_and(|(line, others)| line == first && fits(rest, others))
        }
    }
}

#[test]
fn blocks_are_taken_apart() {
    let lines =
        ["$ hoplab run x", "# a comment", "web/a# for x in 1; do", "> echo $x", "> done", "1", "b:/tmp# ls"];
    let entries = entries(&lines, 7).expect("a block");
    let seen: Vec<(usize, &str, &str, usize)> =
        entries.iter().map(|e| (e.line, e.place.as_str(), e.command.as_str(), e.expected.len())).collect();
    assert_eq!(
        seen,
        [(7, "$", "hoplab run x", 1), (9, "web/a", "for x in 1; do\necho $x\ndone", 1), (13, "b", "ls", 0),]
    );
}

#[test]
fn elisions_stand_for_any_lines() {
    let check = |expected: &[&str], actual: &[&str], held: bool| {
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(fits(&expected, actual), held, "{expected:?} {actual:?}");
    };
    check(&["a", "…", "d"], &["a", "b", "c", "d"], true);
    check(&["a", "…", "d"], &["a", "d"], true);
    check(&["…", "b", "…"], &["a", "b"], true);
    check(&["…", "b"], &["b", "c"], false);
    check(&[], &["a"], false);
}
