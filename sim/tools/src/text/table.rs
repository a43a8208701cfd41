//! `sort`, `uniq`, `cut`, `paste`, `tr`.

use std::cmp::Ordering;

use kernel::Errno;
use world::{Args, Program, Registry};

use super::filter::{Filter, Filtering, Flow, Out, Refused};
use crate::getopt::getopt;
use crate::shell::pattern::in_class;

/// How two keys are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Order {
    numeric: bool,
    version: bool,
    fold: bool,
    blanks: bool,
    reverse: bool,
}

impl Order {
    fn set(&mut self, letter: char) -> bool {
        match letter {
            'n' | 'g' | 'h' => self.numeric = true,
            'V' => self.version = true,
            'f' => self.fold = true,
            'b' => self.blanks = true,
            'r' => self.reverse = true,
            'd' | 'i' => {}
            _ => return false,
        }
        true
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let order = if self.numeric {
            compare_numbers(a, b)
        } else if self.version {
            compare_versions(a, b)
        } else if self.fold {
            a.to_ascii_uppercase().cmp(&b.to_ascii_uppercase())
        } else {
            a.cmp(b)
        };
        if self.reverse { order.reverse() } else { order }
    }
}

/// A field and a character in it, from 1; character 0 is the field's end.
type Position = (usize, usize);

#[derive(Clone, Copy, Debug)]
struct Key {
    from: Position,
    to: Option<Position>,
    order: Order,
}

#[derive(Clone, Debug, Default)]
struct Sort {
    keys: Vec<Key>,
    order: Order,
    separator: Option<u8>,
    unique: bool,
    stable: bool,
    lines: Vec<Vec<u8>>,
}

/// Sign, integer digits without leading zeros, fraction.
fn number(text: &[u8]) -> (bool, &[u8], &[u8]) {
    let blanks = text.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let text = text.get(blanks..).unwrap_or_default();
    let (negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let digits = |t: &[u8]| t.iter().take_while(|b| b.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(digits(text));
    let zeros = whole.iter().take_while(|b| **b == b'0').count();
    let fraction = match rest.split_first() {
        Some((b'.', rest)) => rest.get(..digits(rest)).unwrap_or_default(),
        _ => &[],
    };
    let end = fraction.iter().rposition(|b| *b != b'0').map_or(0, |i| i + 1);
    (negative, whole.get(zeros..).unwrap_or_default(), fraction.get(..end).unwrap_or_default())
}

fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let ((an, aw, af), (bn, bw, bf)) = (number(a), number(b));
    let zero = |w: &[u8], f: &[u8]| w.is_empty() && f.is_empty();
    let (an, bn) = (an && !zero(aw, af), bn && !zero(bw, bf));
    let magnitude = aw.len().cmp(&bw.len()).then_with(|| aw.cmp(bw)).then_with(|| af.cmp(bf));
    match (an, bn) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (true, true) => magnitude.reverse(),
        (false, false) => magnitude,
    }
}

/// Runs of digits compare as numbers.
fn compare_versions(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let text = |t: &[u8]| t.iter().position(u8::is_ascii_digit).unwrap_or(t.len());
        let ((at, ar), (bt, br)) = (a.split_at(text(a)), b.split_at(text(b)));
        if at != bt {
            return at.cmp(bt);
        }
        if ar.is_empty() || br.is_empty() {
            return ar.len().cmp(&br.len());
        }
        let (aw, bw) = (
            ar.iter().take_while(|b| b.is_ascii_digit()).count(),
            br.iter().take_while(|b| b.is_ascii_digit()).count(),
        );
        let whole = compare_numbers(ar.get(..aw).unwrap_or_default(), br.get(..bw).unwrap_or_default());
        if whole != Ordering::Equal {
            return whole;
        }
        (a, b) = (ar.get(aw..).unwrap_or_default(), br.get(bw..).unwrap_or_default());
    }
}

