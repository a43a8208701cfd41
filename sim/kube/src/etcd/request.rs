//! What a request to the keys API asks for. etcd: `parseKeyRequest`.

use super::keys::clean;
use super::{Compare, EtcdError, code};

/// An HTTP request, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Http {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Fields of body and query, the body's first.
    form: Vec<(String, String)>,
}

/// A request below `/v2/keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeysRequest {
    pub key: String,
    /// `value`; a directory has none.
    pub value: String,
    pub dir: bool,
    pub recursive: bool,
    pub wait: bool,
    pub wait_index: u64,
    pub stream: bool,
    pub quorum: bool,
    pub prev_exist: Option<bool>,
    pub compare: Compare,
    /// Seconds.
    pub ttl: Option<u64>,
    pub refresh: bool,
    pub no_value_on_success: bool,
}

impl Http {
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut words = head.lines().next().unwrap_or_default().split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or("/");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let is_form = head.lines().skip(1).any(|line| {
            let line = line.to_ascii_lowercase();
            line.starts_with("content-type:") && line.contains("application/x-www-form-urlencoded")
        });
        let body = if is_form && matches!(method.as_str(), "POST" | "PUT" | "PATCH") { body } else { "" };
        let form = fields(body).chain(fields(query)).collect();
        Self { method, path: decode(path, false), form }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Go: `strconv.ParseBool`.
    fn switch(&self, name: &str, cause: &str) -> Result<Option<bool>, EtcdError> {
        match self.field(name) {
            None => Ok(None),
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Some(true)),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Some(false)),
            Some(_) => Err(EtcdError::new(code::INVALID_FIELD, cause, 0)),
        }
    }

    fn number(&self, name: &str, wrong: u32) -> Result<Option<u64>, EtcdError> {
        let parse = |text: &str| {
            text.parse().map_err(|_| EtcdError::new(wrong, format!("invalid value for \"{name}\""), 0))
        };
        self.field(name).map(parse).transpose()
    }
}

fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key, true), decode(value, true))
    })
}

/// `%41` becomes `A`; in forms `+` becomes a space.
fn decode(text: &str, form: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        rest = match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                tail.get(2..).unwrap_or_default()
            }
            (b'+', _) if form => {
                bytes.push(b' ');
                tail
            }
            _ => {
                bytes.push(first);
                tail
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A value as a form carries it. Go: `url.QueryEscape`.
pub(super) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// A path of a URL. Go: `url.URL.EscapedPath`.
pub(super) fn encode_path(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/$&+,:;=@".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

impl KeysRequest {
    /// The request for the part of the path behind `/v2/keys`.
    ///
    /// # Errors
    /// A field has no value that fits.
    pub fn parse(http: &Http, key: &str) -> Result<Self, EtcdError> {
        let refuse = |code, cause: &str| Err(EtcdError::new(code, cause, 0));
        let index = |name| http.number(name, code::INDEX_NAN).map(Option::unwrap_or_default);
        let switch = |name: &str| http.switch(name, &format!("invalid value for \"{name}\""));
        let on = |name| switch(name).map(Option::unwrap_or_default);
        let (prev_index, wait_index) = (index("prevIndex")?, index("waitIndex")?);
        let recursive = on("recursive")?;
        // Directories are always shown in order.
        on("sorted")?;
        let wait = on("wait")?;
        let (dir, quorum, stream) = (on("dir")?, on("quorum")?, on("stream")?);
        if wait && http.method != "GET" {
            return refuse(code::INVALID_FIELD, "\"wait\" can only be used with GET requests");
        }
        if http.field("prevValue") == Some("") {
            return refuse(code::PREV_VALUE_REQUIRED, "\"prevValue\" cannot be empty");
        }
        let no_value_on_success = on("noValueOnSuccess")?;
        let ttl = match http.field("ttl") {
            None | Some("") => None,
            Some(_) => http.number("ttl", code::TTL_NAN)?,
        };
        let prev_exist = http.switch("prevExist", "invalid value for prevExist")?;
        let refresh = http.switch("refresh", "invalid value for refresh")?.unwrap_or_default();
        let value = http.field("value").unwrap_or_default().to_owned();
        if refresh && !value.is_empty() {
            return refuse(code::REFRESH_VALUE, "A value was provided on a refresh");
        }
        if refresh && ttl.is_none() {
            return refuse(code::REFRESH_TTL_REQUIRED, "No TTL value set");
        }
        let compare =
            Compare { value: http.field("prevValue").unwrap_or_default().to_owned(), index: prev_index };
        Ok(Self {
            key: clean(key),
            value,
            dir,
            recursive,
            wait,
            wait_index,
            stream,
            quorum,
            prev_exist,
            compare,
            ttl,
            refresh,
            no_value_on_success,
        })
    }
}
