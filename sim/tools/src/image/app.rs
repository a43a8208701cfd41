//! The small servers in the known images: what they say about themselves and who asked.

use std::net::SocketAddr;

use kernel::Errno;
use kernel::socket::SocketKind;
use world::{Args, Fd, Next, Program, Registry, Signal, Sys, Wait};

use crate::net::http_server::HttpServer;
use crate::net::{GoFlags, complain, socket_addr};

/// Installs the servers and `pause`.
pub fn install(registry: &mut Registry) {
    for kind in [Kind::GoProbe, Kind::Agnhost, Kind::TestWebserver, Kind::HelloApp] {
        registry.install(kind.name(), move |args| Box::new(App { kind, args, state: None }));
    }
    registry.install("pause", |_| Box::new(Pause));
}

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// jolestar/go-probe: answers with what it knows about itself and the request.
    ///
    /// Simplified: host name, remote address and interfaces, as YAML.
    GoProbe,
    /// registry.k8s.io/e2e-test-images/agnhost: `netexec`, `serve-hostname` and `pause`.
    Agnhost,
    /// gcr.io/google_containers/test-webserver: files of its root.
    ///
    /// Simplified: answers every path with its listing.
    TestWebserver,
    /// gcr.io/google-samples/hello-app.
    HelloApp,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::GoProbe => "go-probe",
            Self::Agnhost => "agnhost",
            Self::TestWebserver => "test-webserver",
            Self::HelloApp => "hello-app",
        }
    }
}

#[derive(Clone, Debug)]
struct App {
    kind: Kind,
    args: Args,
    state: Option<State>,
}

/// What a server has open.
#[derive(Clone, Debug)]
enum State {
    Serving(Box<HttpServer>, Option<Fd>),
    Pausing,
}

impl App {
    fn start(&self, sys: &mut dyn Sys) -> Result<State, String> {
        let http = |sys: &mut dyn Sys, listen: &str| {
            let addr = socket_addr(listen).ok_or_else(|| format!("invalid address {listen}"))?;
            let server = HttpServer::listen(sys, addr, 511);
            server.map(Box::new).map_err(|errno| format!("listen tcp {listen}: bind: {errno}").to_lowercase())
        };
        match self.kind {
            Kind::GoProbe => {
                let given = self.args.iter().position(|arg| arg == "-listen");
                let listen = given.and_then(|at| self.args.get(at + 1)).map_or(":80", String::as_str);
                Ok(State::Serving(http(sys, listen)?, None))
            }
            Kind::TestWebserver => Ok(State::Serving(http(sys, ":80")?, None)),
            Kind::HelloApp => {
                let port = sys.env("PORT").unwrap_or_else(|| "8080".to_owned());
                Ok(State::Serving(http(sys, &format!(":{port}"))?, None))
            }
            Kind::Agnhost => match self.args.get(1).map(String::as_str) {
                None | Some("pause") => Ok(State::Pausing),
                Some("netexec") => {
                    let flags = GoFlags::parse(&self.args[2..], &["http-port", "udp-port"], &[])?;
                    let server = http(sys, &format!(":{}", flags.get("http-port").unwrap_or("8080")))?;
                    let port = flags.get("udp-port").unwrap_or("8081");
                    if port == "-1" {
                        return Ok(State::Serving(server, None));
                    }
                    let addr =
                        socket_addr(&format!(":{port}")).ok_or_else(|| format!("invalid port {port}"))?;
                    let udp = sys.socket(SocketKind::Udp).map_err(|errno| errno.to_string())?;
                    sys.bind(udp, addr).map_err(|errno| format!("listen udp :{port}: bind: {errno}"))?;
                    Ok(State::Serving(server, Some(udp)))
                }
                Some("serve-hostname") => {
                    let flags = GoFlags::parse(&self.args[2..], &["port"], &["http", "tcp", "udp"])?;
                    Ok(State::Serving(http(sys, &format!(":{}", flags.get("port").unwrap_or("9376")))?, None))
                }
                Some(other) => Err(format!("hoplab: agnhost {other} is not simulated")),
            },
        }
    }

