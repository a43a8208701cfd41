//! `nginx`: serves the files of its container and logs who asked.

use std::net::{Ipv4Addr, SocketAddr};

use world::{Fd, FileKind, Next, Program, Registry, Signal, Sys};

use crate::console::write_all;
use crate::net::http_server::HttpServer;
use crate::net::{complain, read_file};

/// Where its pages lie.
const ROOT: &str = "/usr/share/nginx/html";
/// Its configuration.
///
/// Simplified: of it only `listen`, `root` and `location = PATH { alias FILE; }` have an effect.
const CONF: &str = "/etc/nginx/conf.d/default.conf";

/// The files of the image `nginx`.
pub const FILES: &[(&str, &str)] = &[
    (
        CONF,
        "server {\n    listen       80;\n    server_name  localhost;\n\n    location / {\n        root   \
         /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n}\n",
    ),
    (
        "/usr/share/nginx/html/index.html",
        "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n\
         <h1>Welcome to nginx!</h1>\n</body>\n</html>\n",
    ),
];

/// The files of the image `ikubernetes/myapp`.
pub const MYAPP_FILES: &[(&str, &str)] = &[
    (crate::dns::lookup::MUSL_LINKER, "ELF\n"),
    (
        CONF,
        "server {\n    listen       80;\n    server_name  localhost;\n\n    location / {\n        root   \
         /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n\n    location = /hostname.html \
         {\n        alias /etc/hostname;\n    }\n}\n",
    ),
    (
        "/usr/share/nginx/html/index.html",
        "Hello MyApp | Version: TAG | <a href=\"hostname.html\">Pod Name</a>\n",
    ),
];

/// Installs `nginx`.
pub fn install(registry: &mut Registry) {
    registry.install("nginx", |_| Box::new(Nginx { site: None }));
}

/// `nginx`.
#[derive(Clone, Debug)]
struct Nginx {
    site: Option<Site>,
}

/// What it serves while it runs.
#[derive(Clone, Debug)]
struct Site {
    server: HttpServer,
    root: String,
    /// Paths that stand for a file each.
    aliases: Vec<(String, String)>,
}

impl Site {
    fn start(sys: &mut dyn Sys) -> Result<Self, String> {
        let conf = read_file(sys, CONF).unwrap_or_default();
        let (mut port, mut root, mut aliases) = (80, ROOT.to_owned(), Vec::new());
        let mut location = "";
        for line in conf.lines() {
            let words: Vec<&str> = line.trim().trim_end_matches([';', '{']).split_whitespace().collect();
            match words.as_slice() {
                ["listen", value, ..] => {
                    let value = value.rsplit(':').next().unwrap_or(value);
                    port = value.parse().map_err(|_| format!("host not found in \"{value}\""))?;
                }
                ["root", folder] => root = (*folder).trim_end_matches('/').to_owned(),
                ["location", "=", path] => location = path,
                ["location", ..] => location = "",
                ["alias", file] if !location.is_empty() => {
                    aliases.push((location.to_owned(), (*file).to_owned()));
                }
                _ => {}
            }
        }
        let addr = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        let server = HttpServer::listen(sys, addr, 511)
            .map_err(|errno| format!("bind() to {addr} failed ({}: {errno})", errno as i32))?;
        Ok(Self { server, root, aliases })
    }
}

/// The file that a path means, and its text.
fn page(sys: &mut dyn Sys, root: &str, aliases: &[(String, String)], path: &str) -> Option<(String, String)> {
    let path = path.split('?').next().unwrap_or(path);
    let file = match aliases.iter().find(|(alias, _)| alias == path) {
        Some((_, file)) => file.clone(),
        None if path.ends_with('/') => format!("{root}{path}index.html"),
        None => format!("{root}{path}"),
    };
    let is_file = sys.stat(&file).is_ok_and(|stat| stat.kind == FileKind::File);
    let text = if is_file { read_file(sys, &file)? } else { return None };
    Some((file, text))
}

fn answer(
    sys: &mut dyn Sys,
    root: &str,
    aliases: &[(String, String)],
    peer: SocketAddr,
    request: &str,
) -> Vec<u8> {
    let first = request.lines().next().unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or("/");
    let found = page(sys, root, aliases, path);
    let (status, body) = match found {
        Some((_, body)) => ("200 OK", body),
        None => ("404 Not Found", "<html>\n<head><title>404 Not Found</title></head>\n</html>\n".to_owned()),
    };
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
    let length = body.len();
    let line = format!("{} - - [{date}] \"{first}\" {code} {length} \"-\" \"{agent}\" \"-\"\n", peer.ip());
    write_all(sys, Fd::STDOUT, &line);
    let body = if first.starts_with("HEAD ") { String::new() } else { body };
    format!(
        "HTTP/1.1 {status}\r\nServer: nginx/1.25.3\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
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

impl Program for Nginx {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut site = match self.site.take().map_or_else(|| Site::start(sys), Ok) {
            Ok(site) => site,
            Err(message) => {
                complain(sys, &format!("nginx: {message}\n"));
                return Next::Exit(1);
            }
        };
        let Site { server, root, aliases } = &mut site;
        let next = server.serve(sys, &|sys, peer, request| answer(sys, root, aliases, peer, request));
        self.site = Some(site);
        next
    }

    fn signal(&mut self, _sys: &mut dyn Sys, signal: Signal) -> Next {
        match signal {
            Signal::Kill => Next::Exit(128 + signal.number()),
            _ => Next::Exit(0),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
