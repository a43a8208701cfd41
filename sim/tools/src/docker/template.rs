//! Go templates, as far as `docker inspect -f` is used with them: fields, `range`, `if`, `with`,
//! variables, pipes, and the functions `json`, `index`, `len`, `eq`, `ne`, `not`, `and`, `or`,
//! `print`, `println`, `join`, `upper`, `lower`. The rest is refused by name.

use std::collections::BTreeMap;

use serde_json::Value;

/// Why a template can't be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Its text is wrong: status 64.
    #[error("template parsing error: template: :1: {0}")]
    Syntax(String),
    /// It asks for what isn't there: status 1.
    #[error("template parsing error: template: :1:{column}: executing \"\" at <{at}>: {why}")]
    Execution {
        /// Where, in characters from the beginning.
        column: usize,
        /// The expression.
        at: String,
        /// What is wrong.
        why: String,
    },
}

/// A part of a template.
#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Value(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range { names: Vec<String>, over: Pipe, body: Vec<Node>, otherwise: Vec<Node> },
    Assign(String, Pipe),
}

/// `a | b c`: each command's value is the last argument of the next.
#[derive(Clone, Debug)]
struct Pipe {
    commands: Vec<Vec<Term>>,
    column: usize,
    text: String,
}

/// An operand.
#[derive(Clone, Debug)]
enum Term {
    /// `.A.B`, `$x.A`, `$`: the variable (empty for the dot) and the fields with their columns.
    Path(Option<String>, Vec<(String, usize)>),
    Text(String),
    Number(i64),
    Bool(bool),
    Function(String),
    Group(Pipe),
}

const FUNCTIONS: &[&str] =
    &["json", "index", "len", "eq", "ne", "not", "and", "or", "print", "println", "join", "upper", "lower"];
/// Functions that Go or Docker has beside these.
const NOT_SIMULATED: &[&str] = &[
    "printf", "html", "js", "urlquery", "call", "slice", "lt", "le", "gt", "ge", "split", "title", "pad",
    "truncate", "table", "template", "block", "define", "break", "continue",
];

/// A template that has been read.
#[derive(Clone, Debug)]
pub struct Template(Vec<Node>);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Go's words for what is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parser = Parser { text, at: 0 };
        let (nodes, end) = parser.nodes(false)?;
        match end {
            Until::Text => Ok(Self(nodes)),
            Until::Else | Until::End => Err(Error::Syntax(format!("unexpected {}", end.action()))),
        }
    }

    /// Fills it in.
    ///
    /// # Errors
    /// Go's words for what isn't there.
    pub fn fill(&self, value: &Value) -> Result<String, Error> {
        let mut out = String::new();
        let mut variables = BTreeMap::from([("$".to_owned(), value.clone())]);
        execute(&self.0, value, &mut variables, &mut out)?;
        Ok(out)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Text,
    Else,
    End,
}

impl Until {
    const fn action(self) -> &'static str {
        match self {
            Self::Text => "EOF",
            Self::Else => "{{else}}",
            Self::End => "{{end}}",
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    /// Nodes up to the end of the text or an `{{end}}` or `{{else}}`.
    fn nodes(&mut self, inside: bool) -> Result<(Vec<Node>, Until), Error> {
        let mut nodes = Vec::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(open) = rest.find("{{") else {
                nodes.push(Node::Text(unescape(rest)));
                self.at = self.text.len();
                return if inside {
                    Err(Error::Syntax("unexpected EOF".to_owned()))
                } else {
                    Ok((nodes, Until::Text))
                };
            };
            nodes.push(Node::Text(unescape(rest.get(..open).unwrap_or_default())));
            let inner = self.at + open + 2;
            let after = self.text.get(inner..).unwrap_or_default();
            let Some(close) = after.find("}}") else {
                return Err(Error::Syntax("unclosed action".to_owned()));
            };
            let action = after.get(..close).unwrap_or_default();
            self.at = inner + close + 2;
            let trimmed = action.trim();
            let (word, operand) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
            let column = inner + action.find(operand).unwrap_or(0);
            match word {
                "" => return Err(Error::Syntax("missing value for command".to_owned())),
                "end" => return Ok((nodes, Until::End)),
                "else" if operand.is_empty() => return Ok((nodes, Until::Else)),
                "else" => return Err(Error::Syntax("hoplab: `else if` is not simulated".to_owned())),
                "if" | "with" | "range" => {
                    let (names, operand, column) = match operand.split_once(":=") {
                        Some((names, over)) if word == "range" => {
                            let names = names.split(',').map(|name| name.trim().to_owned()).collect();
                            (names, over.trim(), inner + action.len() - over.trim_start().len())
                        }
                        _ => (Vec::new(), operand, column),
                    };
                    let pipe = pipe(operand, column)?;
                    let (body, end) = self.nodes(true)?;
                    let otherwise = if end == Until::Else { self.nodes(true)?.0 } else { Vec::new() };
                    nodes.push(match word {
                        "if" => Node::If(pipe, body, otherwise),
                        "with" => Node::With(pipe, body, otherwise),
                        _ => Node::Range { names, over: pipe, body, otherwise },
                    });
                }
                word if word.starts_with("/*") => {}
                word if word.starts_with('$') && operand.starts_with(":=") => {
                    let value = operand.trim_start_matches(":=").trim();
                    nodes.push(Node::Assign(word.to_owned(), pipe(value, inner)?));
                }
                _ => {
                    let skipped = action.len() - action.trim_start().len();
                    nodes.push(Node::Value(pipe(trimmed, inner + skipped)?));
                }
            }
        }
    }
}