impl Sort {
    /// Where the field of that number (from 0) begins and ends; without a separator a field has
    /// the blanks before it.
    fn field(&self, line: &[u8], wanted: usize) -> (usize, usize) {
        let mut start = 0;
        for index in 0.. {
            let rest = line.get(start..).unwrap_or_default();
            let end = match self.separator {
                Some(separator) => rest.iter().position(|b| *b == separator).unwrap_or(rest.len()),
                None => {
                    let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
                    let tail = rest.get(blanks..).unwrap_or_default();
                    blanks + tail.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(tail.len())
                }
            };
            if index == wanted {
                return (start, start + end);
            }
            start += end + usize::from(self.separator.is_some());
            if start > line.len() || end == rest.len() {
                break;
            }
        }
        (line.len(), line.len())
    }

    fn key<'a>(&self, line: &'a [u8], key: &Key) -> &'a [u8] {
        let skip = |at: usize, end: usize| {
            let blanks = line
                .get(at..end)
                .unwrap_or_default()
                .iter()
                .take_while(|b| key.order.blanks && matches!(b, b' ' | b'\t'));
            at + blanks.count()
        };
        let (start, end) = self.field(line, key.from.0 - 1);
        let from = (skip(start, end) + key.from.1.max(1) - 1).min(line.len());
        let to = match key.to {
            None => line.len(),
            Some((field, character)) => {
                let (start, end) = self.field(line, field - 1);
                if character == 0 { end } else { (skip(start, end) + character).min(line.len()) }
            }
        };
        line.get(from..to.max(from)).unwrap_or_default()
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        if self.keys.is_empty() {
            return self.order.compare(a, b);
        }
        let mut orders = self.keys.iter().map(|key| key.order.compare(self.key(a, key), self.key(b, key)));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Filter for Sort {
    fn take(&mut self, _: &mut Out, line: &[u8], _: bool) -> Flow {
        self.lines.push(line.to_vec());
        Flow::More
    }

    fn finish(&mut self, out: &mut Out) -> i32 {
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by(|a, b| {
            let last = || {
                let order = a.cmp(b);
                match (self.unique || self.stable, self.order.reverse) {
                    (true, _) => Ordering::Equal,
                    (false, true) => order.reverse(),
                    (false, false) => order,
                }
            };
            self.compare(a, b).then_with(last)
        });
        if self.unique {
            lines.dedup_by(|a, b| self.compare(a, b).is_eq());
        }
        for line in lines {
            out.line(&line);
        }
        0
    }

    fn refusal(&self, name: &str, errno: Errno) -> String {
        match errno {
            Errno::IsDir => format!("read failed: {name}: {errno}"),
            _ => format!("cannot read: {name}: {errno}"),
        }
    }

    fn failure(&self) -> i32 {
        2
    }
}

/// `2`, `2.3`, `2nr`: the position and its letters.
fn position(text: &str) -> Option<(Position, &str)> {
    let digits = |t: &str| t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
    let (field, rest) = text.split_at(digits(text));
    let field: usize = field.parse().ok()?;
    let (character, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let (character, rest) = rest.split_at(digits(rest));
            (character.parse().ok()?, rest)
        }
        None => (0, rest),
    };
    Some(((field, character), rest))
}

fn key(text: &str) -> Result<(Key, bool), String> {
    let (start, end) = match text.split_once(',') {
        Some((start, end)) => (start, Some(end)),
        None => (text, None),
    };
    let mut order = Order::default();
    let mut own = false;
    let mut letters = |letters: &str| {
        own |= !letters.is_empty();
        letters.chars().all(|letter| order.set(letter))
    };
    let (from, rest) = position(start)
        .ok_or_else(|| format!("invalid number at field start: invalid count at start of '{text}'"))?;
    if from.0 == 0 {
        return Err(format!("field number is zero: invalid field specification '{text}'"));
    }
    let mut known = letters(rest);
    let to = match end {
        None => None,
        Some(end) => {
            let (to, rest) = position(end)
                .ok_or_else(|| format!("invalid number after ',': invalid count at start of '{end}'"))?;
            known &= letters(rest);
            Some(to).filter(|to| to.0 > 0)
        }
    };
    if !known {
        return Err(format!("stray character in field spec: invalid field specification '{text}'"));
    }
    Ok((Key { from, to, order }, own))
}

