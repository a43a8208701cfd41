//! YAML as kubectl prints it. Go: `gopkg.in/yaml.v2`, `emitterc.go`.

use std::cmp::Ordering;

use serde_json::Value;

/// Width after which a long text goes on in the next line, at a blank.
const WIDTH: usize = 80;

/// Prints a value as a document.
pub fn print(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_map(&mut text, map, 0, false),
        Value::Array(items) if !items.is_empty() => write_list(&mut text, items, 0, false),
        scalar => write_scalar(&mut text, scalar, 0),
    }
    text
}

fn indent(text: &mut String, by: usize) {
    text.extend(std::iter::repeat_n(' ', by));
}

/// Writes the pairs; the first one stands behind what is already in the line if `inline`.
fn write_map(text: &mut String, map: &serde_json::Map<String, Value>, level: usize, inline: bool) {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_by(|a, b| compare(a, b));
    for (number, key) in keys.into_iter().enumerate() {
        if number > 0 || !inline {
            indent(text, level);
        }
        text.push_str(&scalar(key, false, 0, usize::MAX));
        text.push(':');
        match &map[key] {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                write_map(text, inner, level + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                write_list(text, items, level, false);
            }
            value => {
                text.push(' ');
                write_scalar(text, value, level);
            }
        }
    }
}

fn write_list(text: &mut String, items: &[Value], level: usize, inline: bool) {
    for (number, item) in items.iter().enumerate() {
        if number > 0 || !inline {
            indent(text, level);
        }
        text.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => write_map(text, map, level + 2, true),
            Value::Array(inner) if !inner.is_empty() => write_list(text, inner, level + 2, true),
            value => write_scalar(text, value, level),
        }
    }
}

fn write_scalar(text: &mut String, value: &Value, level: usize) {
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count();
    match value {
        Value::Null => text.push_str("null"),
        Value::Object(_) => text.push_str("{}"),
        Value::Array(_) => text.push_str("[]"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) => {
            text.push_str(&scalar(string, true, level, column));
        }
    }
    text.push('\n');
}

/// The text of a string in the style that the library chooses.
fn scalar(string: &str, may_break: bool, level: usize, column: usize) -> String {
    let special = string.chars().any(|c| c.is_control() && c != '\n');
    let blank_before_break = string.contains(" \n") || string.ends_with(' ') && string.contains('\n');
    if string.contains('\n') && may_break && !special && !blank_before_break {
        return literal(string, level);
    }
    let column = if may_break { column } else { 0 };
    let width = if may_break { WIDTH } else { usize::MAX };
    if string.is_empty() || is_other_type(string) || special || string.contains('\n') {
        return fold(&double_quoted(string), level, column, width);
    }
    if plain_allowed(string) {
        return fold(string, level, column, width);
    }
    fold(&format!("'{}'", string.replace('\'', "''")), level, column, width)
}

fn literal(string: &str, level: usize) -> String {
    let mut text = "|".to_owned();
    if string.starts_with([' ', '\n']) {
        text.push('2');
    }
    let body = string.trim_end_matches('\n');
    match string.len() - body.len() {
        0 => text.push('-'),
        1 => {}
        _ => text.push('+'),
    }
    let lines = string.strip_suffix('\n').unwrap_or(string);
    for line in lines.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            indent(&mut text, level + 2);
            text.push_str(line);
        }
    }
    text
}

/// Goes on in the next line at the first blank after the width.
fn fold(string: &str, level: usize, column: usize, width: usize) -> String {
    let mut text = String::new();
    let mut column = column;
    let mut before = ' ';
    let mut rest = string.chars().peekable();
    while let Some(c) = rest.next() {
        let at_edge = text.is_empty() || rest.peek().is_none();
        if c == ' ' && before != ' ' && column > width && !at_edge && rest.peek() != Some(&' ') {
            text.push('\n');
            indent(&mut text, level + 2);
            column = level + 2;
        } else {
            text.push(c);
            column += 1;
        }
        before = c;
    }
    text
}

