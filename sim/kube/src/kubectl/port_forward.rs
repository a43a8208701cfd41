//! `kubectl port-forward`: ports of this host that lead to a pod.

use std::net::{Ipv4Addr, SocketAddr};

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use serde_json::Value;
use world::{Fd, Next, Program, Signal, Sys, Wait, Watch};

use super::cli::{Cli, Then};
use super::container::{pod, pods_of};
use super::failure::Failure;
use super::print::{list, name, number, text};
use super::target;
use crate::stream::{Ask, Piece, Request, Stream};
use crate::time::klog;

/// A port here and a port of the pod; 0 here is any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    local: u16,
    remote: u16,
}

/// Runs it.
pub fn run(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    let Some((word, ports)) = words.split_first().filter(|(_, ports)| !ports.is_empty()) else {
        return Err(cli.usage("TYPE/NAME and list of ports are required for port-forward"));
    };
    let addresses = match cli.flags.get("address") {
        None | Some("localhost") => vec![Ipv4Addr::LOCALHOST],
        Some(list) => list
            .split(',')
            .map(|address| match address {
                "localhost" => Ok(Ipv4Addr::LOCALHOST),
                address => address.parse().map_err(|_| {
                    Failure::Own(format!("error parsing address: invalid IP address {address:?}"))
                }),
            })
            .collect::<Result<_, _>>()?,
    };
    let target = target::one(cli, word, "pods")?;
    let service = (target.kind.kind == "Service").then(|| target.object.clone());
    let pod = match &service {
        Some(_) => {
            let serving = pods_of(cli.sys, &target).into_iter().next();
            serving.ok_or_else(|| Failure::Own("timed out waiting for the condition".to_owned()))?
        }
        None => pod(cli, word)?,
    };
    let mut pairs = Vec::new();
    for port in ports {
        pairs.push(read_pair(port, service.as_ref(), &pod).map_err(Failure::Own)?);
    }
    let phase = text(&pod, "/status/phase");
    if phase != "Running" {
        return Err(Failure::Own(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        )));
    }
    let mut forward = Forward {
        namespace: text(&pod, "/metadata/namespace").to_owned(),
        pod: name(&pod),
        listeners: Vec::new(),
        connections: Vec::new(),
    };
    for pair in pairs {
        let mut refused = Vec::new();
        for &address in &addresses {
            match listen(cli.sys, address, pair.local) {
                Ok((fd, at)) => {
                    cli.out(&format!("Forwarding from {at} -> {}\n", pair.remote));
                    forward.listeners.push((fd, Pair { local: at.port(), ..pair }));
                }
                Err(errno) => refused.push(format!(
                    "unable to create listener: Error listen tcp4 {address}:{}: bind: {}",
                    pair.local,
                    crate::cni::go_text(errno)
                )),
            }
        }
        if refused.len() == addresses.len() {
            let all = refused.join(" ");
            return Err(Failure::Own(format!(
                "unable to listen on any of the requested ports: [{{{} {}}}]",
                pair.local, pair.remote
            )))
            .inspect_err(|_| cli.err(&format!("Unable to listen on port {}: Listeners failed to create with the following errors: [{all}]\n", pair.local)));
        }
    }
    Ok(Then::Go(Box::new(forward)))
}

fn listen(sys: &mut dyn Sys, address: Ipv4Addr, port: u16) -> Result<(Fd, SocketAddr), Errno> {
    let fd = sys.socket(SocketKind::Tcp)?;
    let made = sys
        .set_option(fd, SocketOption::ReuseAddr(true))
        .and_then(|()| sys.bind(fd, SocketAddr::from((address, port))))
        .and_then(|()| sys.listen(fd, 128));
    if let Err(errno) = made {
        sys.close(fd);
        return Err(errno);
    }
    let at = sys.local_addr(fd).unwrap_or(SocketAddr::from((address, port)));
    Ok((fd, at))
}

/// Reads `LOCAL:REMOTE`, `:REMOTE`, `PORT`; names are those of the Service's or the pod's ports.
fn read_pair(port: &str, service: Option<&Value>, pod: &Value) -> Result<Pair, String> {
    let (local, remote) = port.split_once(':').unwrap_or((port, port));
    let named = local == remote;
    let number_of = |text: &str| text.parse::<u16>().ok().filter(|&port| port > 0);
    let (shown, remote) = match service {
        Some(service) => {
            let declared = list(service, "/spec/ports").iter().find(|declared| match number_of(remote) {
                Some(remote) => number(declared, "/port") == i64::from(remote),
                None => text(declared, "/name") == remote,
            });
            let Some(declared) = declared else {
                let service = name(service);
                return Err(match number_of(remote) {
                    Some(_) => format!("Service {service} does not have a service port {remote}"),
                    None => format!("Service '{service}' does not have a named port '{remote}'"),
                });
            };
            let target = match declared.get("targetPort").and_then(Value::as_str) {
                Some(wanted) => pod_port(pod, wanted)?,
                None => match number(declared, "/targetPort") {
                    0 => number(declared, "/port"),
                    target => target,
                },
            };
            (number(declared, "/port"), target)
        }
        None => {
            let target = match number_of(remote) {
                Some(port) => i64::from(port),
                None if remote.parse::<i64>().is_ok() => {
                    return Err(format!("error parsing remote port: invalid port number {remote}"));
                }
                None => pod_port(pod, remote)?,
            };
            (target, target)
        }
    };
    let remote = u16::try_from(remote).map_err(|_| format!("invalid port {remote}"))?;
    let local = match (local, named) {
        ("", _) => 0,
        (_, true) => u16::try_from(shown).map_err(|_| format!("invalid port {shown}"))?,
        (local, false) => local.parse().map_err(|_| {
            format!(
                "error parsing local port {local:?}: strconv.ParseUint: parsing {local:?}: invalid syntax"
            )
        })?,
    };
    Ok(Pair { local, remote })
}