fn sort(args: Args) -> Box<dyn Program> {
    let long = [
        ("numeric-sort", 'n'),
        ("reverse", 'r'),
        ("key", 'k'),
        ("unique", 'u'),
        ("field-separator", 't'),
        ("version-sort", 'V'),
        ("stable", 's'),
        ("ignore-case", 'f'),
    ];
    let (options, files) = match getopt(args.get(1..).unwrap_or_default(), "nrk:ut:Vsfbdighm", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::usage("sort", error, 2),
    };
    let mut sort = Sort::default();
    let mut keys = Vec::new();
    for (letter, value) in options {
        let value = value.unwrap_or_default();
        match letter {
            'k' => match key(&value) {
                Ok(key) => keys.push(key),
                Err(message) => return Refused::program(format!("sort: {message}"), 2),
            },
            'u' => sort.unique = true,
            's' => sort.stable = true,
            't' => {
                sort.separator = match value.as_bytes() {
                    [one] => Some(*one),
                    b"\\0" => Some(0),
                    [] => return Refused::program("sort: empty tab", 2),
                    _ => return Refused::program(format!("sort: multi-character tab '{value}'"), 2),
                };
            }
            letter => {
                sort.order.set(letter);
            }
        }
    }
    sort.keys =
        keys.into_iter().map(|(key, own)| if own { key } else { Key { order: sort.order, ..key } }).collect();
    Filtering::program("sort", sort, files)
}

#[derive(Clone, Debug, Default)]
struct Uniq {
    count: bool,
    repeated: bool,
    single: bool,
    current: Option<(Vec<u8>, u64)>,
}

impl Uniq {
    fn show(&mut self, out: &mut Out) {
        let Some((line, count)) = self.current.take() else { return };
        if (self.repeated && count < 2) || (self.single && count > 1) {
            return;
        }
        if self.count {
            out.bytes.extend(format!("{count:7} ").into_bytes());
        }
        out.line(&line);
    }
}

impl Filter for Uniq {
    fn take(&mut self, out: &mut Out, line: &[u8], _: bool) -> Flow {
        match &mut self.current {
            Some((last, count)) if last == line => *count += 1,
            _ => {
                self.show(out);
                self.current = Some((line.to_vec(), 1));
            }
        }
        Flow::More
    }

    fn finish(&mut self, out: &mut Out) -> i32 {
        self.show(out);
        0
    }
}

fn uniq(args: Args) -> Box<dyn Program> {
    match getopt(
        args.get(1..).unwrap_or_default(),
        "cdu",
        &[("count", 'c'), ("repeated", 'd'), ("unique", 'u')],
    ) {
        Ok((options, files)) => {
            let has = |letter: char| options.iter().any(|(o, _)| *o == letter);
            let uniq = Uniq { count: has('c'), repeated: has('d'), single: has('u'), current: None };
            Filtering::program("uniq", uniq, files)
        }
        Err(error) => Refused::usage("uniq", error, 1),
    }
}

/// What `cut` selects by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Fields { only_delimited: bool },
}

#[derive(Clone, Debug)]
struct Cut {
    unit: Unit,
    delimiter: u8,
    joint: String,
    ranges: Vec<(usize, usize)>,
    complement: bool,
}

impl Cut {
    fn selects(&self, index: usize) -> bool {
        self.ranges.iter().any(|&(from, to)| (from..=to).contains(&index)) != self.complement
    }
}

