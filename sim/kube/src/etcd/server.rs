//! `etcd`: one member that answers the v2 keys API over HTTP.
//!
//! Simplified: one member, without peers, TLS and the v3 API.

use std::time::Duration;

use tools::console::write_all;
use tools::net::http_server::{ConnectionId, HttpRequest, HttpServer};
use world::{Args, Fd, Next, Program, Signal, Sys, Wait};

use super::event::json;
use super::options::{Options, Refused};
use super::request::{Http, KeysRequest};
use super::{Compare, EtcdError, Event, Expiry, Keys, VERSION};
use crate::cni::files;
use crate::time::{HTTP_DATE, present};

/// The id of a cluster whose only member advertises http://localhost:2380.
const CLUSTER_ID: &str = "cdf818194e3a8c32";
const MEMBER_ID: &str = "8e9e05c52164694d";

/// `etcd`.
#[derive(Clone, Debug)]
pub(super) struct Etcd {
    args: Args,
    serving: Option<Serving>,
}

#[derive(Clone, Debug)]
struct Serving {
    options: Options,
    servers: Vec<HttpServer>,
    keys: Keys,
    watches: Vec<Watch>,
    /// Entries of the log that a cluster would agree on: changes, and reads with a quorum.
    raft_index: u64,
    /// The index that is stored.
    saved: u64,
}

/// A request that waits for an event.
#[derive(Clone, Debug)]
struct Watch {
    server: usize,
    connection: ConnectionId,
    key: String,
    recursive: bool,
    since: u64,
    stream: bool,
}

impl Etcd {
    pub fn new(args: Args) -> Self {
        Self { args, serving: None }
    }
}

/// A line of the log. Packages of etcd: `capnslog`.
fn log(sys: &mut dyn Sys, level: char, package: &str, text: &str) {
    let at = present(sys).strftime("%Y-%m-%d %H:%M:%S.%6f");
    let line = format!("{at} {level} | {package}: {text}\n");
    write_all(sys, Fd::STDERR, &line);
}

