//! The kubelet's server: the API server comes here for logs, commands and ports.
//!
//! Simplified: plain HTTP without authentication.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use packet::{HostId, Pid};
use world::{Fd, ReadResult, Spawn, Sys};

use super::conversation::{Conversation, Job};
use super::frame::unescape;
use super::node::PORT;
use super::record::State;
use super::worker::{Here, Worker};

/// A server with the connections whose requests aren't complete.
#[derive(Clone, Debug)]
pub struct Server {
    listener: Fd,
    open: Vec<(Fd, Vec<u8>)>,
}

/// The header that says for which command a request is made.
pub const SESSION: &str = "X-Session";

/// Bytes of a request after which it is given up.
const MAX_REQUEST: usize = 64 * 1024;

/// A refusal: status and text.
type Refusal = (u16, String);

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// `EADDRINUSE` and kin.
    pub fn listen(sys: &mut dyn Sys) -> Result<Self, Errno> {
        let listener = sys.socket(SocketKind::Tcp)?;
        sys.set_option(listener, SocketOption::ReuseAddr(true))?;
        sys.bind(listener, SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT))?;
        sys.listen(listener, 4096)?;
        Ok(Self { listener, open: Vec::new() })
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> impl Iterator<Item = Fd> {
        std::iter::once(self.listener).chain(self.open.iter().map(|(fd, _)| *fd))
    }

    /// Takes new connections, and what came on all.
    pub fn turn(&mut self, sys: &mut dyn Sys, here: &Here, workers: &BTreeMap<String, Worker>) {
        while let Ok((fd, _)) = sys.accept(self.listener) {
            self.open.push((fd, Vec::new()));
        }
        let open = std::mem::take(&mut self.open);
        for (fd, mut text) in open {
            let mut ended = false;
            loop {
                match sys.read(fd, 1 << 16) {
                    Ok(ReadResult::Data(bytes)) => text.extend(bytes),
                    Ok(ReadResult::WouldBlock) => break,
                    Ok(ReadResult::Eof) | Err(_) => {
                        ended = true;
                        break;
                    }
                }
            }
            let head = text.windows(4).position(|window| window == b"\r\n\r\n");
            let complete = head.is_some();
            if let Some(end) = head {
                let rest = text.split_off(end + 4);
                answer(sys, fd, (&String::from_utf8_lossy(&text), rest), (here, workers));
            }
            if complete || ended || text.len() > MAX_REQUEST {
                sys.close(fd);
            } else {
                self.open.push((fd, text));
            }
        }
    }
}

fn answer(
    sys: &mut dyn Sys,
    fd: Fd,
    (request, received): (&str, Vec<u8>),
    (here, workers): (&Here, &BTreeMap<String, Worker>),
) {
    let target = request.split(' ').nth(1).unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |name: &str| {
        request.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let words: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (status, body) = match words.as_slice() {
        ["healthz"] => (200, "ok".to_owned()),
        ["pods"] => {
            let pods: Vec<_> = workers.values().map(|worker| &*worker.pod).collect();
            let list =
                serde_json::json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods});
            (200, format!("{list}\n"))
        }
        [verb @ ("exec" | "attach" | "containerLogs" | "portForward"), namespace, pod, rest @ ..] => {
            let container = rest.first().copied().unwrap_or_default();
            match job(sys, (here, workers), verb, (namespace, pod, container), query) {
                Ok((job, input)) => {
                    let session = header(SESSION).and_then(|text| session(&text));
                    let mut fds = vec![(Fd(3), fd)];
                    fds.extend(input.map(|fd| (Fd(4), fd)));
                    let conversation = Conversation::new(sys.pid(), (job, session), received);
                    let spawned = sys.spawn(Spawn {
                        args: vec!["kubelet".to_owned()],
                        code: Some(Box::new(conversation)),
                        fds,
                        ..Spawn::default()
                    });
                    match spawned {
                        Ok(_) => return,
                        Err(errno) => (500, errno.to_string()),
                    }
                }
                Err(refusal) => refusal,
            }
        }
        _ => (404, "404 page not found\n".to_owned()),
    };
    let word = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        _ => "Internal Server Error",
    };
    let text = format!(
        "HTTP/1.1 {status} {word}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // A client that has gone doesn't read it.
    let _ = sys.send(fd, text.as_bytes(), None);
}

