use super::parse::Parser;

/// Where and why a script can't be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// Line of the offending token, from 1.
    pub line: usize,
    /// Column of the offending token in characters, from 1.
    pub column: usize,
    /// dash's words, e.g. `Syntax error: "fi" unexpected (expecting "then")`.
    pub message: String,
    /// Whether the text ended too early, so that more lines may mend it.
    pub incomplete: bool,
    /// The line that dash names: where its reader stands, e.g. the line after a newline.
    pub(super) reported: usize,
}

/// Whether a text can be run as it is, e.g. to choose the continuation prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseStatus {
    /// Whole commands.
    Complete,
    /// The beginning of a command: more lines must follow.
    Incomplete,
    /// No continuation can make it right.
    Wrong(SyntaxError),
}

/// Judges a text without running it.
pub fn parse_status(text: &str) -> ParseStatus {
    let mut parser = Parser::new(text, 0, 1);
    loop {
        match parser.command_line() {
            Ok(Some(_)) => {}
            Ok(None) if parser.is_open() => return ParseStatus::Incomplete,
            Ok(None) => return ParseStatus::Complete,
            Err(error) if error.incomplete => return ParseStatus::Incomplete,
            Err(error) => return ParseStatus::Wrong(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_text_is_told_from_wrong_text() {
        for text in ["", "echo a", "if true; then echo; fi\n", "cat <<E\nx\nE\n", "# only a comment"] {
            assert_eq!(parse_status(text), ParseStatus::Complete, "{text:?}");
        }
        for text in [
            "if true",
            "for x in a; do",
            "echo 'a",
            "echo \"$(ls",
            "cat <<E\nx\n",
            "a |",
            "a &&\n",
            "f() {\n",
            "case x in",
            "a \\\n",
            "echo ${x",
            "echo $((1",
        ] {
            assert_eq!(parse_status(text), ParseStatus::Incomplete, "{text:?}");
        }
        for (text, line, column, message) in [
            ("if true; then fi", 1, 15, "Syntax error: \"fi\" unexpected"),
            ("echo a\necho b; done", 2, 9, "Syntax error: \"done\" unexpected"),
            ("while x; do y; fi", 1, 16, "Syntax error: \"fi\" unexpected (expecting \"done\")"),
            ("echo é | | x", 1, 10, "Syntax error: \"|\" unexpected"),
            ("for 1x in a; do", 1, 5, "Syntax error: Bad for loop variable"),
            ("echo >\n", 1, 7, "Syntax error: newline unexpected"),
        ] {
            match parse_status(text) {
                ParseStatus::Wrong(e) => {
                    assert_eq!((e.line, e.column, e.message.as_str()), (line, column, message), "{text:?}")
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