impl Serving {
    fn start(sys: &mut dyn Sys, args: &Args) -> Result<Self, Refused> {
        let options = Options::parse(sys, args)?;
        if options.version {
            let text = format!(
                "etcd Version: {VERSION}\nGit SHA: Not provided (use ./build instead of go build)\nGo Version: go1.19.8\nGo OS/Arch: linux/amd64\n"
            );
            write_all(sys, Fd::STDOUT, &text);
            return Err(Refused(0, String::new()));
        }
        log(sys, 'I', "etcdmain", &format!("etcd Version: {VERSION}"));
        log(sys, 'I', "embed", &format!("name = {}", options.name));
        log(sys, 'I', "embed", &format!("data dir = {}", options.data_dir));
        log(sys, 'I', "embed", &format!("advertise client URLs = {}", options.advertise.join(",")));
        let mut servers = Vec::new();
        for addr in &options.listen {
            match HttpServer::listen(sys, *addr, 4096) {
                Ok(server) => servers.push(server),
                Err(errno) => {
                    let why = crate::cni::go_text(errno);
                    log(sys, 'C', "etcdmain", &format!("listen tcp {addr}: bind: {why}"));
                    return Err(Refused(1, String::new()));
                }
            }
        }
        let snap = format!("{}/member/snap", options.data_dir);
        if let Err(error) = files::make_folder(sys, &snap) {
            log(sys, 'C', "etcdmain", &error);
            return Err(Refused(1, String::new()));
        }
        let stored = files::read(sys, &format!("{snap}/db")).ok();
        let keys: Keys = stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        log(sys, 'I', "etcdserver", &format!("starting member {MEMBER_ID} in cluster {CLUSTER_ID}"));
        for addr in &options.listen {
            log(sys, 'I', "embed", "ready to serve client requests");
            let text = format!("serving insecure client requests on {addr}, this is strongly discouraged!");
            log(sys, 'N', "embed", &text);
        }
        let (raft_index, saved) = (4, keys.index());
        Ok(Self { options, servers, keys, watches: Vec::new(), raft_index, saved })
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Wait {
        self.keys.expire(sys);
        self.tell(sys);
        for at in 0..self.servers.len() {
            let Some(server) = self.servers.get_mut(at) else { continue };
            for request in server.receive(sys) {
                let mut next = Some(request);
                while let Some(request) = next {
                    next = self.serve(sys, at, &request);
                }
            }
        }
        self.tell(sys);
        self.watches.retain(|watch| {
            self.servers.get(watch.server).is_some_and(|server| server.stands(watch.connection))
        });
        self.save(sys);
        let fds = self.servers.iter().flat_map(HttpServer::fds).collect();
        Wait { fds, until: self.keys.next_expiry(), ..Wait::default() }
    }

    /// Writes the keys to the data directory, if they changed.
    ///
    /// Simplified: as JSON, all at once.
    fn save(&mut self, sys: &mut dyn Sys) {
        if self.saved != self.keys.index() {
            self.saved = self.keys.index();
            let path = format!("{}/member/snap/db", self.options.data_dir);
            let text = serde_json::to_string(&self.keys).unwrap_or_default();
            if let Err(error) = files::write(sys, &path, &text) {
                log(sys, 'E', "etcdserver", &error);
            }
        }
    }

    /// Answers the watches for which something has happened.
    fn tell(&mut self, sys: &mut dyn Sys) {
        let mut later = Vec::new();
        for mut watch in std::mem::take(&mut self.watches) {
            let mut over = false;
            while let Ok(Some(event)) = self.keys.event_since(&watch.key, watch.recursive, watch.since) {
                let text = format!("{}\n", event.to_json());
                watch.since = event.index() + 1;
                let Some(server) = self.servers.get_mut(watch.server) else { break };
                server.push(sys, watch.connection, format!("{:x}\r\n{text}\r\n", text.len()).into_bytes());
                if !watch.stream {
                    server.answer(sys, watch.connection, b"0\r\n\r\n".to_vec());
                    over = true;
                    break;
                }
            }
            if !over {
                later.push(watch);
            }
        }
        self.watches = later;
    }

    /// Answers a request; answers the next of the connection, if it has come already.
    fn serve(&mut self, sys: &mut dyn Sys, server: usize, request: &HttpRequest) -> Option<HttpRequest> {
        let http = Http::parse(&request.text);
        let answer = match http.path.as_str() {
            path if path == "/v2/keys" || path.starts_with("/v2/keys/") => {
                self.keys_request(sys, &http, (server, request.connection))?
            }
            "/version" => {
                let versions = format!("{{\"etcdserver\":\"{VERSION}\",\"etcdcluster\":\"3.4.0\"}}");
                Answer::json("200 OK", versions)
            }
            "/health" => Answer::text("200 OK", "{\"health\":\"true\"}"),
            "/v2/machines" => Answer::text("200 OK", &self.options.advertise.join(", ")),
            "/v2/members" => {
                let members = serde_json::json!({"members": [{
                    "id": MEMBER_ID,
                    "name": self.options.name,
                    "peerURLs": [self.options.peer],
                    "clientURLs": self.options.advertise,
                }]});
                let mut answer = Answer::json("200 OK", format!("{}\n", json(&members)));
                answer.headers.push(("X-Etcd-Cluster-Id", CLUSTER_ID.to_owned()));
                answer
            }
            _ => Answer::refusal("404 Not Found", "404 page not found\n"),
        };
        let bytes = answer.to_bytes(sys, &http.method);
        self.servers.get_mut(server)?.answer(sys, request.connection, bytes)
    }

    /// Answers a request of the keys API; `None` if its answer has to wait.
    fn keys_request(
        &mut self,
        sys: &mut dyn Sys,
        http: &Http,
        (server, connection): (usize, ConnectionId),
    ) -> Option<Answer> {
        if !matches!(http.method.as_str(), "HEAD" | "GET" | "PUT" | "POST" | "DELETE" | "OPTIONS") {
            let mut answer = Answer::refusal("405 Method Not Allowed", "Method Not Allowed\n");
            answer.headers.insert(0, ("Allow", "HEAD,GET,PUT,POST,DELETE".to_owned()));
            return Some(answer);
        }
        if http.method == "OPTIONS" {
            return Some(Answer { status: "200 OK", headers: Vec::new(), body: Some(String::new()) });
        }
        let key = http.path.strip_prefix("/v2/keys").unwrap_or_default();
        let asked = match KeysRequest::parse(http, key) {
            Ok(asked) => asked,
            Err(error) => return Some(Answer::error(&error)),
        };
        if asked.wait {
            let since = if asked.wait_index == 0 { self.keys.index() + 1 } else { asked.wait_index };
            if let Err(error) = self.keys.event_since(&asked.key, asked.recursive, since) {
                return Some(Answer::error(&error));
            }
            let answer = Answer { body: None, ..self.with_index("200 OK", String::new()) };
            let bytes = answer.to_bytes(sys, &http.method);
            self.servers.get_mut(server)?.push(sys, connection, bytes);
            let (key, recursive, stream) = (asked.key, asked.recursive, asked.stream);
            self.watches.push(Watch { server, connection, key, recursive, since, stream });
            self.tell(sys);
            return None;
        }
        let outcome = self.apply(sys, &http.method, &asked);
        Some(match outcome {
            Ok(mut event) => {
                let created = event.action == "create" || event.action == "set" && event.prev.is_none();
                if asked.no_value_on_success {
                    event.node.value = None;
                    event.prev = None;
                }
                let status = if created { "201 Created" } else { "200 OK" };
                self.with_index(status, format!("{}\n", event.to_json()))
            }
            Err(error) => Answer::error(&error),
        })
    }

    fn with_index(&self, status: &'static str, body: String) -> Answer {
        let mut answer = Answer::json(status, body);
        answer.headers.extend([
            ("X-Etcd-Cluster-Id", CLUSTER_ID.to_owned()),
            ("X-Etcd-Index", self.keys.index().to_string()),
            ("X-Raft-Index", self.raft_index.to_string()),
            ("X-Raft-Term", "2".to_owned()),
        ]);
        answer
    }

    /// etcd: `applierV2store`.
    fn apply(&mut self, sys: &dyn Sys, method: &str, asked: &KeysRequest) -> Result<Event, EtcdError> {
        let key = &asked.key;
        let at = asked.ttl.map(|ttl| sys.now() + Duration::from_secs(ttl));
        let expiry = Expiry { at, refresh: asked.refresh };
        let value = (!asked.dir).then_some(asked.value.as_str());
        if method != "GET" && method != "HEAD" || asked.quorum {
            self.raft_index += 1;
        }
        match method {
            "PUT" if asked.prev_exist == Some(false) => self.keys.create(sys, key, value, false, expiry),
            "PUT" if asked.prev_exist == Some(true) || asked.compare != Compare::default() => {
                self.keys.update(sys, key, &asked.value, &asked.compare, expiry)
            }
            "PUT" => self.keys.set(sys, key, value, expiry),
            "POST" => self.keys.create(sys, key, value, true, expiry),
            "DELETE" => self.keys.delete(sys, key, (asked.dir, asked.recursive), &asked.compare),
            _ => self.keys.get(sys, key, asked.recursive),
        }
    }
}

/// An HTTP answer.
struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    /// `None` comes in chunks.
    body: Option<String>,
}