impl Filter for Cut {
    fn take(&mut self, out: &mut Out, line: &[u8], _: bool) -> Flow {
        match self.unit {
            Unit::Bytes => {
                let chosen: Vec<u8> =
                    line.iter().enumerate().filter(|(i, _)| self.selects(i + 1)).map(|(_, b)| *b).collect();
                out.line(&chosen);
            }
            Unit::Fields { only_delimited } => {
                if !line.contains(&self.delimiter) {
                    if !only_delimited {
                        out.line(line);
                    }
                    return Flow::More;
                }
                let fields = line.split(|b| *b == self.delimiter).enumerate();
                let chosen: Vec<&[u8]> =
                    fields.filter(|(i, _)| self.selects(i + 1)).map(|(_, f)| f).collect();
                out.line(&chosen.join(self.joint.as_bytes()));
            }
        }
        Flow::More
    }

    fn finish(&mut self, _: &mut Out) -> i32 {
        0
    }
}

fn ranges(list: &str, fields: bool) -> Result<Vec<(usize, usize)>, String> {
    let (what, numbered) =
        if fields { ("field", "fields") } else { ("byte/character position", "byte/character positions") };
    let mut out = Vec::new();
    for part in list.split([',', ' ']) {
        let parse = |text: &str| text.parse::<usize>().map_err(|_| format!("invalid {what} value '{text}'"));
        let (from, to) = match part.split_once('-') {
            None => parse(part).map(|n| (n, n))?,
            Some(("", "")) => return Err("invalid range with no endpoint: -".to_owned()),
            Some(("", to)) => (1, parse(to)?),
            Some((from, "")) => (parse(from)?, usize::MAX),
            Some((from, to)) => (parse(from)?, parse(to)?),
        };
        if from == 0 {
            return Err(format!("{numbered} are numbered from 1"));
        }
        if from > to {
            return Err("invalid decreasing range".to_owned());
        }
        out.push((from, to));
    }
    Ok(out)
}

fn cut(args: Args) -> Box<dyn Program> {
    let long = [
        ("delimiter", 'd'),
        ("fields", 'f'),
        ("characters", 'c'),
        ("bytes", 'b'),
        ("only-delimited", 's'),
        ("output-delimiter", 'O'),
        ("complement", 'C'),
    ];
    let (options, files) = match getopt(args.get(1..).unwrap_or_default(), "d:f:c:b:snO:C", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::usage("cut", error, 1),
    };
    let mut delimiter = None;
    let (mut lists, mut only, mut joint, mut complement) = (Vec::new(), false, None, false);
    for (letter, value) in options {
        let value = value.unwrap_or_default();
        match letter {
            'd' => match value.as_bytes() {
                [one] => delimiter = Some(*one),
                [] => delimiter = Some(0),
                _ => return Refused::usage("cut", "the delimiter must be a single character", 1),
            },
            's' => only = true,
            'O' => joint = Some(value),
            'C' => complement = true,
            'f' | 'c' | 'b' => lists.push((letter == 'f', value)),
            _ => {}
        }
    }
    let (by_field, list) = match lists.as_slice() {
        [one] => one.clone(),
        [] => return Refused::usage("cut", "you must specify a list of bytes, characters, or fields", 1),
        _ => return Refused::usage("cut", "only one list may be specified", 1),
    };
    if delimiter.is_some() && !by_field {
        return Refused::usage("cut", "an input delimiter may be specified only when operating on fields", 1);
    }
    let ranges = match ranges(&list, by_field) {
        Ok(ranges) => ranges,
        Err(message) => return Refused::usage("cut", message, 1),
    };
    let delimiter = delimiter.unwrap_or(b'\t');
    let unit = if by_field { Unit::Fields { only_delimited: only } } else { Unit::Bytes };
    let joint = joint.unwrap_or_else(|| char::from(delimiter).to_string());
    Filtering::program("cut", Cut { unit, delimiter, joint, ranges, complement }, files)
}

/// Simplified: several files are taken one after another as with `-s`; without it only one file.
#[derive(Clone, Debug)]
struct Paste {
    serial: bool,
    delimiters: Vec<u8>,
    at: usize,
}

