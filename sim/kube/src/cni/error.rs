use serde_json::{Map, Value};

/// What a plugin prints on standard output when it fails. CNI spec 1.1, section 5, "Error".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CniError {
    /// One of [`Code`], or what a delegated plugin gave.
    pub code: u64,
    /// One line.
    pub msg: String,
    /// More, if there is more to say.
    pub details: String,
}

/// The well-known codes. CNI spec 1.1, section 5; `types.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The configuration asks for a version that the plugin doesn't have.
    IncompatibleVersion = 1,
    /// A variable of the environment is missing or bad.
    InvalidEnvironment = 4,
    /// The configuration can't be decoded.
    Decoding = 6,
    /// The configuration decodes, but can't be.
    InvalidConfig = 7,
    /// The namespace is the plugin's own.
    InvalidNetns = 8,
    /// All others.
    Internal = 999,
}

impl CniError {
    /// An error of this code.
    pub fn new(code: Code, msg: impl Into<String>) -> Self {
        Self { code: code as u64, msg: msg.into(), details: String::new() }
    }

    /// The same with details.
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    /// What a delegated plugin printed; `None` if it is no error.
    pub fn from_json(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self { code: value.get("code")?.as_u64()?, msg: text("msg"), details: text("details") })
    }

    /// As it is printed.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("code".to_owned(), self.code.into());
        map.insert("msg".to_owned(), self.msg.clone().into());
        if !self.details.is_empty() {
            map.insert("details".to_owned(), self.details.clone().into());
        }
        Value::Object(map)
    }
}

/// A failure without a code of its own: 999.
impl From<String> for CniError {
    fn from(msg: String) -> Self {
        Self::new(Code::Internal, msg)
    }
}
