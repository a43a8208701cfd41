//! JSON as Go's encoding/json reads it: its rules for names and types, and its words.

use serde_json::{Map, Value};

/// Parses a document.
///
/// # Errors
/// In encoding/json's words, e.g. `unexpected end of JSON input`.
pub fn parse(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) => Err(Scanner { rest: text.as_bytes() }.document().err().unwrap_or_else(|| {
            // serde_json is stricter in one point only: numbers that no float holds.
            "json: cannot unmarshal number into Go value of type float64".to_owned()
        })),
    }
}

/// Prints as `json.MarshalIndent(v, "", "    ")` does, without a newline at the end.
pub fn print(value: &Value) -> String {
    print_with(value, "    ")
}

/// Prints as `json.Marshal` does.
pub fn compact(value: &Value) -> String {
    escape(&value.to_string())
}

fn escape(text: &str) -> String {
    text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

/// Prints as `json.MarshalIndent` does with that much before each level.
pub fn print_with(value: &Value, indent: &str) -> String {
    let mut bytes = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, indent);
    // A value of strings, numbers and maps can always be written to memory.
    let _ = serde::Serialize::serialize(value, &mut serializer);
    escape(&String::from_utf8_lossy(&bytes))
}

/// What encoding/json calls the type of a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A JSON object that fills a Go struct.
#[derive(Clone, Copy, Debug)]
pub struct Struct<'a> {
    map: Option<&'a Map<String, Value>>,
    /// The struct's name, as messages give it.
    name: &'static str,
    /// Where it lies in the outer struct, with a dot at the end: `ipam.`.
    path: &'static str,
}

impl<'a> Struct<'a> {
    /// The document as the struct `name`.
    ///
    /// # Errors
    /// It is no object: `json: cannot unmarshal array into Go value of type main.NetConf`.
    pub fn new(value: &'a Value, name: &'static str, go_type: &str) -> Result<Self, String> {
        match value {
            Value::Object(map) => Ok(Self { map: Some(map), name, path: "" }),
            Value::Null => Ok(Self { map: None, name, path: "" }),
            other => Err(format!("json: cannot unmarshal {} into Go value of type {go_type}", kind(other))),
        }
    }

    /// The field of that name; case doesn't matter if no name is equal. `null` is absent.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        let map = self.map?;
        let found =
            map.get(key).or_else(|| map.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v));
        found.filter(|value| !value.is_null())
    }

    fn mismatch(&self, key: &str, value: &Value, go_type: &str) -> String {
        let what = match (value, go_type) {
            (Value::Number(number), "int") if number.is_f64() => format!("number {number}"),
            _ => kind(value).to_owned(),
        };
        format!(
            "json: cannot unmarshal {what} into Go struct field {}.{}{key} of type {go_type}",
            self.name, self.path
        )
    }

    /// A string; empty if it is absent.
    ///
    /// # Errors
    /// Another type.
    pub fn string(&self, key: &str) -> Result<String, String> {
        match self.get(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(self.mismatch(key, other, "string")),
        }
    }

    /// A truth value; `None` if it is absent.
    ///
    /// # Errors
    /// Another type.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.mismatch(key, other, "bool")),
        }
    }

    /// A whole number; `None` if it is absent.
    ///
    /// # Errors
    /// Another type, or a fraction.
    pub fn int(&self, key: &str) -> Result<Option<i64>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.mismatch(key, value, "int")),
        }
    }

    /// A list; empty if it is absent. `go_type` is the list's type.
    ///
    /// # Errors
    /// Another type.
    pub fn list(&self, key: &str, go_type: &str) -> Result<&'a [Value], String> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(other) => Err(self.mismatch(key, other, go_type)),
        }
    }

    /// A list of strings; empty if it is absent.
    ///
    /// # Errors
    /// Another type.
    pub fn strings(&self, key: &str) -> Result<Vec<String>, String> {
        let values = self.list(key, "[]string")?;
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(self.mismatch(key, other, "string")),
        };
        values.iter().map(text).collect()
    }

    /// A struct inside this one; `path` is its field with a dot, for messages.
    ///
    /// # Errors
    /// Another type.
    pub fn inner(&self, key: &str, path: &'static str, go_type: &str) -> Result<Struct<'a>, String> {
        match self.get(key) {
            None => Ok(Struct { map: None, name: self.name, path }),
            Some(Value::Object(map)) => Ok(Struct { map: Some(map), name: self.name, path }),
            Some(other) => Err(self.mismatch(key, other, go_type)),
        }
    }
}

/// encoding/json's scanner, for its messages. Go: `encoding/json/scanner.go`.
struct Scanner<'a> {
    rest: &'a [u8],
}

const END: &str = "unexpected end of JSON input";

