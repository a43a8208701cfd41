//! Listings as text or JSON from one description, as iproute2's `print_*` functions do.

use std::fmt::Write;

/// Builds a listing. Text-only parts vanish in JSON and the other way round.
#[derive(Clone, Debug)]
pub struct Printer {
    out: String,
    form: Form,
    /// The line separator inside an entry: `\` with `-oneline`.
    separator: char,
}

/// What is printed.
#[derive(Clone, Debug)]
enum Form {
    Text,
    Json(JsonState),
}

/// iproute2: `struct json_writer`.
#[derive(Clone, Debug)]
struct JsonState {
    pretty: bool,
    depth: usize,
    comma: bool,
}

/// A value of a JSON member, with its text.
#[derive(Clone, Debug)]
pub enum Cell {
    /// A string.
    Text(String),
    /// A number.
    Number(u64),
    /// JSON text to be taken as it is, and its plain text (timers).
    Raw(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}
impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}
impl From<u16> for Cell {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}
impl From<u8> for Cell {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl Cell {
    fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Raw(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// `%#llx`.
pub fn hex(value: u64) -> String {
    if value == 0 { "0".to_owned() } else { format!("{value:#x}") }
}

impl Printer {
    /// A text listing.
    pub const fn text(oneline: bool) -> Self {
        Self { out: String::new(), form: Form::Text, separator: if oneline { '\\' } else { '\n' } }
    }

    /// A JSON listing: an array is opened. iproute2: `new_json_obj`.
    pub fn new(json: bool, pretty: bool, oneline: bool) -> Self {
        let mut printer = Self::text(oneline);
        if json {
            printer.form = Form::Json(JsonState { pretty, depth: 0, comma: false });
            printer.open_array("");
        }
        printer
    }

    /// Whether this is JSON.
    pub const fn is_json(&self) -> bool {
        matches!(self.form, Form::Json(_))
    }

    /// The whole listing; JSON gets its closing bracket and newline.
    pub fn finish(mut self) -> String {
        if self.is_json() {
            self.close_array("");
            self.out.push('\n');
        }
        self.out
    }

    /// Text that JSON doesn't have.
    pub fn fp(&mut self, text: &str) {
        if !self.is_json() {
            self.out.push_str(text);
        }
    }

    /// The line separator, in text.
    pub fn nl(&mut self) {
        let separator = self.separator;
        if !self.is_json() {
            self.out.push(separator);
        }
    }

    /// A member; in text the template with its `{}` replaced.
    pub fn any(&mut self, key: &str, template: &str, value: impl Into<Cell>) {
        let cell = value.into();
        if self.is_json() {
            self.member(key, &cell);
        } else {
            self.out.push_str(&template.replacen("{}", &cell.plain(), 1));
        }
    }

    /// A member that text doesn't have.
    pub fn js(&mut self, key: &str, value: impl Into<Cell>) {
        if self.is_json() {
            self.member(key, &value.into());
        }
    }

    /// `true` under a key; in text the word.
    pub fn flag(&mut self, key: &str, text: &str) {
        self.bool_as(key, true, text);
    }

    /// A boolean; in text the given words.
    pub fn bool_as(&mut self, key: &str, value: bool, text: &str) {
        if self.is_json() {
            self.member(key, &Cell::Raw(value.to_string()));
        } else {
            self.out.push_str(text);
        }
    }

    /// A boolean; in text `on` or `off` in the template.
    pub fn on_off(&mut self, key: &str, template: &str, value: bool) {
        let word = if value { "on" } else { "off" };
        self.bool_as(key, value, &template.replacen("{}", word, 1));
    }

    /// A boolean that text doesn't have.
    pub fn js_bool(&mut self, key: &str, value: bool) {
        self.js(key, Cell::Raw(value.to_string()));
    }

    /// `null` that text doesn't have.
    pub fn js_null(&mut self, key: &str) {
        self.js(key, Cell::Raw("null".to_owned()));
    }

    /// `null` under a key; in text the words.
    pub fn null(&mut self, key: &str, text: &str) {
        if self.is_json() {
            self.member(key, &Cell::Raw("null".to_owned()));
        } else {
            self.out.push_str(text);
        }
    }

    /// An element of an open array; in text the given words.
    pub fn element(&mut self, value: &str, text: &str) {
        if self.is_json() {
            self.before_value();
            self.quoted(value);
        } else {
            self.out.push_str(text);
        }
    }

    /// Opens an object; the key is empty in an array.
    pub fn open_object(&mut self, key: &str) {
        self.open(key, '{');
    }

    /// Closes an object.
    pub fn close_object(&mut self) {
        self.close('}');
    }

    /// Opens an array; the key is empty at the top.
    pub fn open_array(&mut self, key: &str) {
        self.open(key, '[');
        if let Form::Json(JsonState { pretty: true, .. }) = self.form {
            self.out.push(' ');
        }
    }

    /// Opens an array in JSON, and prints `text` otherwise.
    pub fn open_array_or(&mut self, key: &str, text: &str) {
        self.open_array(key);
        self.fp(text);
    }

    /// Closes an array; in text prints `text`.
    pub fn close_array(&mut self, text: &str) {
        if let Form::Json(state) = &mut self.form {
            if state.pretty && state.comma {
                self.out.push(' ');
            }
            state.comma = false;
            self.close(']');
        } else {
            self.out.push_str(text);
        }
    }

    fn open(&mut self, key: &str, bracket: char) {
        if !self.is_json() {
            return;
        }
        if !key.is_empty() {
            self.name(key);
        }
        self.before_value();
        self.out.push(bracket);
        if let Form::Json(state) = &mut self.form {
            state.depth += 1;
            state.comma = false;
        }
    }

    fn close(&mut self, bracket: char) {
        let Form::Json(state) = &mut self.form else { return };
        state.depth = state.depth.saturating_sub(1);
        if state.comma {
            self.end_line();
        }
        self.out.push(bracket);
        if let Form::Json(state) = &mut self.form {
            state.comma = true;
        }
    }

    fn member(&mut self, key: &str, value: &Cell) {
        self.name(key);
        self.before_value();
        match value {
            Cell::Text(text) => self.quoted(text),
            Cell::Number(_) | Cell::Raw(_) => self.out.push_str(&value.plain()),
        }
    }

    fn name(&mut self, key: &str) {
        self.before_value();
        self.end_line();
        self.quoted(key);
        self.out.push(':');
        if let Form::Json(state) = &mut self.form {
            state.comma = false;
            if state.pretty {
                self.out.push(' ');
            }
        }
    }

    fn before_value(&mut self) {
        if let Form::Json(state) = &mut self.form {
            if state.comma {
                self.out.push(',');
            }
            state.comma = true;
        }
    }

    fn end_line(&mut self) {
        if let Form::Json(JsonState { pretty: true, depth, .. }) = self.form {
            self.out.push('\n');
            self.out.push_str(&"    ".repeat(depth));
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\t' => self.out.push_str("\\t"),
                '\r' => self.out.push_str("\\r"),
                c if c.is_control() => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(c));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(mut p: Printer) -> String {
        p.open_object("");
        p.any("ifindex", "{}: ", 1u32);
        p.open_array_or("flags", "<");
        p.element("UP", "UP,");
        p.element("LOWER_UP", "LOWER_UP");
        p.close_array("> ");
        p.open_array("addr_info");
        p.open_object("");
        p.any("local", "inet {}", "10.0.0.1");
        p.close_object();
        p.close_array("");
        p.open_array("empty");
        p.close_array("");
        p.fp("\n");
        p.close_object();
        p.finish()
    }

    #[test]
    fn one_description_gives_text_and_json() {
        assert_eq!(sample(Printer::new(false, false, false)), "1: <UP,LOWER_UP> inet 10.0.0.1\n");
        assert_eq!(
            sample(Printer::new(true, false, false)),
            "[{\"ifindex\":1,\"flags\":[\"UP\",\"LOWER_UP\"],\"addr_info\":[{\"local\":\"10.0.0.1\"}],\"empty\":[]}]\n"
        );
        assert_eq!(
            sample(Printer::new(true, true, false)),
            "[ {\n        \"ifindex\": 1,\n        \"flags\": [ \"UP\",\"LOWER_UP\" ],\n        \"addr_info\": [ {\n                \"local\": \"10.0.0.1\"\n            } ],\n        \"empty\": [ ]\n    } ]\n"
        );
        assert_eq!(Printer::new(true, true, false).finish(), "[ ]\n");
    }
}
