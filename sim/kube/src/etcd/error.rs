use serde::{Deserialize, Serialize};

/// The numbers of errors that programs look for. etcd: `v2error`.
pub mod code {
    /// No such key.
    pub const KEY_NOT_FOUND: u32 = 100;
    /// A compared value or index is another.
    pub const TEST_FAILED: u32 = 101;
    /// A directory.
    pub const NOT_FILE: u32 = 102;
    /// No directory.
    pub const NOT_DIR: u32 = 104;
    /// The key exists.
    pub const NODE_EXIST: u32 = 105;
    /// `/` can't be changed.
    pub const ROOT_READ_ONLY: u32 = 107;
    /// The directory has keys.
    pub const DIR_NOT_EMPTY: u32 = 108;
    /// An empty `prevValue`.
    pub const PREV_VALUE_REQUIRED: u32 = 201;
    /// A `ttl` that is no number.
    pub const TTL_NAN: u32 = 202;
    /// An index that is no number.
    pub const INDEX_NAN: u32 = 203;
    /// A field's value has another type.
    pub const INVALID_FIELD: u32 = 209;
    /// A refresh brings a value.
    pub const REFRESH_VALUE: u32 = 212;
    /// A refresh lacks a TTL.
    pub const REFRESH_TTL_REQUIRED: u32 = 213;
    /// A watch begins before the history that is kept.
    pub const EVENT_INDEX_CLEARED: u32 = 401;
}

/// What the keys API answers when it refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdError {
    /// One of [`code`].
    #[serde(rename = "errorCode")]
    pub code: u32,
    /// The code in words.
    pub message: String,
    /// The key or the field.
    #[serde(default)]
    pub cause: String,
    /// The store's index.
    pub index: u64,
}

impl EtcdError {
    /// An error of that code.
    pub fn new(code: u32, cause: impl Into<String>, index: u64) -> Self {
        Self { code, message: message(code).to_owned(), cause: cause.into(), index }
    }

    /// The HTTP status that goes with it.
    pub fn status(&self) -> &'static str {
        match self.code {
            code::KEY_NOT_FOUND => "404 Not Found",
            code::NOT_FILE | code::DIR_NOT_EMPTY => "403 Forbidden",
            code::TEST_FAILED | code::NODE_EXIST => "412 Precondition Failed",
            _ => "400 Bad Request",
        }
    }
}

/// As etcd's client prints it.
impl std::fmt::Display for EtcdError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, message, cause, index } = self;
        write!(f, "{code}: {message} ({cause}) [{index}]")
    }
}

fn message(number: u32) -> &'static str {
    match number {
        code::KEY_NOT_FOUND => "Key not found",
        code::TEST_FAILED => "Compare failed",
        code::NOT_FILE => "Not a file",
        code::NOT_DIR => "Not a directory",
        code::NODE_EXIST => "Key already exists",
        code::ROOT_READ_ONLY => "Root is read only",
        code::DIR_NOT_EMPTY => "Directory not empty",
        code::PREV_VALUE_REQUIRED => "PrevValue is Required in POST form",
        code::TTL_NAN => "The given TTL in POST form is not a number",
        code::INDEX_NAN => "The given index in POST form is not a number",
        code::INVALID_FIELD => "Invalid field",
        code::REFRESH_VALUE => "Value provided on refresh",
        code::REFRESH_TTL_REQUIRED => "A TTL must be provided on refresh",
        code::EVENT_INDEX_CLEARED => "The event in requested index is outdated and cleared",
        _ => "Unknown Error",
    }
}
