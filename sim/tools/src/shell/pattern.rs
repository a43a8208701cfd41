use world::{FileKind, Sys};

/// A shell pattern: `*`, `?`, `[...]` and plain characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Item>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Char(char),
    Any,
    Star,
    Class { negated: bool, ranges: Vec<Range> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Range {
    Span(char, char),
    Named(String),
}

impl Pattern {
    /// Compiles characters, each with whether it was quoted.
    pub(super) fn new(chars: &[(char, bool)]) -> Self {
        let mut items = Vec::new();
        let mut i = 0;
        while let Some(&(c, quoted)) = chars.get(i) {
            i += 1;
            if quoted {
                items.push(Item::Char(c));
                continue;
            }
            match c {
                '*' => items.push(Item::Star),
                '?' => items.push(Item::Any),
                '\\' => {
                    if let Some(&(next, _)) = chars.get(i) {
                        items.push(Item::Char(next));
                        i += 1;
                    } else {
                        items.push(Item::Char('\\'));
                    }
                }
                '[' => match class(chars.get(i..).unwrap_or_default()) {
                    Some((item, used)) => {
                        items.push(item);
                        i += used;
                    }
                    None => items.push(Item::Char('[')),
                },
                _ => items.push(Item::Char(c)),
            }
        }
        Self(items)
    }

    /// Whether nothing in it is special.
    pub(super) fn is_literal(&self) -> bool {
        self.0.iter().all(|item| matches!(item, Item::Char(_)))
    }

    /// Whether it matches the whole text.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        matches(&self.0, &text)
    }

    fn split(&self, at: char) -> Vec<Self> {
        self.0.split(|item| *item == Item::Char(at)).map(|part| Self(part.to_vec())).collect()
    }

    fn literal(&self) -> String {
        self.0.iter().filter_map(|item| if let Item::Char(c) = item { Some(*c) } else { None }).collect()
    }
}

/// Matches with one place to go back to: the last star.
fn matches(items: &[Item], text: &[char]) -> bool {
    let (mut i, mut t) = (0, 0);
    let mut retry = None;
    loop {
        match (items.get(i), text.get(t)) {
            (None, None) => return true,
            (Some(Item::Star), _) => {
                retry = Some((i, t));
                i += 1;
            }
            (Some(item), Some(&c)) if item.matches(c) => {
                i += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) if from < text.len() => {
                    retry = Some((star, from + 1));
                    i = star + 1;
                    t = from + 1;
                }
                _ => return false,
            },
        }
    }
}

impl Item {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Any => true,
            Self::Star => false,
            Self::Class { negated, ranges } => ranges.iter().any(|range| range.contains(c)) != *negated,
        }
    }
}

impl Range {
    fn contains(&self, c: char) -> bool {
        match self {
            Self::Span(from, to) => (*from..=*to).contains(&c),
            Self::Named(name) => in_class(name, c),
        }
    }
}

/// Whether a character is in a class of the C locale, e.g. `alpha`.
pub(crate) fn in_class(name: &str, c: char) -> bool {
    match name {
        "alnum" => c.is_ascii_alphanumeric(),
        "alpha" => c.is_ascii_alphabetic(),
        "blank" => matches!(c, ' ' | '\t'),
        "cntrl" => c.is_ascii_control(),
        "digit" => c.is_ascii_digit(),
        "graph" => c.is_ascii_graphic(),
        "lower" => c.is_ascii_lowercase(),
        "print" => c.is_ascii_graphic() || c == ' ',
        "punct" => c.is_ascii_punctuation(),
        "space" => c.is_ascii_whitespace() || c == '\x0b',
        "upper" => c.is_ascii_uppercase(),
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

/// A bracket expression after its `[`, and how many characters it takes.
fn class(chars: &[(char, bool)]) -> Option<(Item, usize)> {
    let mut i = 0;
    let negated = matches!(chars.first(), Some(('!' | '^', false)));
    if negated {
        i += 1;
    }
    let mut ranges = Vec::new();
    let first = i;
    loop {
        let &(c, quoted) = chars.get(i)?;
        if c == ']' && !quoted && i > first {
            return Some((Item::Class { negated, ranges }, i + 1));
        }
        if c == '[' && !quoted && matches!(chars.get(i + 1), Some((':', _))) {
            let rest = chars.get(i + 2..)?;
            let end = rest.windows(2).position(|w| matches!(w, [(':', _), (']', _)]))?;
            ranges.push(Range::Named(rest.iter().take(end).map(|&(c, _)| c).collect()));
            i += 2 + end + 2;
            continue;
        }
        let mut start = c;
        if c == '\\' && !quoted {
            i += 1;
            start = chars.get(i)?.0;
        }
        match (chars.get(i + 1), chars.get(i + 2)) {
            (Some(('-', false)), Some(&(end, end_quoted))) if end != ']' || end_quoted => {
                ranges.push(Range::Span(start, end));
                i += 3;
            }
            _ => {
                ranges.push(Range::Span(start, start));
                i += 1;
            }
        }
    }
}

/// Pathname expansion: the existing paths that match, sorted by bytes; empty if none does.
pub(super) fn expand_paths(pattern: &Pattern, sys: &dyn Sys) -> Vec<String> {
    if pattern.is_literal() {
        return Vec::new();
    }
    let components = pattern.split('/');
    let mut found = vec![String::new()];
    let count = components.len();
    for (i, component) in components.iter().enumerate() {
        let last = i + 1 == count;
        let mut next = Vec::new();
        for prefix in found {
            if component.is_literal() {
                let path = format!("{prefix}{}", component.literal());
                if !last {
                    next.push(format!("{path}/"));
                } else if component.0.is_empty() || sys.stat(&path).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let dir = if prefix.is_empty() { "." } else { &prefix };
            let wants_dot = component.0.first() == Some(&Item::Char('.'));
            for entry in sys.read_dir(dir).unwrap_or_default() {
                if (entry.name.starts_with('.') && !wants_dot) || !component.matches(&entry.name) {
                    continue;
                }
                let path = format!("{prefix}{}", entry.name);
                if last {
                    next.push(path);
                } else if sys.stat(&path).is_ok_and(|stat| stat.kind == FileKind::Dir) {
                    next.push(format!("{path}/"));
                }
            }
        }
        found = next;
    }
    found.sort();
    found
}
