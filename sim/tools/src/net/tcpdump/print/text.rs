//! Protocols of text lines. Source: `util-print.c`, `txtproto_print`; `print-http.c`.

use super::{Printed, Printer, u8_at};

const HTTP: [&str; 38] = [
    "GET",
    "PUT",
    "COPY",
    "HEAD",
    "LOCK",
    "MOVE",
    "POLL",
    "POST",
    "BCOPY",
    "BMOVE",
    "MKCOL",
    "TRACE",
    "LABEL",
    "MERGE",
    "DELETE",
    "SEARCH",
    "UNLOCK",
    "REPORT",
    "UPDATE",
    "NOTIFY",
    "BDELETE",
    "CONNECT",
    "OPTIONS",
    "CHECKIN",
    "PROPFIND",
    "CHECKOUT",
    "CCM_POST",
    "SUBSCRIBE",
    "PROPPATCH",
    "BPROPFIND",
    "BPROPPATCH",
    "UNCHECKOUT",
    "MKACTIVITY",
    "MKWORKSPACE",
    "UNSUBSCRIBE",
    "RPC_CONNECT",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
];
const RTSP: [&str; 11] = [
    "DESCRIBE",
    "ANNOUNCE",
    "GET_PARAMETER",
    "OPTIONS",
    "PAUSE",
    "PLAY",
    "RECORD",
    "REDIRECT",
    "SETUP",
    "SET_PARAMETER",
    "TEARDOWN",
];
const MAX_TOKEN: usize = 128;

fn printable(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// The token at `at` and where the next begins. Source: `fetch_token`.
fn token(data: &[u8], at: usize, len: usize) -> Option<(&[u8], usize)> {
    let data = &data[..data.len().min(len)];
    let rest = data.get(at..)?;
    let end = rest.iter().position(|byte| b" \t\r\n".contains(byte));
    if end.is_none() && data.len() < len {
        return None;
    }
    let word = &rest[..end.unwrap_or(rest.len())];
    if word.is_empty() || word.len() >= MAX_TOKEN || !word.iter().all(|byte| printable(*byte)) {
        return None;
    }
    let blanks = rest[word.len()..].iter().take_while(|byte| **byte == b' ').count();
    Some((word, at + word.len() + blanks))
}

impl Printer {
    /// Source: `txtproto_print`.
    pub(super) fn text_protocol(&mut self, name: &'static str, data: &[u8], len: usize) -> Printed {
        self.protocol = name;
        let commands: Option<&[&str]> = match name {
            "http" => Some(&HTTP),
            "rtsp" => Some(&RTSP),
            _ => None,
        };
        let readable = commands.is_none_or(|commands| {
            let Some((word, next)) = token(data, 0, len) else { return false };
            let command = commands.iter().any(|command| word.eq_ignore_ascii_case(command.as_bytes()));
            let code = token(data, next, len)
                .is_some_and(|(word, _)| word.len() == 3 && word.iter().all(u8::is_ascii_digit));
            command || code
        });
        self.put(&name.to_ascii_uppercase());
        if !readable {
            return Ok(());
        }
        if self.style.verbose == 0 {
            return self.text_line(": ", data, 0, len).map(|_| ());
        }
        self.say(format_args!(", length: {len}"));
        let mut at = 0;
        while at < len {
            match self.text_line("\n\t", data, at, len)? {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(())
    }

    /// A line, and where the next begins; nothing if it isn't text. Source: `print_txt_line`.
    fn text_line(
        &mut self,
        prefix: &str,
        data: &[u8],
        start: usize,
        len: usize,
    ) -> Result<Option<usize>, super::Cut> {
        let mut at = start;
        let next = loop {
            if at >= len {
                break None;
            }
            match u8_at(data, at)? {
                b'\n' => break Some(at + 1),
                b'\r' if at + 1 < len && u8_at(data, at + 1)? == b'\n' => break Some(at + 2),
                byte if printable(byte) || byte == b'\t' => at += 1,
                _ => return Ok(None),
            }
        };
        let line = String::from_utf8_lossy(&data[start..at]).into_owned();
        self.say(format_args!("{prefix}{line}"));
        if next.is_none() {
            self.truncated();
        }
        Ok(next)
    }

    /// Source: `ssh_print_version`.
    pub(super) fn ssh_version(&mut self, data: &[u8]) {
        let end = data.iter().position(|byte| b"\r\n".contains(byte));
        if let Some(line) = end.map(|end| &data[..end])
            && line.starts_with(b"SSH-")
            && line.iter().all(|byte| printable(*byte))
        {
            let line = String::from_utf8_lossy(line).into_owned();
            self.say(format_args!(": SSH: {line}"));
        }
    }
}
