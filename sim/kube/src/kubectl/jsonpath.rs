//! JSONPath templates. Kubernetes: `k8s.io/client-go/util/jsonpath`.

use serde_json::Value;

/// A template: `{range .items[*]}{.metadata.name}{"\n"}{end}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Vec<Node>);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    Path(Path),
    Range(Path, Vec<Node>),
}

/// The way to values.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Whether it begins at the document, not at what a range is at.
    from_root: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Wildcard,
    Recursive,
    Slice(Option<i64>, Option<i64>, i64),
    Index(i64),
    Union(Vec<Vec<Step>>),
    Filter(Operand, Option<(Compare, Operand)>),
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Path(Path),
    Value(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The words of client-go.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut stack: Vec<(Option<Path>, Vec<Node>)> = vec![(None, Vec::new())];
        let mut rest = text;
        while !rest.is_empty() {
            let Some(open) = rest.find('{') else {
                push(&mut stack, Node::Text(rest.to_owned()));
                break;
            };
            if open > 0 {
                push(&mut stack, Node::Text(rest[..open].to_owned()));
            }
            rest = action(&rest[open + 1..], &mut stack)?;
        }
        match stack.pop() {
            Some((None, nodes)) => Ok(Self(nodes)),
            _ => Err("unterminated range, no matching end".to_owned()),
        }
    }

    /// Reads a path that may lack its braces and first dot, as `--sort-by` takes it.
    /// Kubernetes: `RelaxedJSONPathExpression`.
    ///
    /// # Errors
    /// It is no path.
    pub fn relaxed(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let inner = inner.strip_prefix('.').unwrap_or(inner);
        if inner.contains(['{', '}']) {
            return Err(
                "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                        '{.name1.name2}'"
                    .to_owned(),
            );
        }
        Self::parse(&format!("{{.{inner}}}"))
    }

    /// Prints what it says of a value.
    pub fn print(&self, root: &Value) -> String {
        let mut text = String::new();
        print_nodes(&self.0, root, root, &mut text);
        text
    }

    /// The values that its paths lead to.
    pub fn values<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        let mut found = Vec::new();
        collect(&self.0, root, root, &mut found);
        found
    }
}

fn push(stack: &mut [(Option<Path>, Vec<Node>)], node: Node) {
    if let Some((_, nodes)) = stack.last_mut() {
        nodes.push(node);
    }
}

/// Reads what stands in braces; answers what follows them.
fn action<'a>(text: &'a str, stack: &mut Vec<(Option<Path>, Vec<Node>)>) -> Result<&'a str, String> {
    let mut rest = text.trim_start();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Err("unclosed action".to_owned()) };
        match first {
            '}' => return Ok(&rest[1..]),
            '"' | '\'' => {
                let (string, after) = quoted(rest)?;
                push(stack, Node::Text(string));
                rest = after;
            }
            _ if rest.starts_with("range") => {
                let (path, after) = path(rest["range".len()..].trim_start())?;
                stack.push((Some(path), Vec::new()));
                rest = after;
            }
            _ if rest.starts_with("end") => {
                match stack.pop() {
                    Some((Some(path), nodes)) => push(stack, Node::Range(path, nodes)),
                    _ => return Err("not in range, nothing to end".to_owned()),
                }
                rest = &rest["end".len()..];
            }
            '.' | '$' | '@' | '[' => {
                let (found, after) = path(rest)?;
                push(stack, Node::Path(found));
                rest = after;
            }
            _ if first.is_ascii_alphabetic() => {
                let word: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
                return Err(format!("unrecognized identifier {word}"));
            }
            other => {
                return Err(format!(
                    "unrecognized character in action: U+{:04X} '{other}'",
                    u32::from(other)
                ));
            }
        }
    }
}

fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut chars = text.char_indices();
    let Some((_, quote)) = chars.next() else { return Err("unterminated quoted string".to_owned()) };
    let mut string = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => string.push('\n'),
                Some('t') => string.push('\t'),
                Some('r') => string.push('\r'),
                Some(other) => string.push(other),
                None => break,
            },
            c if c == quote => return Ok((string, &text[at + c.len_utf8()..])),
            c => string.push(c),
        }
    }
    Err("unterminated quoted string".to_owned())
}

fn path(text: &str) -> Result<(Path, &str), String> {
    let (from_root, mut rest) = match text.chars().next() {
        Some('$') => (true, &text[1..]),
        Some('@') => (false, &text[1..]),
        _ => (false, text),
    };
    let mut steps = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Recursive);
            rest = after;
            if rest.starts_with('[') {
                continue;
            }
            rest = field(rest, &mut steps);
        } else if let Some(after) = rest.strip_prefix('.') {
            rest = field(after, &mut steps);
        } else if let Some(after) = rest.strip_prefix('[') {
            rest = array(after, &mut steps)?;
        } else {
            return Ok((Path { from_root, steps }, rest));
        }
    }
}

/// A field after its dot; `\.` is a dot in its name.
fn field<'a>(text: &'a str, steps: &mut Vec<Step>) -> &'a str {
    let mut name = String::new();
    let mut chars = text.char_indices();
    let mut end = text.len();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' | ']' | '}' | ' ' | ')' | '=' | '!' | '<' | '>' | ',' | '\n' | '\t' => {
                end = at;
                break;
            }
            c => name.push(c),
        }
    }
    match name.as_str() {
        "" => {}
        "*" => steps.push(Step::Wildcard),
        _ => steps.push(Step::Field(name)),
    }
    &text[end..]
}

/// What stands in brackets.
fn array<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let end = closing(text).ok_or("unterminated array")?;
    let (inner, rest) = (text[..end].trim(), &text[end + 1..]);
    if let Some(filter) = inner.strip_prefix("?(") {
        let filter = filter.strip_suffix(')').ok_or("unterminated filter")?;
        steps.push(read_filter(filter)?);
        return Ok(rest);
    }
    let mut union = Vec::new();
    for part in inner.split(',') {
        union.push(vec![subscript(part.trim())?]);
    }
    match union.len() {
        1 => steps.extend(union.remove(0)),
        _ => steps.push(Step::Union(union)),
    }
    Ok(rest)
}

fn subscript(part: &str) -> Result<Step, String> {
    let wrong = || format!("invalid array index {part}");
    if part == "*" {
        return Ok(Step::Wildcard);
    }
    if part.starts_with(['\'', '"']) {
        return quoted(part).map(|(name, _)| Step::Field(name));
    }
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<i64>().map(Some).map_err(|_| wrong()),
    };
    let parts: Vec<&str> = part.split(':').collect();
    match parts[..] {
        [one] => number(one)?.map(Step::Index).ok_or_else(wrong),
        [from, to] => Ok(Step::Slice(number(from)?, number(to)?, 1)),
        [from, to, step] => Ok(Step::Slice(number(from)?, number(to)?, number(step)?.unwrap_or(1))),
        _ => Err(wrong()),
    }
}

/// Where the bracket closes, past quotes and inner brackets.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('[', None) => depth += 1,
            (']', None) if depth == 0 => return Some(at),
            (']', None) => depth -= 1,
            _ => {}
        }
    }
    None
}

fn read_filter(text: &str) -> Result<Step, String> {
    let (left, rest) = operand(text.trim())?;
    let rest = rest.trim_start();
    for (sign, compare) in [
        ("==", Compare::Equal),
        ("!=", Compare::NotEqual),
        ("<=", Compare::LessOrEqual),
        (">=", Compare::GreaterOrEqual),
        ("<", Compare::Less),
        (">", Compare::Greater),
    ] {
        if let Some(rest) = rest.strip_prefix(sign) {
            let (right, _) = operand(rest.trim())?;
            return Ok(Step::Filter(left, Some((compare, right))));
        }
    }
    match rest {
        "" => Ok(Step::Filter(left, None)),
        other => Err(format!("unrecognized filter operator {other}")),
    }
}

