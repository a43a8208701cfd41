use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use kernel::Errno;
use kernel::socket::SocketKind;
use packet::{Pid, SimTime};
use world::{Fd, Next, Program, ReadResult, Sys, Wait};

use crate::api;
use crate::kubelet::frame::{self, escape};
use crate::kubelet::{PORT, SESSION};
use crate::stream::{Ask, Piece, Request, Stream};

/// Carries a client's stream to the node of its pod and back: the API server's proxy to kubelets.
///
/// Simplified: a process for each, so that what it does is told apart.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// The API server, whose end is this one's too.
    server: Pid,
    stream: Stream,
    request: Arc<Request>,
    wire: Option<Wire>,
}

/// A connection to a kubelet.
#[derive(Clone, Debug)]
struct Wire {
    fd: Fd,
    remote: SocketAddr,
    url: String,
    connected: bool,
    /// When the connection must stand.
    by: SimTime,
    to_send: Vec<u8>,
    received: Vec<u8>,
    /// The head of the answer has come: pieces follow.
    upgraded: bool,
    /// What has been seen of the store.
    seen: u64,
}

/// How long the API server tries to connect.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);

impl Carrier {
    /// Carries a stream.
    pub fn new(server: Pid, stream: Stream, request: Arc<Request>) -> Self {
        Self { server, stream, request, wire: None }
    }

    fn refuse(&mut self, sys: &mut dyn Sys, why: String) -> Next {
        self.stream.send(sys, Piece::Refused(why));
        Next::Exit(0)
    }

    /// What stands before the kubelet's part of an error.
    fn failure(&self, url: &str, why: &str) -> String {
        match self.request.ask {
            Ask::Logs { .. } => format!(": Get {url:?}: {why}"),
            Ask::Exec { .. } | Ask::Attach { .. } | Ask::PortForward { .. } => {
                format!(": error dialing backend: {why}")
            }
        }
    }

