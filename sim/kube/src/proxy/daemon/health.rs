use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use packet::SimTime;
use tools::net::http_server::{HttpRequest, HttpServer};
use world::{Fd, Sys};

use crate::proxy::ServiceName;
use crate::time::{HTTP_DATE, go_time, klog, present};

/// Where anybody may ask whether the proxy works.
const HEALTHZ: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 10256);
/// Where the node itself may ask for more.
const METRICS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 10249);

/// The servers of a proxy: for its own health, and for Services whose load balancers ask which
/// nodes have an endpoint. Kubernetes: `pkg/proxy/healthcheck`.
#[derive(Clone, Debug)]
pub struct Servers {
    healthz: Option<HttpServer>,
    metrics: Option<HttpServer>,
    services: BTreeMap<ServiceName, ServiceServer>,
}

#[derive(Clone, Debug)]
struct ServiceServer {
    port: u16,
    /// None if something else has the port.
    server: Option<HttpServer>,
    endpoints: usize,
}

/// What the servers have to tell.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// When the rules were last written.
    pub last_sync: Option<SimTime>,
    /// Whether load balancers may send to this node.
    pub is_eligible: bool,
}

fn listen(sys: &mut dyn Sys, address: SocketAddr, what: &str) -> Option<HttpServer> {
    let server = HttpServer::listen(sys, address, 4096);
    if let Err(errno) = &server {
        let error = format!("listen tcp {address}: bind: {}", crate::cni::go_text(*errno));
        klog(sys, 'E', "healthcheck.go:103", &format!("\"{what}\" err={error:?}"));
    }
    server.ok()
}

impl Servers {
    /// Listens.
    pub fn start(sys: &mut dyn Sys) -> Self {
        Self {
            healthz: listen(sys, HEALTHZ, "Failed to start proxier healthz"),
            metrics: listen(sys, METRICS, "starting metrics server failed"),
            services: BTreeMap::new(),
        }
    }

    /// The Services that load balancers ask for, their ports, and their ready endpoints here.
    pub fn set_services(&mut self, sys: &mut dyn Sys, wanted: &[(ServiceName, u16, usize)]) {
        let stays = |name: &ServiceName, server: &ServiceServer| {
            wanted.iter().any(|(other, port, _)| other == name && *port == server.port)
        };
        let (kept, closed) =
            std::mem::take(&mut self.services).into_iter().partition(|(name, server)| stays(name, server));
        self.services = kept;
        let closed: BTreeMap<ServiceName, ServiceServer> = closed;
        for fd in closed.values().flat_map(|service| &service.server).flat_map(HttpServer::fds) {
            sys.close(fd);
        }
        for (name, port, endpoints) in wanted {
            let server = self.services.entry(name.clone()).or_insert_with(|| {
                let (namespace, service) = name;
                let at = SocketAddr::new(HEALTHZ.ip(), *port);
                let text = format!("\"Opening healthcheck\" service=\"{namespace}/{service}\" port={port}");
                klog(sys, 'I', "service_health.go:129", &text);
                let server = listen(sys, at, "Failed to start healthcheck");
                ServiceServer { port: *port, server, endpoints: 0 }
            });
            server.endpoints = *endpoints;
        }
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> Vec<Fd> {
        let services = self.services.values().filter_map(|service| service.server.as_ref());
        services.chain(&self.healthz).chain(&self.metrics).flat_map(HttpServer::fds).collect()
    }

    /// Answers what was asked.
    pub fn serve(&mut self, sys: &mut dyn Sys, answer: &Answer) {
        if let Some(server) = &mut self.healthz {
            serve(sys, server, &|sys, path| answer.healthz(sys, path));
        }
        if let Some(server) = &mut self.metrics {
            serve(sys, server, &|sys, path| metrics(sys, path));
        }
        for (name, service) in &mut self.services {
            let endpoints = service.endpoints;
            if let Some(server) = &mut service.server {
                serve(sys, server, &|sys, _| answer.service(sys, name, endpoints));
            }
        }
    }
}

fn serve(sys: &mut dyn Sys, server: &mut HttpServer, answer: &dyn Fn(&dyn Sys, &str) -> String) {
    let mut requests: Vec<HttpRequest> = server.receive(sys);
    while let Some(request) = requests.pop() {
        let path = request.text.split(' ').nth(1).unwrap_or_default();
        let text = answer(sys, path.split('?').next().unwrap_or_default());
        requests.extend(server.answer(sys, request.connection, text.into_bytes()));
    }
}

/// An answer with its headers, as Go's HTTP server writes it.
fn response(sys: &dyn Sys, status: &str, headers: &[(&str, &str)], body: &str) -> String {
    let date = present(sys).strftime(HTTP_DATE);
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{headers}Date: {date}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

const JSON: (&str, &str) = ("Content-Type", "application/json");
const NO_SNIFF: (&str, &str) = ("X-Content-Type-Options", "nosniff");
const PLAIN: (&str, &str) = ("Content-Type", "text/plain; charset=utf-8");

impl Answer {
    /// `/healthz` and `/livez`.
    fn healthz(&self, sys: &dyn Sys, path: &str) -> String {
        if !matches!(path, "/healthz" | "/livez") {
            return response(sys, "404 Not Found", &[PLAIN, NO_SNIFF], "404 page not found\n");
        }
        let good = self.last_sync.is_some() && (self.is_eligible || path == "/livez");
        let last = go_time(sys, self.last_sync.unwrap_or(SimTime::ZERO));
        let now = go_time(sys, sys.now());
        let eligible = self.is_eligible;
        let body =
            format!("{{\"lastUpdated\": {last:?},\"currentTime\": {now:?}, \"nodeEligible\": {eligible}}}");
        let status = if good { "200 OK" } else { "503 Service Unavailable" };
        response(sys, status, &[JSON, NO_SNIFF], &body)
    }

    /// What a load balancer gets.
    fn service(&self, sys: &dyn Sys, (namespace, name): &ServiceName, endpoints: usize) -> String {
        let works = self.last_sync.is_some();
        let status = if works && endpoints > 0 { "200 OK" } else { "503 Service Unavailable" };
        let weight = endpoints.to_string();
        let body = format!(
            "{{\n\t\"service\": {{\n\t\t\"namespace\": {namespace:?},\n\t\t\"name\": {name:?}\n\t}},\n\
             \t\"localEndpoints\": {endpoints},\n\t\"serviceProxyHealthy\": {works}\n}}"
        );
        let weight = ("X-Load-Balancing-Endpoint-Weight", weight.as_str());
        response(sys, status, &[JSON, NO_SNIFF, weight], &body)
    }
}

/// `/proxyMode`, `/healthz`.
///
/// Simplified: no metrics.
fn metrics(sys: &dyn Sys, path: &str) -> String {
    match path {
        "/proxyMode" => response(sys, "200 OK", &[PLAIN, NO_SNIFF], "iptables"),
        "/healthz" => response(sys, "200 OK", &[PLAIN, NO_SNIFF], "ok"),
        _ => response(sys, "404 Not Found", &[PLAIN, NO_SNIFF], "404 page not found\n"),
    }
}
