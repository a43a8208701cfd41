//! Names and strings as text. Source: BIND's `dns_name_totext`, `commatxt_totext`.

use hickory_proto::rr::Name;

/// A name as master files have it, with its final dot.
pub fn name(name: &Name) -> String {
    labels(name.iter())
}

/// A name as people read it: without the final dot, and without escapes that only master files need.
pub fn plain(name: &Name) -> String {
    let text = self::name(name).replace("\\$", "$").replace("\\@", "@");
    match text.strip_suffix('.') {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => text,
    }
}

/// The text of labels.
pub(super) fn labels<'a>(labels: impl Iterator<Item = &'a [u8]>) -> String {
    let mut text = String::new();
    for label in labels {
        for byte in label {
            match byte {
                b'"' | b'$' | b'(' | b')' | b'.' | b';' | b'@' | b'\\' => {
                    text.push('\\');
                    text.push(char::from(*byte));
                }
                0x21..=0x7e => text.push(char::from(*byte)),
                _ => text += &format!("\\{byte:03}"),
            }
        }
        text.push('.');
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

/// A character string between quotes.
pub fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            0x20..=0x7e => text.push(char::from(*byte)),
            _ => text += &format!("\\{byte:03}"),
        }
    }
    text.push('"');
    text
}

/// A character string without quotes.
pub(super) fn bare(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'"' | b'\\' | b'@' | b';' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            0x21..=0x7e => text.push(char::from(*byte)),
            _ => text += &format!("\\{byte:03}"),
        }
    }
    text
}