/// `\t` and `\n` in a format are what Docker turns them into.
fn unescape(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n")
}

fn pipe(text: &str, column: usize) -> Result<Pipe, Error> {
    let mut commands = vec![Vec::new()];
    let mut at = 0;
    let term_error = |what: &str| Error::Syntax(what.to_owned());
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        let last = commands.last_mut().ok_or_else(|| term_error("missing value for command"))?;
        match c {
            c if c.is_whitespace() => at += c.len_utf8(),
            '|' => {
                commands.push(Vec::new());
                at += 1;
            }
            '(' => {
                let close = closing(rest).ok_or_else(|| term_error("unclosed left paren"))?;
                let inner = rest.get(1..close).unwrap_or_default();
                let group = pipe(inner, column + at + 1)?;
                at += close + 1;
                let (fields, length) = fields(text.get(at..).unwrap_or_default(), column + at);
                at += length;
                if fields.is_empty() {
                    last.push(Term::Group(group));
                } else {
                    // `(…).Field`: the fields of what the group gives.
                    last.push(Term::Group(Pipe {
                        commands: vec![vec![Term::Group(group)], vec![Term::Path(None, fields)]],
                        column,
                        text: text.to_owned(),
                    }));
                }
            }
            '"' | '`' => {
                let end = rest
                    .get(1..)
                    .and_then(|rest| rest.find(c))
                    .ok_or_else(|| term_error("unterminated quoted string"))?;
                last.push(Term::Text(unescape(rest.get(1..=end).unwrap_or_default())));
                at += end + 2;
            }
            '.' | '$' => {
                let name_end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'))
                    .unwrap_or(rest.len());
                let variable = (c == '$').then(|| rest.get(..name_end).unwrap_or("$").to_owned());
                let start = if c == '$' { name_end } else { 0 };
                let (fields, length) = fields(rest.get(start..).unwrap_or_default(), column + at + start);
                at += start + length.max(usize::from(c == '.' && length == 0));
                last.push(Term::Path(variable, fields));
            }
            c if c.is_ascii_digit() || c == '-' => {
                let end = rest
                    .get(1..)
                    .and_then(|r| r.find(|c: char| !c.is_ascii_digit()))
                    .map_or(rest.len(), |n| n + 1);
                let number = rest.get(..end).and_then(|text| text.parse().ok());
                last.push(Term::Number(number.ok_or_else(|| term_error("bad number syntax"))?));
                at += end;
            }
            c if c.is_ascii_alphabetic() => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or_default();
                last.push(match word {
                    "true" => Term::Bool(true),
                    "false" => Term::Bool(false),
                    word if FUNCTIONS.contains(&word) => Term::Function(word.to_owned()),
                    word if NOT_SIMULATED.contains(&word) => {
                        return Err(Error::Syntax(format!("hoplab: function \"{word}\" is not simulated")));
                    }
                    word => return Err(Error::Syntax(format!("function \"{word}\" not defined"))),
                });
                at += end;
            }
            c => return Err(Error::Syntax(format!("unexpected \"{c}\" in operand"))),
        }
    }
    if commands.iter().any(Vec::is_empty) {
        return Err(Error::Syntax("missing value for command".to_owned()));
    }
    Ok(Pipe { commands, column, text: text.to_owned() })
}

