//! Words of a Corefile. Caddy: `caddyfile/lexer.go`.

use std::sync::Arc;

/// A word, or what stood between quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The imported file that it is from; none for the Corefile itself.
    pub file: Option<Arc<str>>,
    /// Its line, from 1: that of its opening quote.
    pub line: u32,
    /// What it says.
    pub text: String,
}

impl Token {
    /// How many lines end within it.
    pub fn line_breaks(&self) -> u32 {
        u32::try_from(self.text.matches('\n').count()).unwrap_or(u32::MAX)
    }

    /// Whether `next` begins on the line on which this one ends.
    pub fn shares_line(&self, next: &Self) -> bool {
        self.file == next.file && self.line.saturating_add(self.line_breaks()) == next.line
    }

    /// Whether `next` begins on a later line, or in another file.
    pub fn ends_line(&self, next: &Self) -> bool {
        self.file != next.file || self.line.saturating_add(self.line_breaks()) < next.line
    }
}

/// All words of a text. A word ends at white space; one that begins with `"` ends at the next one
/// that has no backslash before it; `#` begins a comment wherever it is outside quotes.
pub(super) fn words(text: &str, file: Option<&Arc<str>>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut chars = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    while let Some(first) = chars.next() {
        let mut token = Token { file: file.cloned(), line, text: String::new() };
        match first {
            '\n' => line += 1,
            '#' => while chars.next_if(|&c| c != '\n').is_some() {},
            '"' => {
                let closed = quoted(&mut chars, &mut token.text);
                line += token.line_breaks();
                if closed || !token.text.is_empty() {
                    tokens.push(token);
                }
            }
            c if c.is_whitespace() => {}
            c => {
                token.text.push(c);
                while let Some(c) = chars.next_if(|&c| c != '#' && (c == '\r' || !c.is_whitespace())) {
                    if c != '\r' {
                        token.text.push(c);
                    }
                }
                tokens.push(token);
            }
        }
    }
    tokens
}

/// Reads up to the closing quote; answers whether there is one.
fn quoted(chars: &mut impl Iterator<Item = char>, text: &mut String) -> bool {
    let mut is_escaped = false;
    for c in chars {
        match (is_escaped, c) {
            (false, '\\') => {
                is_escaped = true;
                continue;
            }
            (false, '"') => return true,
            (true, c) if c != '"' => text.push('\\'),
            _ => {}
        }
        text.push(c);
        is_escaped = false;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_lines() {
        for (text, expected) in [
            ("host:123", "1 host:123"),
            ("host:123\n\n\tdirective", "1 host:123|3 directive"),
            ("host:123 {\n\tdirective\n}", "1 host:123|1 {|2 directive|3 }"),
            ("h {\n#comment\nd\n# c\nfoo # another\n}", "1 h|1 {|3 d|5 foo|6 }"),
            ("foo#bar baz\nx", "1 foo|2 x"),
            ("a \"quoted value\" b\nfoobar", "1 a|1 quoted value|1 b|2 foobar"),
            (r#"A "quoted \"value\" inside" B"#, r#"1 A|1 quoted "value" inside|1 B"#),
            (r#""don't\escape""#, r"1 don't\escape"),
            (r#""don't\\escape""#, r"1 don't\\escape"),
            ("A \"a line\n\tbreak\" {\nfoo\n}", "1 A|1 a line\n\tbreak|2 {|3 foo|4 }"),
            ("empty \"\" string", "1 empty|1 |1 string"),
            ("skip those\r\nCR characters", "1 skip|1 those|2 CR|2 characters"),
            ("\u{feff}:8080", "1 :8080"),
            ("\"open", "1 open"),
        ] {
            let found: Vec<String> =
                words(text, None).iter().map(|token| format!("{} {}", token.line, token.text)).collect();
            assert_eq!(found.join("|"), expected, "{text:?}");
        }
    }
}