impl Filter for Paste {
    fn open(&mut self, _: &mut Out, _: &str) {
        self.at = 0;
    }

    fn take(&mut self, out: &mut Out, line: &[u8], _: bool) -> Flow {
        if self.serial && self.at > 0 {
            let index = (self.at - 1) % self.delimiters.len().max(1);
            out.bytes.extend(self.delimiters.get(index));
        }
        self.at += 1;
        out.bytes.extend_from_slice(line);
        if !self.serial {
            out.bytes.push(b'\n');
        }
        Flow::More
    }

    fn close(&mut self, out: &mut Out, _: &str) {
        if self.serial {
            out.bytes.push(b'\n');
        }
    }

    fn finish(&mut self, _: &mut Out) -> i32 {
        0
    }
}

fn paste(args: Args) -> Box<dyn Program> {
    match getopt(args.get(1..).unwrap_or_default(), "sd:", &[("serial", 's'), ("delimiters", 'd')]) {
        Ok((options, files)) => {
            let serial = options.iter().any(|(o, _)| *o == 's');
            if !serial && files.len() > 1 {
                return Refused::program("paste: only -s is simulated for several files", 1);
            }
            let delimiters = options
                .iter()
                .find(|(o, _)| *o == 'd')
                .and_then(|(_, v)| v.clone())
                .unwrap_or_else(|| "\t".to_owned());
            let mut bytes = Vec::new();
            crate::shell::builtin::escape(&delimiters, &mut bytes, false);
            Filtering::program("paste", Paste { serial, delimiters: bytes, at: 0 }, files)
        }
        Err(error) => Refused::usage("paste", error, 1),
    }
}

#[derive(Clone, Debug)]
struct Tr {
    /// What becomes of each byte; `None` deletes it.
    map: Vec<Option<u8>>,
    squeeze: Vec<bool>,
    last: Option<u8>,
}

impl Filter for Tr {
    fn by_lines(&self) -> bool {
        false
    }

    fn take(&mut self, out: &mut Out, bytes: &[u8], _: bool) -> Flow {
        for &byte in bytes {
            let Some(byte) = self.map.get(usize::from(byte)).copied().flatten() else { continue };
            let squeezed = self.squeeze.get(usize::from(byte)).copied().unwrap_or(false);
            if squeezed && self.last == Some(byte) {
                continue;
            }
            self.last = Some(byte);
            out.bytes.push(byte);
        }
        Flow::More
    }

    fn finish(&mut self, _: &mut Out) -> i32 {
        0
    }
}

/// The bytes of a set, in order: ranges, classes, escapes, `[x*n]`.
fn set(text: &str, length: usize) -> Result<Vec<u8>, String> {
    let mut bytes: Vec<(u8, bool)> = Vec::new();
    let raw = text.as_bytes();
    let mut i = 0;
    while let Some(&byte) = raw.get(i) {
        i += 1;
        if byte != b'\\' {
            bytes.push((byte, false));
            continue;
        }
        let digits: Vec<u8> =
            raw.iter().skip(i).take(3).copied().take_while(|b| (b'0'..=b'7').contains(b)).collect();
        if !digits.is_empty() {
            let value = digits.iter().fold(0_u32, |n, d| n * 8 + u32::from(d - b'0'));
            bytes.push(((value & 0xff) as u8, true));
            i += digits.len();
            continue;
        }
        let Some(&next) = raw.get(i) else {
            bytes.push((b'\\', true));
            break;
        };
        i += 1;
        let plain = match next {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            other => other,
        };
        bytes.push((plain, true));
    }
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(&(byte, _)) = bytes.get(i) {
        let rest: Vec<u8> = bytes.iter().skip(i).map(|(b, _)| *b).collect();
        if rest.starts_with(b"[:")
            && let Some(end) = rest.windows(2).position(|w| w == b":]")
        {
            let name = String::from_utf8_lossy(rest.get(2..end).unwrap_or_default()).into_owned();
            let members: Vec<u8> = (0..=127_u8).filter(|b| in_class(&name, char::from(*b))).collect();
            if members.is_empty() {
                return Err(format!("invalid character class '{name}'"));
            }
            out.extend(members);
            i += end + 2;
        } else if byte == b'[' && rest.get(2) == Some(&b'*') && rest.contains(&b']') {
            let end = rest.iter().position(|b| *b == b']').unwrap_or(0);
            let count =
                String::from_utf8_lossy(rest.get(3..end).unwrap_or_default()).parse::<usize>().unwrap_or(0);
            let count = if count == 0 { length.saturating_sub(out.len()) } else { count.min(65536) };
            out.extend(std::iter::repeat_n(rest.get(1).copied().unwrap_or(b'*'), count));
            i += end + 1;
        } else if let (Some((b'-', false)), Some(&(last, _))) = (bytes.get(i + 1), bytes.get(i + 2)) {
            if byte > last {
                return Err(format!(
                    "range-endpoints of '{}-{}' are in reverse collating sequence order",
                    char::from(byte),
                    char::from(last)
                ));
            }
            out.extend(byte..=last);
            i += 3;
        } else {
            out.push(byte);
            i += 1;
        }
    }
    Ok(out)
}

