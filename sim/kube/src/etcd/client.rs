use std::net::{IpAddr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use tools::net::http_client::{Deadlines, HttpExchange, HttpFailure};
use tools::net::http_response::Response;
use tools::net::resolve;
use world::{Sys, Wait};

use super::request::{encode, encode_path};
use super::{EtcdError, Event};
use crate::cni::go_text;

/// Asks the members of a cluster, one after the other until one answers. etcd: `client/v2`.
#[derive(Clone, Debug)]
pub struct EtcdClient {
    /// URLs.
    pub endpoints: Vec<String>,
    /// How long it waits.
    pub timeouts: Timeouts,
    /// The endpoint that answered last.
    pinned: usize,
}

/// How long a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub dial: Duration,
    /// For a whole answer, but that of a watch.
    pub answer: Option<Duration>,
}

/// A request that is under way.
#[derive(Clone, Debug)]
pub struct EtcdCall {
    method: &'static str,
    /// Path and query.
    target: String,
    body: Option<String>,
    tried: usize,
    waits: bool,
    exchange: Option<(String, HttpExchange)>,
    errors: Vec<String>,
}

/// What the API answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdAnswer {
    /// The body.
    pub body: String,
    /// `X-Etcd-Index`.
    pub index: u64,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EtcdFailure {
    /// No member answered; what each said.
    Cluster(Vec<String>),
    /// The API refused.
    Refused(EtcdError),
    /// Something else.
    Other(String),
}

impl EtcdFailure {
    /// The API's refusal with that code.
    pub fn is(&self, code: u32) -> bool {
        matches!(self, Self::Refused(error) if error.code == code)
    }
}

impl std::fmt::Display for EtcdFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cluster(errors) => {
                f.write_str("client: etcd cluster is unavailable or misconfigured")?;
                errors.iter().enumerate().try_for_each(|(n, error)| writeln!(f, "; error #{n}: {error}"))
            }
            Self::Refused(error) => error.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl EtcdAnswer {
    /// The body as an event.
    ///
    /// # Errors
    /// It is something else.
    pub fn event(&self) -> Result<Event, EtcdFailure> {
        serde_json::from_str(&self.body).map_err(|_| {
            EtcdFailure::Other(
                "client: response is invalid json. The endpoint is probably not valid etcd cluster endpoint."
                    .to_owned(),
            )
        })
    }
}

/// `HOST:PORT`, as Go's `net.SplitHostPort` takes it.
pub(super) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.trim_end_matches('/').rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}

impl EtcdCall {
    fn new(method: &'static str, target: String, body: Option<String>) -> Self {
        Self { method, target, body, tried: 0, waits: false, exchange: None, errors: Vec::new() }
    }

    /// A request for any path below the endpoint.
    pub fn get_path(path: &str) -> Self {
        Self::new("GET", path.to_owned(), None)
    }

    /// The value of a key, or the keys of a directory.
    pub fn get(key: &str, recursive: bool, sorted: bool) -> Self {
        let query = format!("quorum=true&recursive={recursive}&sorted={sorted}");
        Self::new("GET", format!("{}?{query}", path_of(key)), None)
    }

    /// The next event after the index `after`; 0 is the present one.
    pub fn watch(key: &str, recursive: bool, after: u64) -> Self {
        let index = if after == 0 { String::new() } else { format!("&waitIndex={}", after + 1) };
        let target = format!("{}?recursive={recursive}&wait=true{index}", path_of(key));
        Self { waits: true, ..Self::new("GET", target, None) }
    }

    /// Writes a key: fields of the query, and of the form.
    pub fn put(key: &str, query: &[(&str, String)], form: &[(&str, String)]) -> Self {
        Self::new("PUT", with_query(key, query), Some(fields(form)))
    }

    /// Writes a key with the next number in a directory.
    pub fn post(key: &str, form: &[(&str, String)]) -> Self {
        Self::new("POST", path_of(key), Some(fields(form)))
    }

    /// Removes a key.
    pub fn delete(key: &str, query: &[(&str, String)]) -> Self {
        Self::new("DELETE", with_query(key, query), None)
    }

    /// Goes as far as it can.
    pub fn poll(
        &mut self,
        sys: &mut dyn Sys,
        client: &mut EtcdClient,
    ) -> Poll<Result<EtcdAnswer, EtcdFailure>> {
        loop {
            let Some((_, exchange)) = &mut self.exchange else {
                if self.tried == client.endpoints.len() {
                    return Poll::Ready(Err(EtcdFailure::Cluster(std::mem::take(&mut self.errors))));
                }
                self.try_next(sys, client);
                continue;
            };
            let Poll::Ready(outcome) = exchange.poll(sys) else { return Poll::Pending };
            let Some((endpoint, exchange)) = self.exchange.take() else { return Poll::Pending };
            match outcome {
                Err(failure) => {
                    self.errors.push(describe(self.method, &endpoint, exchange.remote(), failure))
                }
                Ok(response) => match self.judge(&endpoint, response) {
                    Some(outcome) => {
                        client.pinned = (client.pinned + self.tried - 1) % client.endpoints.len();
                        return Poll::Ready(outcome);
                    }
                    None => continue,
                },
            }
        }
    }

