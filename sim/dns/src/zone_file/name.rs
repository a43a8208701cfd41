//! Names and strings from text. Source: BIND's `dns_name_fromtext`, `commatxt_fromtext`.

use hickory_proto::rr::Name;

use super::Fault;

/// A name; one without a final dot is below the origin.
///
/// # Errors
/// What is wrong with it.
pub fn parse_name(text: &[u8], origin: &Name) -> Result<Name, Fault> {
    if text == b"@" {
        return Ok(origin.clone());
    }
    if text == b"." {
        return Ok(Name::root());
    }
    if text.is_empty() {
        return Err(Fault::End);
    }
    let mut labels: Vec<Vec<u8>> = vec![Vec::new()];
    let mut rest = text;
    let mut absolute = false;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let byte = match byte {
            b'.' => {
                if labels.last().is_none_or(Vec::is_empty) {
                    return Err(Fault::EmptyLabel);
                }
                if rest.is_empty() {
                    absolute = true;
                } else {
                    labels.push(Vec::new());
                }
                continue;
            }
            b'\\' => escaped(&mut rest, Fault::Escape, Fault::End)?,
            byte => *byte,
        };
        if let Some(label) = labels.last_mut() {
            if label.len() == 63 {
                return Err(Fault::LongLabel);
            }
            label.push(byte);
        }
    }
    let above: &[&[u8]] = if absolute { &[] } else { &origin.iter().collect::<Vec<_>>() };
    let labels = labels.iter().map(Vec::as_slice).chain(above.iter().copied());
    Name::from_labels(labels).map_err(|_| Fault::Space)
}

/// The byte after a backslash: itself, or what three digits say.
fn escaped(rest: &mut &[u8], large: Fault, short: Fault) -> Result<u8, Fault> {
    let Some((first, after)) = rest.split_first() else { return Err(short) };
    if !first.is_ascii_digit() {
        *rest = after;
        return Ok(*first);
    }
    let Some((digits, after)) = rest.split_first_chunk::<3>() else { return Err(short) };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(large);
    }
    *rest = after;
    let number = digits.iter().fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'));
    u8::try_from(number).map_err(|_| large)
}

/// A string's bytes.
pub(super) fn parse_text(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(if *byte == b'\\' { escaped(&mut rest, Fault::Syntax, Fault::Syntax)? } else { *byte });
    }
    Ok(bytes)
}

/// A name as messages have it, without pointers.
pub(crate) fn name_from_bytes(bytes: &[u8]) -> Option<Name> {
    let mut rest = bytes;
    let mut labels = Vec::new();
    loop {
        let (length, after) = rest.split_first()?;
        if *length == 0 {
            return Name::from_labels(labels).ok().filter(|_| after.is_empty());
        }
        let (label, after) = after.split_at_checked(usize::from(*length))?;
        labels.push(label);
        rest = after;
    }
}

/// Whether a host may be called so; an owner may also be a wildcard. RFC 952, RFC 1123 §2.1.
pub(super) fn is_host(name: &Name, wildcard: bool) -> bool {
    let mut labels = name.iter();
    if wildcard && name.is_wildcard() {
        labels.next();
    }
    labels.all(|label| {
        let ends = [label.first(), label.last()];
        ends.into_iter().flatten().all(u8::is_ascii_alphanumeric)
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    })
}