fn tr(args: Args) -> Box<dyn Program> {
    let long = [("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c'), ("truncate-set1", 't')];
    let (options, words) = match getopt(args.get(1..).unwrap_or_default(), "+dscCt", &long) {
        Ok(parsed) => parsed,
        Err(error) => return Refused::usage("tr", error, 1),
    };
    let has = |letters: &str| options.iter().any(|(o, _)| letters.contains(*o));
    let (delete, squeeze, complement) = (has("d"), has("s"), has("cC"));
    let Some(first) = words.first() else { return Refused::usage("tr", "missing operand", 1) };
    if words.len() < 2 && !delete && !squeeze {
        let text = format!(
            "tr: missing operand after '{first}'\nTwo strings must be given when translating.\nTry 'tr --help' for more information."
        );
        return Refused::program(text, 1);
    }
    if let Some(extra) = words.get(if delete && !squeeze { 1 } else { 2 }) {
        let note = if delete && !squeeze && words.len() == 2 {
            "\nOnly one string may be given when deleting without squeezing repeats."
        } else {
            ""
        };
        return Refused::program(
            format!("tr: extra operand '{extra}'{note}\nTry 'tr --help' for more information."),
            1,
        );
    }
    let parsed = set(first, 0).and_then(|mut one| {
        if complement {
            one = (0..=255_u8).filter(|b| !one.contains(b)).collect();
        }
        let two = words.get(1).map(|text| set(text, one.len())).transpose()?;
        Ok((one, two))
    });
    let (one, two) = match parsed {
        Ok(sets) => sets,
        Err(message) => return Refused::program(format!("tr: {message}"), 1),
    };
    let mut map: Vec<Option<u8>> = (0..=255).map(Some).collect();
    let mut squeezed = vec![false; 256];
    if delete {
        for byte in &one {
            map[usize::from(*byte)] = None;
        }
    } else if let Some(two) = &two {
        let Some(&last) = two.last() else {
            return Refused::program("tr: when not truncating set1, string2 must be non-empty", 1);
        };
        for (i, byte) in one.iter().enumerate() {
            map[usize::from(*byte)] = Some(two.get(i).copied().unwrap_or(last));
        }
    }
    if squeeze {
        for byte in two.as_ref().unwrap_or(&one) {
            squeezed[usize::from(*byte)] = true;
        }
    }
    Filtering::program("tr", Tr { map, squeeze: squeezed, last: None }, Vec::new())
}

/// Installs them.
pub(super) fn install(registry: &mut Registry) {
    registry.install("sort", sort);
    registry.install("uniq", uniq);
    registry.install("cut", cut);
    registry.install("paste", paste);
    registry.install("tr", tr);
}