/// `HOST PID`.
fn session(text: &str) -> Option<(HostId, Pid)> {
    let (host, pid) = text.split_once(' ')?;
    Some((HostId(host.parse().ok()?), Pid(pid.parse().ok()?)))
}

/// What a request asks for, and the input of the container if it is wanted.
fn job(
    sys: &mut dyn Sys,
    (here, workers): (&Here, &BTreeMap<String, Worker>),
    verb: &str,
    (namespace, pod, container): (&str, &str, &str),
    query: &str,
) -> Result<(Job, Option<Fd>), Refusal> {
    let all: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), unescape(value)))
        .collect();
    let get = |name: &str| all.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let is = |name: &str| matches!(get(name), Some("1" | "true"));
    let worker = workers
        .values()
        .find(|worker| worker.record.namespace == namespace && worker.record.name == pod)
        .ok_or_else(|| (404, format!("pod \"{pod}\" not found")))?;
    if verb == "portForward" {
        let port = get("port").and_then(|port| port.parse().ok());
        let port = port.ok_or((400, "missing or invalid port".to_owned()))?;
        let sandbox = worker.record.sandbox.as_ref().filter(|sandbox| sandbox.pid != 0);
        let sandbox = sandbox.ok_or((404, format!("pod not found (\"{pod}_{namespace}\")")))?;
        return Ok((Job::Forward { pid: Pid(sandbox.pid), port }, None));
    }
    let it = worker.record.containers.get(container);
    let log = |restarts: i32| format!("{}/{container}/{restarts}.log", worker.record.logs());
    if verb == "containerLogs" {
        let follow = is("follow");
        let tail = get("tailLines").and_then(|lines| lines.parse().ok());
        let of_this = |restarts, follow| Ok((Job::Log { path: log(restarts), tail, follow }, None));
        let waiting = |reason: &str| {
            let reason = if reason.is_empty() { "ContainerCreating" } else { reason };
            let why = format!("container \"{container}\" in pod \"{pod}\" is waiting to start: {reason}");
            Err((400, why))
        };
        let Some(it) = it else { return waiting("") };
        let began = it.last.as_ref().is_some_and(|last| last.reason != "StartError");
        return match &it.state {
            _ if is("previous") && !began => {
                let why = format!("previous terminated container \"{container}\" in pod \"{pod}\" not found");
                Err((400, why))
            }
            State::Running(_) | State::Ended(_) if is("previous") => of_this(it.restarts - 1, None),
            State::Running(run) => of_this(it.restarts, Some(Pid(run.shim)).filter(|_| follow)),
            State::Ended(_) => of_this(it.restarts, None),
            State::Waiting { reason, .. } if !began => waiting(reason),
            State::Waiting { .. } => of_this(it.restarts, None),
        };
    }
    let run = it.and_then(super::record::Container::run);
    let run = run.ok_or_else(|| (404, format!("container not found (\"{container}\")")))?;
    if verb == "attach" {
        let input = worker.inputs.get(container).copied().filter(|_| is("input"));
        let restarts = it.map_or(0, |it| it.restarts);
        let job =
            Job::Attach { pid: run.pid(), id: run.id.clone(), log: log(restarts), stdin: input.is_some() };
        return Ok((job, input));
    }
    let command = all.iter().filter(|(key, _)| key == "command").map(|(_, value)| value.clone()).collect();
    let env = worker.environment_of(sys, here, container);
    Ok((Job::Exec { pid: run.pid(), command, env, stdin: is("input"), tty: is("tty") }, None))
}
