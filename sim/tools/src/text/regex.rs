//! POSIX regular expressions, translated for the crate `regex`.
//!
//! Simplified: among alternatives the first that matches wins, not the longest; there are no back
//! references.

use regex::bytes::{Regex, RegexBuilder};

/// Which syntax a pattern is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `\(`, `\{` and `\|` are special.
    Basic,
    /// `(`, `{`, `|`, `+`, `?` are special.
    Extended,
    /// Nothing is special.
    Fixed,
}

/// Compiles a pattern, or says what is wrong with it as the C library does.
pub(super) fn compile(pattern: &str, syntax: Syntax, ignore_case: bool) -> Result<Regex, String> {
    build(&translate(pattern, syntax)?, ignore_case)
}

/// Compiles a translated pattern.
pub(super) fn build(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(ignore_case)
        .dot_matches_new_line(true)
        .size_limit(1 << 22)
        .build()
        .map_err(|_| "Invalid regular expression".to_owned())
}

/// Rewrites a pattern in the syntax of the crate.
pub(super) fn translate(pattern: &str, syntax: Syntax) -> Result<String, String> {
    let mut out = String::new();
    let extended = match syntax {
        Syntax::Fixed => {
            pattern.chars().for_each(|c| literal(c, &mut out));
            return Ok(out);
        }
        Syntax::Basic => false,
        Syntax::Extended => true,
    };
    let chars: Vec<char> = pattern.chars().collect();
    let mut depth = 0_u32;
    let mut i = 0;
    // Whether an expression may begin here, so that `*` and `^` are ordinary or an anchor.
    let mut start = true;
    while let Some(&c) = chars.get(i) {
        i += 1;
        let next = chars.get(i).copied();
        let escaped = c == '\\';
        let (special, c) = match (escaped, next) {
            (true, None) => return Err("Trailing backslash".to_owned()),
            (true, Some(next)) => {
                i += 1;
                (!extended, next)
            }
            (false, _) => (extended, c),
        };
        let was_start = std::mem::replace(&mut start, false);
        match c {
            '(' if special => {
                out.push('(');
                depth += 1;
                start = true;
            }
            ')' if special && (depth > 0 || !extended) => {
                depth = depth.checked_sub(1).ok_or("Unmatched ) or \\)")?;
                out.push(')');
            }
            '|' if special => {
                out.push('|');
                start = true;
            }
            '{' if special && !(was_start && extended) => {
                let end = chars
                    .get(i..)
                    .and_then(|rest| rest.iter().position(|&c| c == '}'))
                    .ok_or("Unmatched { or \\{")?;
                let inside: String = chars.iter().skip(i).take(end).collect();
                let bounds = inside.trim_end_matches('\\');
                if bounds.is_empty() || !bounds.chars().all(|c| c.is_ascii_digit() || c == ',') {
                    return Err("Invalid content of \\{\\}".to_owned());
                }
                let bounds = if bounds.starts_with(',') { format!("0{bounds}") } else { bounds.to_owned() };
                out += &format!("{{{bounds}}}");
                i += end + 1;
            }
            '+' | '?' if special && !was_start => out.push(c),
            '*' if !escaped && !was_start => out.push('*'),
            '*' if !escaped && extended => start = true,
            '^' if !escaped && (extended || was_start) => {
                out.push('^');
                start = true;
            }
            '$' if !escaped && (extended || at_end(chars.get(i..).unwrap_or_default())) => out.push('$'),
            '.' if !escaped => out.push('.'),
            '[' if !escaped => i = bracket(&chars, i, &mut out)?,
            'w' | 'W' | 's' | 'S' | 'b' | 'B' if escaped => {
                out.push('\\');
                out.push(c);
            }
            '<' if escaped => out.push_str("\\b{start}"),
            '>' if escaped => out.push_str("\\b{end}"),
            'n' if escaped => out.push_str("\\n"),
            't' if escaped => out.push_str("\\t"),
            '1'..='9' if escaped => return Err("Invalid back reference".to_owned()),
            c => literal(c, &mut out),
        }
    }
    if depth > 0 {
        return Err("Unmatched ( or \\(".to_owned());
    }
    Ok(out)
}