fn double_quoted(string: &str) -> String {
    let mut text = "\"".to_owned();
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            '\u{1b}' => text.push_str("\\e"),
            c if c.is_control() => text.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// Whether a string may stand without quotes in a block. Go: `yaml_emitter_analyze_scalar`.
fn plain_allowed(string: &str) -> bool {
    if string.starts_with("---")
        || string.starts_with("...")
        || string.starts_with(' ')
        || string.ends_with(' ')
    {
        return false;
    }
    let chars: Vec<char> = string.chars().collect();
    let blank = |at: usize| chars.get(at).is_none_or(|c| c.is_whitespace());
    chars.iter().enumerate().all(|(at, c)| match c {
        '#' => at > 0 && !blank(at - 1),
        ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => at > 0,
        '?' | '-' if at == 0 => !blank(at + 1),
        ':' => !blank(at + 1),
        _ => true,
    })
}

/// Whether a string without quotes would be read as something else. Go: `resolve`.
fn is_other_type(string: &str) -> bool {
    const WORDS: &[&str] = &[
        "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "n", "N", "no", "No", "NO",
        "false", "False", "FALSE", "off", "Off", "OFF", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN",
        ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", "<<",
    ];
    WORDS.contains(&string) || is_number(string) || is_time(string) || is_base_60(string)
}

fn is_number(string: &str) -> bool {
    if !string.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return false;
    }
    let plain = string.replace('_', "");
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    let based = [("0x", 16), ("0X", 16), ("0o", 8), ("0b", 2)].iter().any(|(prefix, radix)| {
        unsigned.strip_prefix(prefix).is_some_and(|digits| u64::from_str_radix(digits, *radix).is_ok())
    });
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let exponent = unsigned.get(mantissa.len() + 1..);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let float = match mantissa.split_once('.') {
        Some((whole, part)) => {
            (whole.is_empty() || digits(whole)) && (digits(part) || part.is_empty() && !whole.is_empty())
        }
        None => digits(mantissa),
    };
    let exponent =
        exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    based || float && exponent
}

/// `2006-1-2`, or with a time behind it.
fn is_time(string: &str) -> bool {
    let (date, time) = match string.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time.trim_start())),
        None => (string, None),
    };
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let date = digits(year, 4..=4) && digits(month, 1..=2) && digits(day, 1..=2);
    date && time
        .is_none_or(|time| time.split(':').count() >= 3 && time.starts_with(|c: char| c.is_ascii_digit()))
}

/// `10:30`: a number to base 60 in old YAML.
fn is_base_60(string: &str) -> bool {
    let mut parts = string.strip_prefix(['-', '+']).unwrap_or(string).split(':');
    let first = parts.next().unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut rest = parts.peekable();
    let more = rest.peek().is_some();
    more && digits(first)
        && rest.all(|part| {
            let whole = part.split('.').next().unwrap_or_default();
            digits(whole) && whole.len() <= 2 && whole.parse::<u8>().is_ok_and(|part| part < 60)
        })
}

/// The order of keys: numbers in names count as numbers. Go: `keyList.Less`.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for at in 0..a.len().min(b.len()) {
        let (x, y) = (a[at], b[at]);
        if x == y {
            continue;
        }
        match (x.is_alphabetic(), y.is_alphabetic()) {
            (true, true) => return x.cmp(&y),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        let number = |chars: &[char]| -> (u64, usize) {
            let digits = chars[at..].iter().map_while(|c| c.to_digit(10));
            digits
                .fold((0, 0), |(n, len), digit| (n.saturating_mul(10).saturating_add(digit.into()), len + 1))
        };
        return number(&a).cmp(&number(&b)).then(x.cmp(&y));
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_printed_as_go_prints_them() {
        let long = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available";
        let value = json!({
            "b": [{"name": "x", "args": ["-c", "echo: a", "a:b"]}, []],
            "a10": "true", "a2": "12", "a1": "", "time": "2026-11-21T10:00:00Z", "n": 5, "none": null,
            "text": "{\"a\":1}\n", "two": "x\ny", "star": "*", "long": long, "ip": "10.0.0.1", "e": {}, "colon": "a: b",
            "v": "1.30", "range": "10:30", "tab": "a\tb",
        });
        let expected = "\
a1: \"\"
a2: \"12\"
a10: \"true\"
b:
- args:
  - -c
  - 'echo: a'
  - a:b
  name: x
- []
colon: 'a: b'
e: {}
ip: 10.0.0.1
long: '0/3 nodes are available: 3 node(s) didn''t match Pod''s node affinity/selector.
  preemption: 0/3 nodes are available'
\"n\": 5
none: null
range: \"10:30\"
star: '*'
tab: \"a\\tb\"
text: |
  {\"a\":1}
time: \"2026-11-21T10:00:00Z\"
two: |-
  x
  y
v: \"1.30\"
";
        assert_eq!(print(&value), expected);
    }
}