impl Answer {
    fn json(status: &'static str, body: String) -> Self {
        Self { status, headers: vec![("Content-Type", "application/json".to_owned())], body: Some(body) }
    }

    fn text(status: &'static str, body: &str) -> Self {
        let kind = ("Content-Type", "text/plain; charset=utf-8".to_owned());
        Self { status, headers: vec![kind], body: Some(body.to_owned()) }
    }

    /// Go: `http.Error`.
    fn refusal(status: &'static str, body: &str) -> Self {
        let mut answer = Self::text(status, body);
        answer.headers.push(("X-Content-Type-Options", "nosniff".to_owned()));
        answer
    }

    fn error(error: &EtcdError) -> Self {
        let mut answer = Self::json(error.status(), format!("{}\n", json(error)));
        let cluster = ("X-Etcd-Cluster-Id", CLUSTER_ID.to_owned());
        answer.headers.extend([cluster, ("X-Etcd-Index", error.index.to_string())]);
        answer
    }

    fn to_bytes(&self, sys: &dyn Sys, method: &str) -> Vec<u8> {
        let mut text = format!(
            "HTTP/1.1 {}\r\nAccess-Control-Allow-Headers: accept, content-type, authorization\r\n\
             Access-Control-Allow-Methods: POST, GET, OPTIONS, PUT, DELETE\r\n\
             Access-Control-Allow-Origin: *\r\n",
            self.status
        );
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Date: {}\r\n", present(sys).strftime(HTTP_DATE)));
        match &self.body {
            None => text.push_str("Transfer-Encoding: chunked\r\n\r\n"),
            Some(body) => {
                text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
                if method != "HEAD" {
                    text.push_str(body);
                }
            }
        }
        text.into_bytes()
    }
}

impl Program for Etcd {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let serving = match &mut self.serving {
            Some(serving) => serving,
            None => match Serving::start(sys, &self.args) {
                Ok(serving) => self.serving.insert(serving),
                Err(Refused(status, text)) => {
                    write_all(sys, Fd::STDERR, &text);
                    return Next::Exit(status);
                }
            },
        };
        Next::Wait(serving.turn(sys))
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        if matches!(signal, Signal::Int | Signal::Term) {
            let name = if signal == Signal::Int { "interrupt" } else { "terminated" };
            log(sys, 'N', "pkg/osutil", &format!("received {name} signal, shutting down..."));
        }
        Next::Exit(128 + signal.number())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