    /// Finds the kubelet and begins to connect.
    fn begin(&mut self, sys: &mut dyn Sys) -> Result<Wire, String> {
        let Request { namespace, pod: name, ask, session, .. } = &*self.request;
        let pod = api::get::<Pod>(sys.store(), namespace, name)
            .ok_or_else(|| format!(" (NotFound): pods {name:?} not found"))?;
        let spec = pod.spec.clone().unwrap_or_default();
        let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let container = match &self.request.container {
            Some(wanted) if all.clone().any(|container| container.name == *wanted) => wanted.clone(),
            Some(wanted) => {
                return Err(format!(" (BadRequest): container {wanted} is not valid for pod {name}"));
            }
            None => all.clone().next().map(|container| container.name.clone()).unwrap_or_default(),
        };
        let node = spec.node_name.filter(|node| !node.is_empty());
        let node = node.ok_or_else(|| format!(" (BadRequest): pod {name} does not have a host assigned"))?;
        let address = address(sys, &node).ok_or_else(|| {
            format!(" (NotFound): no preferred addresses found; known addresses: [] (node {node:?})")
        })?;
        let remote = SocketAddr::new(address, PORT);
        let (verb, query) = match ask {
            Ask::Exec { command, stdin, tty } => {
                let mut query: String =
                    command.iter().map(|word| format!("command={}&", escape(word))).collect();
                if *stdin {
                    query.push_str("input=1&");
                }
                if *tty {
                    query.push_str("tty=1&");
                }
                ("exec", format!("{query}output=1"))
            }
            Ask::Attach { stdin } => {
                ("attach", if *stdin { "input=1&output=1" } else { "output=1" }.to_owned())
            }
            Ask::Logs { follow, tail, previous } => {
                let mut query = Vec::new();
                if *follow {
                    query.push("follow=true".to_owned());
                }
                if *previous {
                    query.push("previous=true".to_owned());
                }
                query.extend(tail.map(|lines| format!("tailLines={lines}")));
                ("containerLogs", query.join("&"))
            }
            Ask::PortForward { port } => ("portForward", format!("port={port}")),
        };
        let place = match verb {
            "portForward" => format!("{namespace}/{name}"),
            _ => format!("{namespace}/{name}/{container}"),
        };
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("/{verb}/{place}{mark}{query}");
        let method = if verb == "containerLogs" { "GET" } else { "POST" };
        let session = session.map(|(host, pid)| format!("{SESSION}: {} {}\r\n", host.0, pid.0));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {remote}\r\nUser-Agent: kube-apiserver/v1.30.14\r\nConnection: \
             Upgrade\r\nUpgrade: SPDY/3.1\r\n{}\r\n",
            session.unwrap_or_default()
        );
        let url = format!("https://{remote}{path}");
        let dial = |errno| {
            self.failure(&url, &format!("dial tcp {remote}: connect: {}", crate::cni::go_text(errno)))
        };
        let fd = sys.socket(SocketKind::Tcp).map_err(dial)?;
        match sys.connect(fd, remote) {
            Ok(()) | Err(Errno::InProgress) => Ok(Wire {
                fd,
                remote,
                connected: false,
                by: sys.now() + DIAL_TIMEOUT,
                to_send: head.into_bytes(),
                received: Vec::new(),
                upgraded: false,
                seen: 0,
                url: url.clone(),
            }),
            Err(errno) => {
                sys.close(fd);
                Err(dial(errno))
            }
        }
    }

    /// Goes on; answers what it waits for, or nothing at its end.
    fn go_on(&mut self, sys: &mut dyn Sys, wire: &mut Wire) -> Result<Option<Wait>, String> {
        if !wire.connected {
            let Wire { fd, remote, .. } = *wire;
            if let Some(errno) = sys.take_error(fd) {
                let why = match errno {
                    Errno::TimedOut => "i/o timeout".to_owned(),
                    errno => format!("connect: {}", crate::cni::go_text(errno)),
                };
                return Err(self.failure(&wire.url, &format!("dial tcp {remote}: {why}")));
            }
            if sys.peer_addr(fd).is_none() || !sys.ready(fd).writable {
                if sys.now() >= wire.by {
                    return Err(self.failure(&wire.url, &format!("dial tcp {remote}: i/o timeout")));
                }
                let pids = vec![self.server];
                return Ok(Some(Wait { fds: vec![fd], until: Some(wire.by), pids, ..Wait::default() }));
            }
            wire.connected = true;
        }
        wire.seen = sys.store().revision();
        let pieces = self.stream.receive(sys.store());
        wire.to_send.extend(pieces.iter().flat_map(frame::encode));
        while !wire.to_send.is_empty() {
            match sys.send(wire.fd, &wire.to_send, None) {
                Ok(n) => drop(wire.to_send.drain(..n)),
                Err(Errno::Again) => break,
                Err(errno) => return Err(self.failure(&wire.url, &crate::cni::go_text(errno))),
            }
        }
        let mut ended = None;
        while ended.is_none() {
            match sys.read(wire.fd, 1 << 16) {
                Ok(ReadResult::Data(bytes)) => wire.received.extend(bytes),
                Ok(ReadResult::WouldBlock) => break,
                Ok(ReadResult::Eof) => ended = Some("EOF".to_owned()),
                Err(errno) => ended = Some(format!("read: {}", crate::cni::go_text(errno))),
            }
        }
        if !wire.upgraded {
            self.take_head(wire)?;
        }
        while wire.upgraded
            && let Some(piece) = frame::take(&mut wire.received)
        {
            let last = matches!(piece, Piece::Exited(_) | Piece::Refused(_));
            self.stream.send(sys, piece);
            if last {
                return Ok(None);
            }
        }
        if let Some(why) = ended {
            return Err(format!(": {why}"));
        }
        let mut wait = Wait { fds: vec![wire.fd], pids: vec![self.server], ..Wait::default() };
        wait.watch = Some(self.stream.watch(wire.seen));
        Ok(Some(wait))
    }

    /// The head of the kubelet's answer: it agrees, or says why not.
    fn take_head(&self, wire: &mut Wire) -> Result<(), String> {
        let Some(end) = wire.received.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(());
        };
        let head: Vec<u8> = wire.received.drain(..end + 4).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let status: u16 = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let body = String::from_utf8_lossy(&wire.received).trim_end().to_owned();
        let logs = matches!(self.request.ask, Ask::Logs { .. });
        match status {
            101 => {
                wire.upgraded = true;
                Ok(())
            }
            400 => Err(format!(" (BadRequest): {body}")),
            _ if !logs => Err(format!(": unable to upgrade connection: {body}")),
            404 => Err(format!(" (NotFound): {body}")),
            _ => Err(format!(" (InternalError): {body}")),
        }
    }
}

/// The address by which the API server reaches a node.
fn address(sys: &dyn Sys, node: &str) -> Option<IpAddr> {
    let node = api::get::<Node>(sys.store(), "", node)?;
    let addresses = node.status.as_ref()?.addresses.clone()?;
    let of = |kind: &str| addresses.iter().find(|address| address.type_ == kind)?.address.parse().ok();
    of("InternalIP").or_else(|| of("ExternalIP"))
}

impl Program for Carrier {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if sys.exit_status(self.server).is_some() || self.stream.is_closed(sys.store()) {
            return Next::Exit(0);
        }
        let wire = self.wire.take().map_or_else(|| self.begin(sys), Ok);
        let outcome = wire.and_then(|mut wire| {
            let wait = self.go_on(sys, &mut wire)?;
            self.wire = Some(wire);
            Ok(wait)
        });
        match outcome {
            Ok(Some(mut wait)) => {
                // The client may leave.
                let (seen, mut prefixes) = match wait.watch.take() {
                    Some(watch) => (watch.after, watch.prefixes),
                    None => (sys.store().revision(), Vec::new()),
                };
                prefixes.push(self.stream.request_key());
                wait.watch = Some(world::Watch { after: seen, prefixes });
                Next::Wait(wait)
            }
            Ok(None) => Next::Exit(0),
            Err(why) => self.refuse(sys, why),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