    /// What it waits for.
    pub fn wait(&self) -> Wait {
        self.exchange.as_ref().map_or_else(Wait::default, |(_, exchange)| exchange.wait())
    }

    /// Gives it up.
    pub fn cancel(self, sys: &mut dyn Sys) {
        if let Some((_, exchange)) = self.exchange {
            exchange.cancel(sys);
        }
    }

    fn try_next(&mut self, sys: &mut dyn Sys, client: &EtcdClient) {
        let at = (client.pinned + self.tried) % client.endpoints.len();
        self.tried += 1;
        let Some(endpoint) = client.endpoints.get(at).cloned() else { return };
        let Some(plain) = endpoint.strip_prefix("http://") else {
            self.errors.push(format!("hoplab: {endpoint}: only http is simulated"));
            return;
        };
        let plain = plain.split('/').next().unwrap_or_default();
        let (host, port) = host_and_port(plain).unwrap_or((plain, 80));
        let addr = if host == "localhost" {
            resolve(sys, host).or(Some(std::net::Ipv4Addr::LOCALHOST))
        } else {
            resolve(sys, host)
        };
        let Some(addr) = addr else {
            self.errors.push(format!("dial tcp: lookup {host}: no such host"));
            return;
        };
        let remote = SocketAddr::new(IpAddr::V4(addr), port);
        let mut request = format!(
            "{} {} HTTP/1.1\r\nHost: {plain}\r\nUser-Agent: Go-http-client/1.1\r\n",
            self.method, self.target
        );
        if let Some(body) = &self.body {
            request.push_str(&format!(
                "Content-Length: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
                body.len()
            ));
        }
        request.push_str("Accept-Encoding: gzip\r\n\r\n");
        request.push_str(self.body.as_deref().unwrap_or_default());
        let Timeouts { dial, answer } = client.timeouts;
        let now = sys.now();
        let deadlines = Deadlines {
            connect: Some(now + dial),
            answer: answer.filter(|_| !self.waits).map(|answer| now + answer),
        };
        match HttpExchange::start(sys, remote, &request, deadlines) {
            Ok(exchange) => self.exchange = Some((endpoint, exchange)),
            Err(failure) => self.errors.push(describe(self.method, &endpoint, remote, failure)),
        }
    }

    /// What an answer means; `None` if another member is to be asked.
    fn judge(&mut self, endpoint: &str, mut response: Response) -> Option<Result<EtcdAnswer, EtcdFailure>> {
        let status = response.status();
        if status / 100 == 5 {
            self.errors.push(match status {
                500 | 503 => format!("client: etcd member {endpoint} has no leader"),
                _ => format!("client: etcd member {endpoint} returns server error [{status}]"),
            });
            return None;
        }
        let body = String::from_utf8_lossy(&response.new_body()).into_owned();
        let index = response.header("x-etcd-index").and_then(|index| index.parse().ok()).unwrap_or_default();
        if status == 200 || status == 201 {
            return Some(Ok(EtcdAnswer { body, index }));
        }
        Some(Err(serde_json::from_str(&body).map_or_else(
            |_| {
                EtcdFailure::Other(format!(
                    "invalid character '{}' looking for beginning of value",
                    body.chars().next().unwrap_or(' ')
                ))
            },
            EtcdFailure::Refused,
        )))
    }
}

impl EtcdClient {
    /// A client of these members.
    pub fn new(endpoints: Vec<String>, timeouts: Timeouts) -> Self {
        Self { endpoints, timeouts, pinned: 0 }
    }
}

fn path_of(key: &str) -> String {
    encode_path(&super::keys::clean(&format!("/v2/keys/{key}")))
}

fn fields(fields: &[(&str, String)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}

fn with_query(key: &str, query: &[(&str, String)]) -> String {
    let query = fields(query);
    if query.is_empty() { path_of(key) } else { format!("{}?{query}", path_of(key)) }
}

/// A failure in the words of Go's HTTP client.
fn describe(method: &str, endpoint: &str, remote: SocketAddr, failure: HttpFailure) -> String {
    match failure {
        HttpFailure::Connect(errno) => format!("dial tcp {remote}: connect: {}", go_text(errno)),
        HttpFailure::ConnectTimeout => format!("dial tcp {remote}: i/o timeout"),
        HttpFailure::Broken(errno) => format!("read tcp {remote}: {}", go_text(errno)),
        HttpFailure::Closed => "EOF".to_owned(),
        HttpFailure::Cut => "unexpected EOF".to_owned(),
        HttpFailure::Timeout => format!("{method} {endpoint}: context deadline exceeded"),
    }
}
