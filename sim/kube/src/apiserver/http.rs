//! Requests and answers of HTTP/1.1.

use serde_json::Value;
use world::Sys;

use crate::api::token::uuid;
use crate::cni::go_json;
use crate::kubelet::frame::unescape;
use crate::time::{HTTP_DATE, time, unix};

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// `/api/v1/pods`.
    pub path: String,
    /// What stands behind the question mark.
    pub query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    /// What stands behind the headers.
    pub body: String,
}

impl Request {
    /// Reads a request's text.
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or("/");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |word: &str| {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            (unescape(key), unescape(&value.replace('+', " ")))
        };
        let query = query.split('&').filter(|word| !word.is_empty()).map(pair).collect();
        let header = |line: &str| {
            let (key, value) = line.split_once(':')?;
            Some((key.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.filter_map(header).collect();
        Self { method, path: unescape(path), query, headers, body: body.to_owned() }
    }

    /// The first header of that name, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All headers of that name, in small letters.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What the query says of that name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the query switches something on.
    pub fn asks_for(&self, name: &str) -> bool {
        matches!(self.param(name), Some("true" | "1"))
    }

    /// Whether JSON is laid out for people. Kubernetes: `isPrettyPrint`.
    fn wants_layout(&self) -> bool {
        if self.param("pretty").is_some() {
            return self.asks_for("pretty");
        }
        let agent = self.header("user-agent").unwrap_or_default();
        ["curl", "Wget", "Mozilla/5.0"].iter().any(|known| agent.starts_with(known))
    }

    /// JSON for whom asks. Go: `json.MarshalIndent`, `json.Encoder`.
    pub fn print(&self, value: &Value) -> String {
        match self.wants_layout() {
            true => go_json::print_with(value, "  "),
            false => format!("{}\n", go_json::compact(value)),
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// `200`.
    pub status: u16,
    /// What the body is.
    pub content: Content,
    /// It.
    pub body: String,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// `application/json`.
    Json,
    /// `text/plain`.
    Text,
}

const fn word(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        501 => "Not Implemented",
        _ => "Internal Server Error",
    }
}

/// Status and headers; the request's number tells its audit id.
fn head(sys: &dyn Sys, (status, content): (u16, Content), number: u64) -> String {
    let kind = match content {
        Content::Json => "application/json",
        Content::Text => "text/plain; charset=utf-8",
    };
    let guard = match (content, status) {
        (Content::Text, _) | (_, 403) => "X-Content-Type-Options: nosniff\r\n",
        _ => "",
    };
    let id = uuid(&format!("request {number} at {}", sys.now().as_nanos()));
    let date = time(unix(sys)).0.strftime(HTTP_DATE);
    format!(
        "HTTP/1.1 {status} {}\r\nAudit-Id: {id}\r\nCache-Control: no-cache, private\r\nContent-Type: \
         {kind}\r\n{guard}Date: {date}\r\n",
        word(status)
    )
}

impl Response {
    /// Its bytes; a HEAD request gets no body.
    ///
    /// Simplified: the whole body follows at once, never in chunks.
    pub fn bytes(&self, sys: &dyn Sys, request: &Request, number: u64) -> Vec<u8> {
        let mut text = head(sys, (self.status, self.content), number);
        text.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        if request.method != "HEAD" {
            text.push_str(&self.body);
        }
        text.into_bytes()
    }
}

/// The head of an answer that comes in chunks.
pub fn chunked(sys: &dyn Sys, number: u64) -> Vec<u8> {
    let head = head(sys, (200, Content::Json), number);
    format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes()
}

/// A chunk of an answer.
pub fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

/// The end of such an answer.
pub fn last_chunk() -> Vec<u8> {
    b"0\r\n\r\n".to_vec()
}
