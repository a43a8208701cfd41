//! `health`, `ready` and `prometheus`: small HTTP servers beside DNS.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tools::net::http_server::{HttpRequest, HttpServer};
use world::{Fd, Sys};

use super::release::Release;
use crate::cni::go_text;
use crate::coredns::Metrics;
use crate::coredns::corefile::{Corefile, Listen};
use crate::time::{HTTP_DATE, present};

/// What a server tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ready,
    Health,
    Metrics,
}

/// The HTTP servers of a Corefile.
#[derive(Clone, Debug, Default)]
pub(super) struct Web {
    servers: BTreeMap<(Kind, SocketAddr), HttpServer>,
}

/// What the servers know.
pub(super) struct Facts<'a> {
    /// Which plugins aren't ready: their names, with commas between them.
    pub waiting: &'a str,
    /// What DNS has counted.
    pub metrics: &'a Metrics,
    /// Further metrics.
    pub more: &'a [String],
    /// Who it is.
    pub release: Release,
}

fn address(listen: Listen) -> SocketAddr {
    (listen.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), listen.port).into()
}

impl Web {
    /// Listens, in the order of the directives. Fails with what is to be said: lines of the log, and the
    /// reason.
    pub fn start(&mut self, sys: &mut dyn Sys, corefile: &Corefile) -> Result<(), (Option<String>, String)> {
        let plugins = || corefile.servers.iter().map(|server| &server.plugins);
        let ready = plugins().filter_map(|plugins| plugins.ready).map(|listen| (Kind::Ready, listen));
        let health = plugins().filter_map(|plugins| plugins.health);
        let health = health.map(|health| (Kind::Health, health.listen));
        let metrics =
            plugins().filter_map(|plugins| plugins.prometheus).map(|listen| (Kind::Metrics, listen));
        for (kind, listen) in ready.chain(health).chain(metrics) {
            let at = address(listen);
            if self.servers.contains_key(&(kind, at)) {
                continue;
            }
            let server = HttpServer::listen(sys, at, 4096).map_err(|errno| {
                let ip = listen.ip.map_or(String::new(), |ip| ip.to_string());
                let error = format!("listen tcp {ip}:{}: bind: {}", listen.port, go_text(errno));
                let line = format!("[ERROR] plugin/prometheus: Failed to start metrics handler: {error}");
                (Some(line).filter(|_| kind == Kind::Metrics), error)
            })?;
            self.servers.insert((kind, at), server);
        }
        Ok(())
    }

    /// Listens no more for what `ready` tells.
    pub fn stop_ready(&mut self, sys: &mut dyn Sys) {
        self.stop_some(sys, |kind| kind == Kind::Ready);
    }

    /// Listens no more.
    pub fn stop(&mut self, sys: &mut dyn Sys) {
        self.stop_some(sys, |_| true);
    }

    fn stop_some(&mut self, sys: &mut dyn Sys, stops: impl Fn(Kind) -> bool) {
        self.servers.retain(|(kind, _), server| {
            let stops = stops(*kind);
            if stops {
                server.fds().into_iter().for_each(|fd| sys.close(fd));
            }
            !stops
        });
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> impl Iterator<Item = Fd> {
        self.servers.values().flat_map(HttpServer::fds)
    }

    /// Answers what was asked; answers lines for the log.
    pub fn serve(&mut self, sys: &mut dyn Sys, facts: &Facts<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        for ((kind, _), server) in &mut self.servers {
            let mut requests: Vec<HttpRequest> = server.receive(sys);
            while let Some(request) = requests.pop() {
                let path = request.text.split(' ').nth(1).unwrap_or_default();
                let path = path.split('?').next().unwrap_or_default();
                let (text, line) = answer(sys, *kind, path, facts);
                lines.extend(line);
                requests.extend(server.answer(sys, request.connection, text.into_bytes()));
            }
        }
        lines
    }
}

fn answer(sys: &dyn Sys, kind: Kind, path: &str, facts: &Facts<'_>) -> (String, Option<String>) {
    const TEXT: &str = "text/plain; charset=utf-8";
    match (kind, path) {
        (Kind::Health, "/health") => (response(sys, "200 OK", TEXT, "OK"), None),
        (Kind::Ready, "/ready") if facts.waiting.is_empty() => (response(sys, "200 OK", TEXT, "OK"), None),
        (Kind::Ready, "/ready") => {
            let line = format!("[INFO] plugin/ready: Still waiting on: {:?}", facts.waiting);
            (response(sys, "503 Service Unavailable", TEXT, facts.waiting), Some(line))
        }
        (Kind::Metrics, "/metrics") => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            (response(sys, "200 OK", kind, &page(facts)), None)
        }
        _ => (response(sys, "404 Not Found", TEXT, "404 page not found\n"), None),
    }
}

/// All metrics, in the order of their names.
///
/// Simplified: those of Go's runtime and of the process are missing.
fn page(facts: &Facts<'_>) -> String {
    let Release { version, go, commit } = facts.release;
    let build = format!(
        "# HELP coredns_build_info A metric with a constant '1' value labeled by version, revision, and \
         goversion from which CoreDNS was built.\n# TYPE coredns_build_info gauge\n\
         coredns_build_info{{goversion=\"{go}\",revision=\"{commit}\",version=\"{version}\"}} 1\n"
    );
    let counted = facts.metrics.text();
    let mut families: Vec<&str> = counted.split("# HELP ").filter(|text| !text.is_empty()).collect();
    let own = std::iter::once(&build).chain(facts.more);
    families.extend(own.map(|text| text.strip_prefix("# HELP ").unwrap_or(text)));
    families.sort_by_key(|text| text.split(' ').next());
    families.iter().map(|text| format!("# HELP {text}")).collect()
}

/// As Go's HTTP server writes it.
fn response(sys: &dyn Sys, status: &str, kind: &str, body: &str) -> String {
    let date = present(sys).strftime(HTTP_DATE);
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Length: {length}\r\nContent-Type: {kind}\r\n\r\n{body}"
    )
}
