//! Listings of sets. libipset `list_create`, `list_adt`, `print_set_done`.

use std::fmt::Write;

use netfilter::set::Listing;

use super::command::{Env, Mode};
use super::print;
use super::types;

/// The sets, as the options ask. `save` is the command of that name, which the kernel answers with
/// elements always.
pub fn list(sets: &[Listing], env: &Env, save: bool) -> String {
    let mode = env.mode.unwrap_or(if save { Mode::Save } else { Mode::Plain });
    let mut out = String::new();
    if mode == Mode::Xml {
        out.push_str("<ipsets>\n");
    }
    for (at, set) in sets.iter().enumerate() {
        if env.names && mode != Mode::Save {
            let _ = match mode {
                Mode::Xml => writeln!(out, "<ipset name=\"{}\"/>", set.name),
                Mode::Plain | Mode::Save => writeln!(out, "{}", set.name),
            };
            continue;
        }
        header(&mut out, set, mode, at > 0, env.terse);
        if !env.terse || save || mode == Mode::Save {
            elements(&mut out, set, mode, env.sorted);
        }
        if mode == Mode::Xml {
            out.push_str(if env.terse { "</ipset>\n" } else { "</members>\n</ipset>\n" });
        }
    }
    if mode == Mode::Xml {
        out.push_str("</ipsets>\n");
    }
    out
}

/// An option with its value, empty for a flag.
fn option(out: &mut String, mode: Mode, name: &str, value: &str) {
    let _ = match (mode, value) {
        (Mode::Plain | Mode::Save, "") => write!(out, " {name}"),
        (Mode::Plain | Mode::Save, value) => write!(out, " {name} {value}"),
        (Mode::Xml, "") => write!(out, "<{name}/>"),
        (Mode::Xml, value) => write!(out, "<{name}>{value}</{name}>"),
    };
}

fn header(out: &mut String, set: &Listing, mode: Mode, more: bool, terse: bool) {
    let Listing { name, kind, options, memory, references, count, .. } = set;
    let (typename, revision) = (kind.name(), kind.revision());
    let _ = match mode {
        Mode::Save => write!(out, "create {name} {typename}"),
        Mode::Plain => {
            let gap = if more { "\n" } else { "" };
            write!(out, "{gap}Name: {name}\nType: {typename}\nRevision: {revision}\nHeader:")
        }
        Mode::Xml => write!(
            out,
            "<ipset name=\"{name}\">\n<type>{typename}</type>\n<revision>{revision}</revision>\n<header>"
        ),
    };
    for keyword in types::of(*kind).create.keywords().filter(|keyword| keyword.shown) {
        if let Some(value) = print::option_value(keyword.opt, options) {
            option(out, mode, keyword.name, &value);
        }
    }
    // The kernel answers with 32 bits.
    let memory = *memory as u32;
    let _ = match mode {
        Mode::Save => writeln!(out),
        Mode::Plain => writeln!(
            out,
            "\nSize in memory: {memory}\nReferences: {references}\nNumber of entries: {count}{}",
            if terse { "" } else { "\nMembers:" }
        ),
        Mode::Xml => writeln!(
            out,
            "\n<memsize>{memory}</memsize>\n<references>{references}</references>\n\
             <numentries>{count}</numentries>\n</header>{}",
            if terse { "" } else { "\n<members>" }
        ),
    };
}

fn elements(out: &mut String, set: &Listing, mode: Mode, sorted: bool) {
    let known = types::of(set.kind);
    let mut lines: Vec<(String, String)> = Vec::new();
    for entry in &set.entries {
        let elem = print::element(set.kind, entry);
        let mut rest = String::new();
        for keyword in known.add.keywords().filter(|keyword| keyword.shown) {
            if let Some(value) = print::entry_value(keyword.opt, entry) {
                option(&mut rest, mode, keyword.name, &value);
            }
        }
        let rest = match mode {
            Mode::Xml => format!("</elem>{rest}</member>\n"),
            Mode::Plain | Mode::Save => format!("{rest}\n"),
        };
        lines.push((elem, rest));
    }
    let mut texts: Vec<String> = lines.into_iter().map(|(elem, rest)| elem + &rest).collect();
    if sorted && set.kind.name().starts_with("hash:") {
        texts = sort(texts);
    }
    for text in texts {
        let _ = match mode {
            Mode::Save => write!(out, "add {} {text}", set.name),
            Mode::Xml => write!(out, "<member><elem>{text}"),
            Mode::Plain => write!(out, "{text}"),
        };
    }
}

/// Sorts by merging, as `list_sort` does: the order of ipset isn't one that every pair of lines
/// agrees with.
fn sort(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() < 2 {
        return lines;
    }
    let right = sort(lines.split_off(lines.len() / 2));
    let left = sort(lines);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if compare(a.as_bytes(), b.as_bytes()) <= 0 { left.next() } else { right.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

/// C's `strtol` with base 16: the number and the bytes it takes, none if there is no number.
fn hex(text: &[u8]) -> (i64, usize) {
    let blank = text.iter().take_while(|b| matches!(b, b' ' | b'\t'..=b'\r')).count();
    let rest = text.get(blank..).unwrap_or_default();
    let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
    let digits = rest.get(sign..).unwrap_or_default();
    let prefix = match digits {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => 2,
        _ => 0,
    };
    let digits = digits.get(prefix..).unwrap_or_default();
    let len = digits.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if len == 0 {
        return (0, 0);
    }
    let number = digits.iter().take(len).fold(0_i64, |number, digit| {
        let digit = char::from(*digit).to_digit(16).unwrap_or(0);
        number.saturating_mul(16).saturating_add(i64::from(digit))
    });
    let negative = rest.first() == Some(&b'-');
    (if negative { -number } else { number }, blank + sign + prefix + len)
}

/// libipset `bystrcmp`.
fn compare(a: &[u8], b: &[u8]) -> i64 {
    let (mut a, mut b, mut sign) = (a, b, 1);
    let after = |text: &'_ [u8], at: usize| -> usize { (at + 1).min(text.len()) };
    while let (Some(_), Some(_)) = (a.first(), b.first()) {
        let ((n1, end1), (n2, end2)) = (hex(a), hex(b));
        if end1 == 0 || end2 == 0 {
            // No numbers: a protocol or a name.
            let word = |text: &[u8]| text.iter().take_while(|b| !matches!(b, b':' | b',')).count();
            let (w1, w2) = (word(a), word(b));
            if w1 == 0 && w2 == 0 {
                return order(a.cmp(b));
            }
            if w1 != w2 {
                return if w1 < w2 { -1 } else { 1 };
            }
            match a.get(..w1).cmp(&b.get(..w2)) {
                std::cmp::Ordering::Equal => {
                    a = a.get(after(a, w1)..).unwrap_or_default();
                    b = b.get(after(b, w2)..).unwrap_or_default();
                    sign = 1;
                    continue;
                }
                ordering => return order(ordering),
            }
        }
        if n1 != n2 {
            return sign * (n1 - n2);
        }
        let (sep1, sep2) = (a.get(end1).copied(), b.get(end2).copied());
        if sep1 == Some(b'/') || sep2 == Some(b'/') {
            if sep1 == sep2 {
                sign = -1;
            } else {
                return if sep1 == Some(b'/') { 1 } else { -1 };
            }
        }
        a = a.get(after(a, end1)..).unwrap_or_default();
        b = b.get(after(b, end2)..).unwrap_or_default();
    }
    i64::from(!a.is_empty()) - i64::from(a.is_empty() && !b.is_empty())
}

const fn order(ordering: std::cmp::Ordering) -> i64 {
    ordering as i64
}