fn operand(text: &str) -> Result<(Operand, &str), String> {
    if text.starts_with(['"', '\'']) {
        let (string, rest) = quoted(text)?;
        return Ok((Operand::Value(string.into()), rest));
    }
    if text.starts_with(['@', '.', '$']) {
        let (found, rest) = path(text)?;
        return Ok((Operand::Path(found), rest));
    }
    let end = text.find([' ', '=', '!', '<', '>', ')']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let value = match word {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        word => serde_json::from_str::<Value>(word)
            .ok()
            .filter(Value::is_number)
            .ok_or_else(|| format!("cannot parse filter operand {word}"))?,
    };
    Ok((Operand::Value(value), rest))
}

impl Path {
    fn find<'a>(&self, root: &'a Value, current: &'a Value) -> Vec<&'a Value> {
        let start = if self.from_root { root } else { current };
        follow(&self.steps, root, vec![start])
    }
}

fn follow<'a>(steps: &[Step], root: &'a Value, start: Vec<&'a Value>) -> Vec<&'a Value> {
    steps
        .iter()
        .fold(start, |values, step| values.into_iter().flat_map(|value| take(step, root, value)).collect())
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            keys.into_iter().map(|key| &map[key]).collect()
        }
        _ => Vec::new(),
    }
}

fn take<'a>(step: &Step, root: &'a Value, value: &'a Value) -> Vec<&'a Value> {
    match step {
        Step::Field(name) => value.get(name).into_iter().collect(),
        Step::Wildcard => children(value),
        Step::Recursive => {
            let mut all = Vec::new();
            let mut open = vec![value];
            while let Some(next) = open.pop() {
                if next.is_object() || next.is_array() {
                    all.push(next);
                    open.extend(children(next).into_iter().rev());
                }
            }
            all
        }
        Step::Index(at) => {
            let items = value.as_array().map_or(&[][..], Vec::as_slice);
            position(*at, items.len()).and_then(|at| items.get(at)).into_iter().collect()
        }
        Step::Slice(from, to, step) => {
            let items = value.as_array().map_or(&[][..], Vec::as_slice);
            let bound = |at: i64| position(at, items.len()).unwrap_or(0).min(items.len());
            let (from, to) = (from.map_or(0, bound), to.map_or(items.len(), bound));
            let step = usize::try_from(*step).unwrap_or(1).max(1);
            items.get(from..to.max(from)).unwrap_or_default().iter().step_by(step).collect()
        }
        Step::Union(all) => all.iter().flat_map(|steps| follow(steps, root, vec![value])).collect(),
        Step::Filter(left, compare) => {
            children(value).into_iter().filter(|item| passes(left, compare.as_ref(), root, item)).collect()
        }
    }
}

/// A place counted from the front, or from the end if negative.
fn position(at: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    usize::try_from(if at < 0 { at + len } else { at }).ok()
}

fn passes(left: &Operand, compare: Option<&(Compare, Operand)>, root: &Value, item: &Value) -> bool {
    let value = |operand: &Operand| match operand {
        Operand::Path(path) => path.find(root, item).first().copied().cloned(),
        Operand::Value(value) => Some(value.clone()),
    };
    let Some(left) = value(left) else { return false };
    let Some((compare, right)) = compare else { return true };
    let Some(right) = value(right) else { return false };
    let order = match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        _ => left.as_str().zip(right.as_str()).map(|(left, right)| left.cmp(right)),
    };
    match compare {
        Compare::Equal => order.map_or(left == right, std::cmp::Ordering::is_eq),
        Compare::NotEqual => order.map_or(left != right, std::cmp::Ordering::is_ne),
        Compare::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Compare::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Compare::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Compare::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
    }
}

