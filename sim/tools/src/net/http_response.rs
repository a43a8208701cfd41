//! An HTTP answer as it comes in.

use packet::SimTime;

/// Whether an answer has come completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing misses.
    Complete,
    /// More is to come.
    More,
}

/// An HTTP answer as it comes in (RFC 9112).
#[derive(Clone, Debug)]
pub struct Response {
    /// Nothing follows the head (HEAD requests).
    no_body: bool,
    buffer: Vec<u8>,
    head: Option<String>,
    head_taken: bool,
    body: Vec<u8>,
    body_len: u64,
    /// Bytes of the current chunk that miss; only for chunked answers.
    chunk_left: Option<u64>,
    last_chunk: bool,
    finished_at: Option<SimTime>,
}

impl Response {
    /// Nothing has come yet; with `no_body` nothing comes after the head.
    pub fn new(no_body: bool) -> Self {
        Self {
            no_body,
            buffer: Vec::new(),
            head: None,
            head_taken: false,
            body: Vec::new(),
            body_len: 0,
            chunk_left: None,
            last_chunk: false,
            finished_at: None,
        }
    }

    /// Takes more bytes.
    pub fn take(&mut self, data: &[u8]) -> Progress {
        self.buffer.extend_from_slice(data);
        if self.head.is_none() {
            let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
                return Progress::More;
            };
            let rest = self.buffer.split_off(end + 4);
            self.head = Some(String::from_utf8_lossy(&self.buffer).into_owned());
            self.buffer = rest;
        }
        if self.chunked() {
            self.take_chunks();
        } else if !self.no_body {
            let room = self
                .expected()
                .map_or(usize::MAX, |total| usize::try_from(total - self.body_len).unwrap_or(usize::MAX));
            let n = self.buffer.len().min(room);
            self.body_len += n as u64;
            self.body.extend(self.buffer.drain(..n));
        }
        if self.complete() { Progress::Complete } else { Progress::More }
    }

    fn take_chunks(&mut self) {
        while !self.last_chunk {
            let left = match self.chunk_left {
                Some(left) => left,
                None => {
                    let Some(end) = self.buffer.windows(2).position(|w| w == b"\r\n") else { return };
                    let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                    let text = String::from_utf8_lossy(&line);
                    let size = u64::from_str_radix(text.split(';').next().unwrap_or_default().trim(), 16)
                        .unwrap_or(0);
                    if size == 0 {
                        self.last_chunk = true;
                        return;
                    }
                    size
                }
            };
            let n = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.body_len += n as u64;
            self.body.extend(self.buffer.drain(..n));
            let left = left - n as u64;
            if left > 0 || self.buffer.len() < 2 {
                self.chunk_left = Some(left);
                return;
            }
            self.buffer.drain(..2);
            self.chunk_left = None;
        }
    }

    fn complete(&self) -> bool {
        let status = self.status();
        self.head.is_some()
            && (self.no_body
                || self.last_chunk
                || status == 204
                || status == 304
                || self.expected().is_some_and(|total| self.body_len >= total))
    }

    /// The server closed the connection.
    pub fn end(&mut self) -> Progress {
        let open_ended = self.head.is_some() && self.expected().is_none() && !self.chunked();
        if open_ended || self.complete() { Progress::Complete } else { Progress::More }
    }

    /// Notes when it was complete.
    pub fn finish(&mut self, now: SimTime) {
        self.finished_at = Some(now);
    }

    /// When it was complete.
    pub fn finished_at(&self) -> Option<SimTime> {
        self.finished_at
    }

    /// Whether nothing has come.
    pub fn is_empty(&self) -> bool {
        self.head.is_none() && self.buffer.is_empty()
    }

    /// Bytes of the body that miss.
    pub fn missing(&self) -> u64 {
        self.expected().unwrap_or(0).saturating_sub(self.body_len)
    }

    /// Length of the body, if the head tells.
    pub fn expected(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    fn chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    }

    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.as_ref()?.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Status code; 0 before it is known.
    pub fn status(&self) -> u32 {
        let line = self.head.as_ref().and_then(|head| head.lines().next()).unwrap_or_default();
        line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// `1.1` or `1`.
    pub fn version(&self) -> &str {
        let line = self.head.as_ref().and_then(|head| head.lines().next()).unwrap_or_default();
        if line.starts_with("HTTP/1.0") { "1" } else { "1.1" }
    }

    /// Whether the connection can carry another request.
    pub fn keep_alive(&self) -> bool {
        let closes = self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.version() == "1.1" && !closes && (self.expected().is_some() || self.chunked() || self.no_body)
    }

    /// The head, the first time it is asked for.
    pub fn new_head(&mut self) -> String {
        if self.head_taken {
            return String::new();
        }
        self.head_taken = self.head.is_some();
        self.head.clone().unwrap_or_default()
    }

    /// What came of the body since the last call.
    pub fn new_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }
}
