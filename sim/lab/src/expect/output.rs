//! Judging what a command printed.

use std::time::Duration;

use regex::{Regex, RegexBuilder};
use similar::TextDiff;

use super::Verdict;
use crate::error::Problem;

/// `^` and `$` stand for the ends of lines.
pub(super) fn regex(pattern: &str) -> Result<Regex, Problem> {
    RegexBuilder::new(pattern).multi_line(true).build().map_err(|error| {
        // The library's message shows the pattern and points into it; its last line says what is
        // wrong.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        Problem::Regex { pattern: pattern.to_owned(), why: last.trim_start_matches("error: ").to_owned() }
    })
}

/// A duration as a person writes it.
pub(super) fn duration(text: &str) -> Result<Duration, Problem> {
    humantime::parse_duration(text).map_err(|_| Problem::Invalid {
        value: text.to_owned(),
        expected: "a duration such as `5ms`, `300us` or `1s 200ms`",
    })
}

/// The text without blanks at the ends of its lines and without empty lines at both ends.
fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Whether both are the same but for blanks at the ends of lines.
pub(super) fn judge_equals(seen: &str, expected: &str) -> Verdict {
    let (seen, expected) = (trimmed(seen), trimmed(expected));
    Verdict::of(seen == expected, || {
        let diff = TextDiff::from_lines(&expected, &seen);
        let lines: Vec<String> = diff
            .iter_all_changes()
            .map(|change| format!("{} {}", change.tag(), change.value().trim_end_matches('\n')))
            .collect();
        format!("the output differs (- expected, + printed):\n{}", lines.join("\n"))
    })
}

/// What was printed, for a message.
pub(super) fn quoted(output: &str) -> String {
    let text = trimmed(output);
    if text.is_empty() {
        "the command printed nothing".to_owned()
    } else {
        format!("the command printed:\n{text}")
    }
}