    fn body(&self, sys: &dyn Sys, peer: SocketAddr, path: &str) -> Option<String> {
        let netexec = self.args.get(1).is_some_and(|word| word == "netexec");
        match self.kind {
            Kind::GoProbe => {
                let addrs = sys.kernel().addrs(sys.netns());
                let shown = addrs.iter().filter(|info| !info.addr.local.addr().is_loopback());
                let interfaces: String = shown.map(|info| format!("- {}\n", info.addr.local)).collect();
                Some(format!("Hostname: {}\nRemoteAddr: {peer}\nInterfaces:\n{interfaces}", sys.hostname()))
            }
            Kind::TestWebserver => {
                Some("<pre>\n<a href=\"test-webserver\">test-webserver</a>\n</pre>\n".to_owned())
            }
            Kind::HelloApp => Some(format!("Hello, world!\nVersion: 1.0.0\nHostname: {}\n", sys.hostname())),
            Kind::Agnhost if !netexec => Some(sys.hostname()),
            Kind::Agnhost => {
                let (path, query) = path.split_once('?').unwrap_or((path, ""));
                match path {
                    "/" => Some(format!("NOW: {}", sys.unix_time())),
                    "/hostname" | "/hostName" => Some(sys.hostname()),
                    "/clientip" => Some(peer.to_string()),
                    "/healthz" => Some(String::new()),
                    "/echo" => {
                        let msg = query.split('&').find_map(|pair| pair.strip_prefix("msg="));
                        Some(msg.unwrap_or_default().replace('+', " "))
                    }
                    _ => None,
                }
            }
        }
    }

    fn answer(&self, sys: &dyn Sys, peer: SocketAddr, request: &str) -> Vec<u8> {
        let first = request.lines().next().unwrap_or_default();
        let path = first.split(' ').nth(1).unwrap_or("/");
        let (status, body) = match self.body(sys, peer, path) {
            Some(body) => ("200 OK", body),
            None => ("404 Not Found", "404 page not found\n".to_owned()),
        };
        let kind = match self.kind {
            Kind::GoProbe => "application/yaml",
            Kind::Agnhost | Kind::HelloApp => "text/plain; charset=utf-8",
            Kind::TestWebserver => "text/html; charset=utf-8",
        };
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
            .into_bytes()
    }
}

/// What netexec answers to a datagram.
fn answer_datagrams(sys: &mut dyn Sys, fd: Fd) {
    loop {
        match sys.recv(fd, 1 << 16) {
            Ok(received) => {
                let text = String::from_utf8_lossy(&received.data).trim().to_owned();
                let (command, rest) = text.split_once(' ').unwrap_or((&text, ""));
                let answer = match command.to_lowercase().as_str() {
                    "hostname" => sys.hostname(),
                    "echo" => rest.to_owned(),
                    "clientip" => received.from.to_string(),
                    _ => continue,
                };
                // An answer that can't be sent is lost, as on the wire.
                let _ = sys.send(fd, answer.as_bytes(), Some(received.from));
            }
            Err(Errno::Again) => return,
            // An ICMP error of an earlier answer.
            Err(_) => {}
        }
    }
}

impl Program for App {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut state = match self.state.take().map_or_else(|| self.start(sys), Ok) {
            Ok(state) => state,
            Err(message) => {
                complain(sys, &format!("{message}\n"));
                return Next::Exit(1);
            }
        };
        let next = match &mut state {
            State::Pausing => Next::Wait(Wait::default()),
            State::Serving(server, udp) => {
                let mut next = server.serve(sys, &|sys, peer, request| self.answer(sys, peer, request));
                if let (Some(fd), Next::Wait(wait)) = (*udp, &mut next) {
                    answer_datagrams(sys, fd);
                    wait.fds.push(fd);
                }
                next
            }
        };
        self.state = Some(state);
        next
    }

    fn signal(&mut self, _sys: &mut dyn Sys, signal: Signal) -> Next {
        match signal {
            Signal::Kill => Next::Exit(128 + signal.number()),
            // A Go program that catches nothing ends with 2 where it is process 1.
            _ => Next::Exit(2),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// A process that only waits: `pause`, which holds a pod's namespaces.
#[derive(Clone, Copy, Debug)]
pub struct Pause;

impl Program for Pause {
    fn resume(&mut self, _sys: &mut dyn Sys) -> Next {
        Next::Wait(Wait::default())
    }

    fn signal(&mut self, _sys: &mut dyn Sys, signal: Signal) -> Next {
        match signal {
            Signal::Kill => Next::Exit(128 + signal.number()),
            _ => Next::Exit(0),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(*self)
    }
}