impl Scanner<'_> {
    fn document(mut self) -> Result<(), String> {
        self.value()?;
        self.blanks();
        match self.rest.first() {
            None => Ok(()),
            Some(&byte) => Err(invalid(byte, "after top-level value")),
        }
    }

    fn blanks(&mut self) {
        let blank = self.rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.rest = self.rest.get(blank..).unwrap_or_default();
    }

    fn next(&mut self) -> Result<u8, String> {
        let (&byte, rest) = self.rest.split_first().ok_or(END)?;
        self.rest = rest;
        Ok(byte)
    }

    fn next_after_blanks(&mut self) -> Result<u8, String> {
        self.blanks();
        self.next()
    }

    fn value(&mut self) -> Result<(), String> {
        let byte = self.next_after_blanks()?;
        self.value_from(byte)
    }

    fn value_from(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' | b'0'..=b'9' => self.number(byte),
            other => Err(invalid(other, "looking for beginning of value")),
        }
    }

    fn object(&mut self) -> Result<(), String> {
        let mut first = true;
        loop {
            match self.next_after_blanks()? {
                b'}' if first => return Ok(()),
                b'"' => self.string()?,
                other => return Err(invalid(other, "looking for beginning of object key string")),
            }
            first = false;
            match self.next_after_blanks()? {
                b':' => self.value()?,
                other => return Err(invalid(other, "after object key")),
            }
            match self.next_after_blanks()? {
                b',' => {}
                b'}' => return Ok(()),
                other => return Err(invalid(other, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self) -> Result<(), String> {
        let mut byte = self.next_after_blanks()?;
        if byte == b']' {
            return Ok(());
        }
        loop {
            self.value_from(byte)?;
            match self.next_after_blanks()? {
                b',' => byte = self.next_after_blanks()?,
                b']' => return Ok(()),
                other => return Err(invalid(other, "after array element")),
            }
        }
    }

    fn string(&mut self) -> Result<(), String> {
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => match self.next()? {
                    b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                    b'u' => {
                        for _ in 0..4 {
                            let byte = self.next()?;
                            if !byte.is_ascii_hexdigit() {
                                return Err(invalid(byte, "in \\u hexadecimal character escape"));
                            }
                        }
                    }
                    other => return Err(invalid(other, "in string escape code")),
                },
                byte if byte < 0x20 => return Err(invalid(byte, "in string literal")),
                _ => {}
            }
        }
    }

    fn literal(&mut self, word: &'static str) -> Result<(), String> {
        for expected in word.bytes().skip(1) {
            let byte = self.next()?;
            if byte != expected {
                let context = format!("in literal {word} (expecting '{}')", char::from(expected));
                return Err(invalid(byte, &context));
            }
        }
        Ok(())
    }

    fn digits(&mut self) {
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.rest = self.rest.get(digits..).unwrap_or_default();
    }

    fn number(&mut self, first: u8) -> Result<(), String> {
        let first = if first == b'-' { self.next()? } else { first };
        match first {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            other => return Err(invalid(other, "in numeric literal")),
        }
        if self.rest.first() == Some(&b'.') {
            let _ = self.next();
            let byte = self.next()?;
            if !byte.is_ascii_digit() {
                return Err(invalid(byte, "after decimal point in numeric literal"));
            }
            self.digits();
        }
        if matches!(self.rest.first(), Some(b'e' | b'E')) {
            let _ = self.next();
            let mut byte = self.next()?;
            if matches!(byte, b'+' | b'-') {
                byte = self.next()?;
            }
            if !byte.is_ascii_digit() {
                return Err(invalid(byte, "in exponent of numeric literal"));
            }
            self.digits();
        }
        Ok(())
    }
}

/// Go: `scanner.error`, `quoteChar`.
fn invalid(byte: u8, context: &str) -> String {
    let quoted = match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\n' => "'\\n'".to_owned(),
        b'\r' => "'\\r'".to_owned(),
        b'\t' => "'\\t'".to_owned(),
        0x20..=0x7e => format!("'{}'", char::from(byte)),
        0xa1.. => format!("'{}'", char::from(byte)),
        other => format!("'\\x{other:02x}'"),
    };
    format!("invalid character {quoted} {context}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_use_gos_words() {
        let cases = [
            ("", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            ("{\"a\":1,", "unexpected end of JSON input"),
            ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("tru1", "invalid character '1' in literal true (expecting 'e')"),
            ("\"\\q\"", "invalid character 'q' in string escape code"),
            ("'a'", "invalid character '\\'' looking for beginning of value"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("-x", "invalid character 'x' in numeric literal"),
        ];
        for (text, message) in cases {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn types_are_checked_in_gos_words() {
        let value = parse(r#"{"isGateway":"yes","mtu":1.5,"ISDEFAULTGATEWAY":true}"#).expect("valid JSON");
        let conf = Struct::new(&value, "NetConf", "main.NetConf").expect("an object");
        let message = "json: cannot unmarshal string into Go struct field NetConf.isGateway of type bool";
        assert_eq!(conf.bool("isGateway"), Err(message.to_owned()));
        let message = "json: cannot unmarshal number 1.5 into Go struct field NetConf.mtu of type int";
        assert_eq!(conf.int("mtu"), Err(message.to_owned()));
        assert_eq!(conf.bool("isDefaultGateway"), Ok(Some(true)));
    }
}