/// Where the parenthesis that begins the text is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// `.A.B` at the beginning of the text, and how long it is.
fn fields(text: &str, column: usize) -> (Vec<(String, usize)>, usize) {
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix('.')) {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        fields.push((rest.get(..end).unwrap_or_default().to_owned(), column + at));
        at += end + 1;
    }
    (fields, at)
}

type Variables = BTreeMap<String, Value>;

fn execute(nodes: &[Node], dot: &Value, variables: &mut Variables, out: &mut String) -> Result<(), Error> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Value(pipe) => out.push_str(&shown(&evaluate(pipe, dot, variables)?, last_field(pipe))),
            Node::Assign(name, pipe) => {
                let value = evaluate(pipe, dot, variables)?;
                variables.insert(name.clone(), value);
            }
            Node::If(pipe, then, otherwise) => {
                let branch = if truth(&evaluate(pipe, dot, variables)?) { then } else { otherwise };
                execute(branch, dot, variables, out)?;
            }
            Node::With(pipe, then, otherwise) => {
                let value = evaluate(pipe, dot, variables)?;
                if truth(&value) {
                    execute(then, &value, variables, out)?;
                } else {
                    execute(otherwise, dot, variables, out)?;
                }
            }
            Node::Range { names, over, body, otherwise } => {
                let items: Vec<(Value, Value)> = match evaluate(over, dot, variables)? {
                    Value::Array(items) => {
                        items.into_iter().enumerate().map(|(n, item)| (Value::from(n), item)).collect()
                    }
                    Value::Object(map) => {
                        let mut items: Vec<_> = map.into_iter().collect();
                        items.sort_by(|a, b| a.0.cmp(&b.0));
                        items.into_iter().map(|(key, item)| (Value::from(key), item)).collect()
                    }
                    Value::Null => Vec::new(),
                    other => {
                        return Err(failure(over, format!("range can't iterate over {}", shown(&other, ""))));
                    }
                };
                if items.is_empty() {
                    execute(otherwise, dot, variables, out)?;
                }
                for (key, item) in items {
                    match names.as_slice() {
                        [] => {}
                        [value] => drop(variables.insert(value.clone(), item.clone())),
                        [first, second, ..] => {
                            variables.insert(first.clone(), key);
                            variables.insert(second.clone(), item.clone());
                        }
                    }
                    execute(body, &item, variables, out)?;
                }
            }
        }
    }
    Ok(())
}

/// The field that a pipe reads, if it does nothing else.
fn last_field(pipe: &Pipe) -> &str {
    match pipe.commands.as_slice() {
        [command] => match command.as_slice() {
            [Term::Path(_, fields)] => fields.last().map_or("", |(name, _)| name.as_str()),
            _ => "",
        },
        _ => "",
    }
}

fn failure(pipe: &Pipe, why: String) -> Error {
    Error::Execution { column: pipe.column, at: pipe.text.clone(), why }
}

fn evaluate(pipe: &Pipe, dot: &Value, variables: &Variables) -> Result<Value, Error> {
    let mut piped: Option<Value> = None;
    for command in &pipe.commands {
        let Some((first, rest)) = command.split_first() else { continue };
        piped = Some(match first {
            Term::Function(name) => {
                let mut args = Vec::new();
                for term in rest {
                    args.push(operand(term, dot, variables)?);
                }
                args.extend(piped.take());
                call(name, &args).map_err(|why| failure(pipe, why))?
            }
            Term::Path(None, fields) if piped.is_some() && rest.is_empty() => {
                follow(piped.take().unwrap_or_default(), fields)?
            }
            first if rest.is_empty() => operand(first, dot, variables)?,
            _ => return Err(failure(pipe, "can't give argument to non-function".to_owned())),
        });
    }
    Ok(piped.unwrap_or_default())
}

fn operand(term: &Term, dot: &Value, variables: &Variables) -> Result<Value, Error> {
    Ok(match term {
        Term::Text(text) => Value::from(text.as_str()),
        Term::Number(number) => Value::from(*number),
        Term::Bool(value) => Value::from(*value),
        Term::Group(pipe) => evaluate(pipe, dot, variables)?,
        Term::Function(name) => call(name, &[]).map_err(Error::Syntax)?,
        Term::Path(None, fields) => follow(dot.clone(), fields)?,
        Term::Path(Some(name), fields) => {
            let value = variables.get(name).cloned();
            follow(value.ok_or_else(|| Error::Syntax(format!("undefined variable \"{name}\"")))?, fields)?
        }
    })
}