fn pod_port(pod: &Value, wanted: &str) -> Result<i64, String> {
    let ports = list(pod, "/spec/containers").iter().flat_map(|container| list(container, "/ports"));
    let found = ports.into_iter().find(|port| text(port, "/name") == wanted);
    found
        .map(|port| number(port, "/containerPort"))
        .ok_or_else(|| format!("Pod '{}' does not have a named port '{wanted}'", name(pod)))
}

/// A connection that goes through.
#[derive(Clone, Debug)]
struct Connection {
    fd: Fd,
    pair: Pair,
    stream: Stream,
    to_send: Vec<u8>,
    /// Nothing more comes from here.
    ended: bool,
    /// Nothing more comes from the pod.
    over: bool,
}

/// The ports that lead to a pod.
#[derive(Clone, Debug)]
struct Forward {
    namespace: String,
    pod: String,
    listeners: Vec<(Fd, Pair)>,
    connections: Vec<Connection>,
}

impl Forward {
    fn accept(&mut self, sys: &mut dyn Sys) {
        for (listener, pair) in self.listeners.clone() {
            while let Ok((fd, _)) = sys.accept(listener) {
                let line = format!("Handling connection for {}\n", pair.local);
                tools::console::write_all(sys, Fd::STDOUT, &line);
                let request = Request {
                    namespace: self.namespace.clone(),
                    pod: self.pod.clone(),
                    container: None,
                    ask: Ask::PortForward { port: pair.remote },
                    session: sys.session(),
                };
                let stream = Stream::open(sys, request);
                let connection =
                    Connection { fd, pair, stream, to_send: Vec::new(), ended: false, over: false };
                self.connections.push(connection);
            }
        }
    }
}

impl Connection {
    /// Moves what can be moved; answers what went wrong for good.
    fn advance(&mut self, sys: &mut dyn Sys) -> Option<String> {
        let mut wrong = None;
        for piece in self.stream.receive(sys.store()) {
            match piece {
                Piece::Out(bytes) => self.to_send.extend(bytes),
                Piece::Err(bytes) => wrong = Some(String::from_utf8_lossy(&bytes).into_owned()),
                Piece::Refused(why) => {
                    wrong = Some(format!("error creating error stream for port{why}"));
                    self.over = true;
                }
                Piece::Exited(_) => self.over = true,
                Piece::In(_) | Piece::EndOfInput => {}
            }
        }
        while !self.ended {
            match sys.recv(self.fd, 1 << 16) {
                Ok(received) if received.data.is_empty() => {
                    self.ended = true;
                    self.stream.send(sys, Piece::EndOfInput);
                }
                Ok(received) => self.stream.send(sys, Piece::In(received.data.to_vec())),
                Err(Errno::Again) => break,
                Err(_) => {
                    self.ended = true;
                    self.over = true;
                }
            }
        }
        while !self.to_send.is_empty() {
            match sys.send(self.fd, &self.to_send, None) {
                Ok(n) => drop(self.to_send.drain(..n)),
                Err(Errno::Again) => break,
                Err(_) => {
                    self.to_send.clear();
                    self.over = true;
                }
            }
        }
        wrong
    }
}

impl Program for Forward {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        self.accept(sys);
        let mut lost = false;
        for connection in &mut self.connections {
            if let Some(why) = connection.advance(sys) {
                let Pair { local, remote } = connection.pair;
                let text = format!(
                    "an error occurred forwarding {local} -> {remote}: error forwarding port {remote} to pod {}, \
                     uid : {why}",
                    self.pod
                );
                klog(sys, 'E', "portforward.go:406", &text);
                lost = true;
            }
        }
        let (over, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.connections)
            .into_iter()
            .partition(|connection| connection.over && connection.to_send.is_empty());
        self.connections = open;
        for connection in over {
            sys.close(connection.fd);
            connection.stream.close(sys);
        }
        if lost {
            tools::console::write_all(sys, Fd::STDERR, "error: lost connection to pod\n");
            self.leave(sys);
            return Next::Exit(1);
        }
        let after = sys.store().revision();
        let mut watch = Watch { after, prefixes: Vec::new() };
        let mut fds: Vec<Fd> = self.listeners.iter().map(|(fd, _)| *fd).collect();
        for connection in &self.connections {
            watch.prefixes.extend(connection.stream.watch(after).prefixes);
            if !connection.ended || !connection.to_send.is_empty() {
                fds.push(connection.fd);
            }
        }
        Next::Wait(Wait { fds, watch: Some(watch), ..Wait::default() })
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        self.leave(sys);
        Next::Exit(128 + signal.number())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

impl Forward {
    fn leave(&mut self, sys: &mut dyn Sys) {
        for connection in self.connections.drain(..) {
            sys.close(connection.fd);
            connection.stream.close(sys);
        }
        for (fd, _) in self.listeners.drain(..) {
            sys.close(fd);
        }
    }
}
