//! `-w`: what curl says of a transfer.

use std::net::SocketAddr;

use packet::SimTime;

use super::{State, Transfer};
use crate::tls::ClientSession;

impl State {
    pub(super) fn write_out(&self, format: &str, transfer: &Transfer, code: i32) -> String {
        let mut text = String::new();
        let mut rest = format;
        while let Some(at) = rest.find(['%', '\\']) {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(variable) = rest.strip_prefix("%{").and_then(|r| r.split_once('}')) {
                text.push_str(&self.variable(variable.0, transfer, code));
                rest = variable.1;
                continue;
            }
            let (plain, skip) = match rest.as_bytes() {
                [b'\\', b'n', ..] => ("\n", 2),
                [b'\\', b't', ..] => ("\t", 2),
                [b'\\', b'r', ..] => ("\r", 2),
                [b'%', b'%', ..] => ("%", 2),
                _ => (&rest[..1], 1),
            };
            text.push_str(plain);
            rest = &rest[skip..];
        }
        text.push_str(rest);
        text
    }

    fn variable(&self, name: &str, transfer: &Transfer, code: i32) -> String {
        let addr = |addr: Option<SocketAddr>| addr.map_or(String::new(), |a| a.ip().to_string());
        let port = |addr: Option<SocketAddr>| addr.map_or("0".to_owned(), |a| a.port().to_string());
        let elapsed = |at: Option<SimTime>| {
            let micros = at.unwrap_or(transfer.started).since(transfer.started).as_micros();
            format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
        };
        match name {
            "http_code" | "response_code" => format!("{:03}", transfer.response.status()),
            "http_version" if transfer.response.status() == 0 => "0".to_owned(),
            "http_version" => transfer.response.version().to_owned(),
            "size_download" => transfer.written.to_string(),
            "size_upload" => self.options.data.as_ref().map_or(0, String::len).to_string(),
            "remote_ip" => addr(transfer.remote),
            "remote_port" => port(transfer.remote),
            "local_ip" => addr(transfer.local),
            "local_port" => port(transfer.local),
            "num_connects" => transfer.new_connections.to_string(),
            "content_type" => transfer.response.header("content-type").unwrap_or_default().to_owned(),
            "url" | "url_effective" => transfer.url.effective(),
            "scheme" => transfer.url.scheme.name().to_owned(),
            "ssl_verify_result" => {
                let verified = transfer.secure.as_ref().map_or(Ok(()), ClientSession::verified);
                verified.map_or_else(|why| why.number(), |()| 0).to_string()
            }
            "method" => self.options.method().to_owned(),
            "exitcode" => code.to_string(),
            "num_redirects" => "0".to_owned(),
            "time_namelookup" => elapsed(transfer.resolved),
            "time_total" => elapsed(transfer.response.finished_at()),
            _ => String::new(),
        }
    }
}