fn follow(mut value: Value, fields: &[(String, usize)]) -> Result<Value, Error> {
    let all: String = fields.iter().map(|(name, _)| format!(".{name}")).collect();
    for (name, column) in fields {
        let fail = |why: String| Error::Execution { column: *column, at: all.clone(), why };
        value = match value {
            Value::Object(mut map) => {
                map.remove(name).ok_or_else(|| fail(format!("map has no entry for key \"{name}\"")))?
            }
            Value::Null => return Err(fail(format!("nil data; no entry for key \"{name}\""))),
            other => return Err(fail(format!("can't evaluate field {name} in type {}", kind(&other)))),
        };
    }
    Ok(value)
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn call(name: &str, args: &[Value]) -> Result<Value, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| shown(value, ""), str::to_owned);
    let few = || format!("wrong number of args for {name}: want at least 1 got {}", args.len());
    let first = args.first();
    Ok(match name {
        "json" => Value::from(serde_json::to_string(first.ok_or_else(few)?).unwrap_or_default()),
        "len" => match first.ok_or_else(few)? {
            Value::String(text) => Value::from(text.len()),
            Value::Array(items) => Value::from(items.len()),
            Value::Object(map) => Value::from(map.len()),
            Value::Null => Value::from(0),
            other => return Err(format!("error calling len: len of type {}", kind(other))),
        },
        "index" => {
            let mut value = first.ok_or_else(few)?.clone();
            for key in args.get(1..).unwrap_or_default() {
                value = match (value, key) {
                    (Value::Array(items), Value::Number(at)) => {
                        let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
                        at.and_then(|at| items.get(at).cloned()).ok_or_else(|| {
                            format!("error calling index: reflect: slice index out of range: {key}")
                        })?
                    }
                    (Value::Object(mut map), Value::String(key)) => map.remove(key).unwrap_or_default(),
                    (Value::Null, _) => return Err("error calling index: index of untyped nil".to_owned()),
                    (other, _) => {
                        return Err(format!(
                            "error calling index: can't index item of type {}",
                            kind(&other)
                        ));
                    }
                };
            }
            value
        }
        "eq" => Value::from(args.get(1..).unwrap_or_default().iter().any(|other| Some(other) == first)),
        "ne" => Value::from(args.get(1) != first),
        "not" => Value::from(!truth(first.ok_or_else(few)?)),
        "and" => args.iter().find(|value| !truth(value)).or(args.last()).cloned().ok_or_else(few)?,
        "or" => args.iter().find(|value| truth(value)).or(args.last()).cloned().ok_or_else(few)?,
        "upper" => Value::from(text(first.ok_or_else(few)?).to_uppercase()),
        "lower" => Value::from(text(first.ok_or_else(few)?).to_lowercase()),
        "join" => {
            let (Some(Value::Array(items)), Some(between)) = (first, args.get(1)) else {
                return Err("error calling join: expected a list and a string".to_owned());
            };
            Value::from(items.iter().map(text).collect::<Vec<_>>().join(&text(between)))
        }
        "println" => Value::from(args.iter().map(text).collect::<Vec<_>>().join(" ") + "\n"),
        _ => Value::from(args.iter().map(text).collect::<String>()),
    })
}

/// Fields that Go keeps in maps; all other objects are structs, which it prints in braces.
const MAPS: &[&str] =
    &["Ports", "Networks", "ExposedPorts", "Labels", "Options", "PortBindings", "Containers", "Volumes"];

/// `fmt.Print` of a value. `name` is the field it was in.
///
/// Simplified: the type of a field that was reached by name is forgotten: a struct within a list
/// is told from a map by what it holds.
fn shown(value: &Value, name: &str) -> String {
    match value {
        Value::Null => if name.is_empty() { "<no value>" } else { "<nil>" }.to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| shown(item, "item")).collect::<Vec<_>>().join(" "))
        }
        Value::Object(map) => {
            let is_map = MAPS.contains(&name) || map.keys().any(|key| key.contains('/')) || map.is_empty();
            if name == "Networks" {
                // Pointers: Go prints where they lie.
                let items = map.keys().map(|key| format!("{key}:0xc000314240"));
                format!("map[{}]", items.collect::<Vec<_>>().join(" "))
            } else if is_map {
                let mut items: Vec<_> =
                    map.iter().map(|(key, item)| format!("{key}:{}", shown(item, key))).collect();
                items.sort();
                format!("map[{}]", items.join(" "))
            } else {
                format!(
                    "{{{}}}",
                    map.iter().map(|(key, item)| shown(item, key)).collect::<Vec<_>>().join(" ")
                )
            }
        }
    }
}