/// A value as templates print it.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => serde_json::to_string(&super::files::sorted(other)).unwrap_or_default(),
    }
}

fn print_nodes(nodes: &[Node], root: &Value, current: &Value, text: &mut String) {
    for node in nodes {
        match node {
            Node::Text(literal) => text.push_str(literal),
            Node::Path(path) => {
                let all: Vec<String> = path.find(root, current).into_iter().map(text_of).collect();
                text.push_str(&all.join(" "));
            }
            Node::Range(path, inner) => {
                for item in path.find(root, current) {
                    print_nodes(inner, root, item, text);
                }
            }
        }
    }
}

fn collect<'a>(nodes: &[Node], root: &'a Value, current: &'a Value, found: &mut Vec<&'a Value>) {
    for node in nodes {
        match node {
            Node::Text(_) => {}
            Node::Path(path) => found.extend(path.find(root, current)),
            Node::Range(path, inner) => {
                for item in path.find(root, current) {
                    collect(inner, root, item, found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_print_what_their_paths_lead_to() {
        // The document of Kubernetes' page on JSONPath support.
        let root = json!({
            "kind": "List",
            "items": [
                {"kind": "None", "metadata": {"name": "127.0.0.1", "labels": {"kubernetes.io/hostname": "127.0.0.1"}},
                 "status": {"capacity": {"cpu": "4"}, "addresses": [{"type": "LegacyHostIP", "address": "127.0.0.1"}]}},
                {"kind": "None", "metadata": {"name": "127.0.0.2"},
                 "status": {"capacity": {"cpu": "8"}, "addresses": [
                     {"type": "LegacyHostIP", "address": "127.0.0.2"}, {"type": "another", "address": "127.0.0.3"}]}}
            ],
            "users": [
                {"name": "myself", "user": {}},
                {"name": "e2e", "user": {"username": "admin", "password": "secret"}}
            ]
        });
        for (template, expected) in [
            ("kind is {.kind}", "kind is List"),
            ("{['kind']}", "List"),
            ("{..name}", "127.0.0.1 127.0.0.2 myself e2e"),
            ("{.items[*].metadata.name}", "127.0.0.1 127.0.0.2"),
            ("{.users[0].name}", "myself"),
            ("{.items[*]['metadata.name', 'status.capacity']}", ""),
            ("{.users[?(@.name==\"e2e\")].user.password}", "secret"),
            (
                "{range .items[*]}[{.metadata.name}, {.status.capacity.cpu}] {end}",
                "[127.0.0.1, 4] [127.0.0.2, 8] ",
            ),
            ("{range .items[*]}{.metadata.name}{'\\t'}{end}", "127.0.0.1\t127.0.0.2\t"),
            ("{.items[*].metadata.labels.kubernetes\\.io/hostname}", "127.0.0.1"),
            ("{.items[-1:].metadata.name}{\"\\n\"}", "127.0.0.2\n"),
            ("{.items[0:1].metadata.name}", "127.0.0.1"),
            ("{.items[*].status.capacity}", "{\"cpu\":\"4\"} {\"cpu\":\"8\"}"),
            ("{.items[*].status.addresses[?(@.type!='another')].address}", "127.0.0.1 127.0.0.2"),
            ("{.missing.field}", ""),
            ("{$.kind}{@.kind}", "ListList"),
        ] {
            let parsed = Template::parse(template);
            assert_eq!(parsed.map(|parsed| parsed.print(&root)), Ok(expected.to_owned()), "{template}");
        }
        for (template, expected) in [
            ("{.items[0", "unterminated array"),
            ("{.a", "unclosed action"),
            ("{end}", "not in range, nothing to end"),
            ("{name}", "unrecognized identifier name"),
        ] {
            assert_eq!(Template::parse(template), Err(expected.to_owned()), "{template}");
        }
    }
}
