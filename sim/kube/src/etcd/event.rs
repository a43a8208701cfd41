use serde::{Deserialize, Serialize};

/// A key as the API shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNode {
    /// Its path; empty for the root.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Its value; a directory has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether it is a directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dir: bool,
    /// When it expires, as RFC 3339 writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
    /// Seconds until then, rounded up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ttl: u64,
    /// What a directory holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<KeyNode>,
    /// The store's index at its last change.
    #[serde(default, rename = "modifiedIndex", skip_serializing_if = "is_zero")]
    pub modified: u64,
    /// The store's index when it was made.
    #[serde(default, rename = "createdIndex", skip_serializing_if = "is_zero")]
    pub created: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What happened to a key, or what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `get`, `set`, `create`, `update`, `delete`, `expire`, `compareAndSwap`, `compareAndDelete`.
    pub action: String,
    /// The key afterwards.
    pub node: KeyNode,
    /// The key before.
    #[serde(default, rename = "prevNode", skip_serializing_if = "Option::is_none")]
    pub prev: Option<KeyNode>,
}

impl Event {
    /// The store's index at the event.
    pub fn index(&self) -> u64 {
        self.node.modified
    }

    /// Whether the key is gone.
    pub fn removes(&self) -> bool {
        matches!(self.action.as_str(), "delete" | "expire" | "compareAndDelete")
    }

    /// Whether somebody who watches `key` hears of it. etcd: `EventHistory.scan`.
    pub fn concerns(&self, key: &str, recursive: bool) -> bool {
        let below = |upper: &str, lower: &str| {
            upper == "/" || lower.strip_prefix(upper).is_some_and(|rest| rest.starts_with('/'))
        };
        let directory_gone = self.removes() && self.prev.as_ref().is_some_and(|prev| prev.dir);
        self.node.key == key
            || recursive && below(key, &self.node.key) && !hidden(key, &self.node.key)
            || directory_gone && below(&self.node.key, key)
    }

    /// Its JSON as Go prints it, without a newline.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

/// Whether a part of `key` below `watched` begins with an underscore. etcd: `isHidden`.
fn hidden(watched: &str, key: &str) -> bool {
    key.strip_prefix(watched).is_some_and(|rest| rest.split('/').any(|part| part.starts_with('_')))
}

/// JSON as Go prints it.
pub(super) fn json(value: &impl Serialize) -> String {
    // Strings, numbers and lists can always be written to memory.
    let text = serde_json::to_string(value).unwrap_or_default();
    text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}
