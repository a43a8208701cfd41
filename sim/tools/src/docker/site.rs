//! What listens in the known images: `nginx` and `go-probe`, small HTTP servers that say who asked.

use std::net::SocketAddr;

use world::{Args, Fd, Next, Program, Registry, Signal, Sys};

use crate::console::write_all;
use crate::net::complain;
use crate::net::http_server::HttpServer;

/// Installs the servers.
pub fn install(registry: &mut Registry) {
    for kind in [Kind::Nginx, Kind::GoProbe] {
        registry.install(kind.name(), move |args| Box::new(Site { kind, args, server: None }));
    }
}

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Answers with its welcome page and logs each request.
    Nginx,
    /// jolestar/go-probe: answers with what it knows about itself and the request.
    ///
    /// Simplified: host name, remote address and interfaces, as YAML.
    GoProbe,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::GoProbe => "go-probe",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Nginx => "text/html",
            Self::GoProbe => "application/yaml",
        }
    }
}

const WELCOME: &str = "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n\
                       <h1>Welcome to nginx!</h1>\n</body>\n</html>\n";

#[derive(Clone, Debug)]
struct Site {
    kind: Kind,
    args: Args,
    server: Option<HttpServer>,
}

impl Site {
    fn start(&self, sys: &mut dyn Sys) -> Result<HttpServer, String> {
        let given = self.args.iter().position(|arg| arg == "-listen").and_then(|at| self.args.get(at + 1));
        let listen = given.filter(|_| self.kind == Kind::GoProbe).map_or(":80", String::as_str);
        let addr = crate::net::socket_addr(listen).ok_or_else(|| format!("invalid -listen {listen}"))?;
        HttpServer::listen(sys, addr, 511).map_err(|errno| format!("bind() to {addr} failed ({errno})"))
    }

    fn body(&self, sys: &dyn Sys, peer: SocketAddr) -> String {
        if self.kind == Kind::Nginx {
            return WELCOME.to_owned();
        }
        let addrs = sys.kernel().addrs(sys.netns());
        let shown = addrs.iter().filter(|info| !info.addr.local.addr().is_loopback());
        let interfaces: String = shown.map(|info| format!("- {}\n", info.addr.local)).collect();
        format!("Hostname: {}\nRemoteAddr: {peer}\nInterfaces:\n{interfaces}", sys.hostname())
    }

    fn answer(&self, sys: &mut dyn Sys, peer: SocketAddr, request: &str) -> Vec<u8> {
        let first = request.lines().next().unwrap_or_default();
        let path = first.split(' ').nth(1).unwrap_or("/");
        let found = self.kind == Kind::GoProbe || path == "/" || path == "/index.html";
        let (status, body) = match found {
            true => ("200 OK", self.body(sys, peer)),
            false => {
                ("404 Not Found", "<html>\n<head><title>404 Not Found</title></head>\n</html>\n".to_owned())
            }
        };
        if self.kind == Kind::Nginx {
            let header = |name: &str| {
                let mut lines = request.lines();
                let value = lines.find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
                });
                value.unwrap_or_else(|| "-".to_owned())
            };
            let agent = header("user-agent");
            let code = status.split(' ').next().unwrap_or_default();
            let date = log_date(sys.unix_time());
            let line = format!(
                "{} - - [{date}] \"{first}\" {code} {} \"-\" \"{agent}\" \"-\"\n",
                peer.ip(),
                body.len()
            );
            write_all(sys, Fd::STDOUT, &line);
        }
        let server = if self.kind == Kind::Nginx { "Server: nginx/1.25.3\r\n" } else { "" };
        let kind = self.kind.content_type();
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{server}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
            .into_bytes()
    }
}

/// `21/Nov/2026:16:48:03 +0000`.
fn log_date(unix: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = world::civil_date(unix / 86400);
    let month =
        usize::try_from(month).ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"Jan");
    let of_day = unix % 86400;
    format!("{day:02}/{month}/{year}:{:02}:{:02}:{:02} +0000", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

impl Program for Site {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut server = match self.server.take().map_or_else(|| self.start(sys), Ok) {
            Ok(server) => server,
            Err(message) => {
                complain(sys, &format!("{}: {message}\n", self.kind.name()));
                return Next::Exit(1);
            }
        };
        let next = server.serve(sys, &|sys, peer, request| self.answer(sys, peer, request));
        self.server = Some(server);
        next
    }

    fn signal(&mut self, _sys: &mut dyn Sys, signal: Signal) -> Next {
        match (self.kind, signal) {
            (_, Signal::Kill) => Next::Exit(128 + signal.number()),
            (Kind::Nginx, _) => Next::Exit(0),
            // A Go program that catches nothing ends with 2 where it is process 1.
            (Kind::GoProbe, _) => Next::Exit(2),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
