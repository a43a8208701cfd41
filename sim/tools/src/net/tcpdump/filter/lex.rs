//! Words and signs of a filter.

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, an address, a number: whatever has no sign in it.
    Word(String),
    /// A name after a backslash: never a keyword.
    Escaped(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

const SIGNS: [&str; 24] = [
    "&&", "||", "<<", ">>", "<=", ">=", "==", "!=", "&", "|", "!", "(", ")", "[", "]", ":", "+", "-", "*",
    "/", "%", "^", "<", ">",
];

/// Takes a filter apart; `None` at a character that means nothing.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_alphanumeric() {
            let len = mac_len(rest).unwrap_or_else(|| word_len(rest));
            tokens.push(Token::Word(rest[..len].to_owned()));
            rest = &rest[len..];
        } else if let Some(word) = rest.strip_prefix('\\') {
            let len = word
                .find(|c: char| c.is_whitespace() || c == '(' || c == ')' || c == '!')
                .unwrap_or(word.len());
            tokens.push(Token::Escaped(word[..len].to_owned()));
            rest = &word[len..];
        } else if let Some(more) = rest.strip_prefix('=').filter(|more| !more.starts_with('=')) {
            tokens.push(Token::Sign("=="));
            rest = more;
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        }
        rest = rest.trim_start();
    }
    Some(tokens)
}

fn word_len(text: &str) -> usize {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    text[..end].trim_end_matches(['-', '_']).len()
}

/// Six hexadecimal bytes joined by colons.
fn mac_len(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !(c.is_ascii_hexdigit() || c == ':')).unwrap_or(text.len());
    text[..end].parse::<packet::MacAddr>().is_ok().then_some(end)
}