/// Whether `$` is an anchor here in a basic expression.
fn at_end(rest: &[char]) -> bool {
    matches!(rest, [] | ['\\', ')' | '|', ..])
}

fn literal(c: char, out: &mut String) {
    // `\<` and `\>` are assertions.
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

/// A bracket expression after its `[`; answers where it ends.
fn bracket(chars: &[char], from: usize, out: &mut String) -> Result<usize, String> {
    const UNMATCHED: &str = "Unmatched [, [^, [:, [., or [=";
    let mut i = from;
    out.push('[');
    if chars.get(i) == Some(&'^') {
        out.push('^');
        i += 1;
    }
    let first = i;
    loop {
        let &c = chars.get(i).ok_or(UNMATCHED)?;
        if c == ']' && i > first {
            out.push(']');
            return Ok(i + 1);
        }
        if c == '[' && chars.get(i + 1) == Some(&':') {
            let rest = chars.get(i + 2..).unwrap_or_default();
            let end = rest.windows(2).position(|w| w == [':', ']']).ok_or(UNMATCHED)?;
            let name: String = rest.iter().take(end).collect();
            let known = "alnum alpha blank cntrl digit graph lower print punct space upper xdigit";
            if !known.split(' ').any(|k| k == name) {
                return Err("Invalid character class name".to_owned());
            }
            *out += &format!("[:{name}:]");
            i += 2 + end + 2;
            continue;
        }
        if chars.get(i + 1) == Some(&'-') && chars.get(i + 2).is_some_and(|&c| c != ']') {
            let &end = chars.get(i + 2).ok_or(UNMATCHED)?;
            if c > end {
                return Err("Invalid range end".to_owned());
            }
            literal(c, out);
            out.push('-');
            literal(end, out);
            i += 3;
            continue;
        }
        if c == '\\' && matches!(chars.get(i + 1), Some('n' | 't')) {
            // What sed and grep take for a newline and a tab.
            out.extend(["\\".to_owned(), chars.get(i + 1).copied().unwrap_or('n').to_string()]);
            i += 2;
            continue;
        }
        literal(c, out);
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posix_patterns_match_what_they_should() {
        use Syntax::{Basic, Extended, Fixed};
        let cases: [(&str, Syntax, &str, Option<&str>); 17] = [
            ("^[<>]", Basic, "> GET", Some(">")),
            ("Flags \\[[^]]*\\]", Basic, "x Flags [S.], y", Some("Flags [S.]")),
            ("mtu [0-9]*", Basic, "a mtu 1500 b", Some("mtu 1500")),
            ("a+", Basic, "aa+", Some("a+")),
            ("a\\+", Basic, "baa", Some("aa")),
            ("*a", Basic, "x*a", Some("*a")),
            ("^a\\|b$", Basic, "cb", Some("b")),
            ("a^b$c", Basic, "a^b$c", Some("a^b$c")),
            ("\\(ab\\)\\{2\\}", Basic, "xababab", Some("abab")),
            ("^(1|2) ", Extended, "2 x", Some("2 ")),
            ("a{2,}", Extended, "caaa", Some("aaa")),
            ("[[:digit:].]+", Extended, "v 10.0.0.1 x", Some("10.0.0.1")),
            ("[]a]*", Basic, "]a]b", Some("]a]")),
            ("\\<ab\\>", Basic, "cab ab", Some("ab")),
            ("a.c", Fixed, "abc a.c", Some("a.c")),
            ("10\\.0", Basic, "1000", None),
            ("[a-]", Basic, "-", Some("-")),
        ];
        for (pattern, syntax, text, expected) in cases {
            let regex = compile(pattern, syntax, false).unwrap_or_else(|e| panic!("{pattern}: {e}"));
            let found =
                regex.find(text.as_bytes()).map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned());
            assert_eq!(found.as_deref(), expected, "{pattern} on {text}");
        }
        assert_eq!(compile("[a", Basic, false).err().as_deref(), Some("Unmatched [, [^, [:, [., or [="));
        assert_eq!(compile("\\(a", Basic, false).err().as_deref(), Some("Unmatched ( or \\("));
    }
}
