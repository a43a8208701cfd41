//! `kube-apiserver`: while it runs, others reach the store; it carries what clients say to
//! containers to the nodes' kubelets.
//!
//! Simplified: clients read and write the store without packets ([`crate::api`] does the API
//! server's work in their processes); its port answers health checks in plain HTTP.

mod carrier;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use packet::{NetnsId, SimTime};
use tools::net::http_server::HttpServer;
use world::{Args, Fd, Next, Program, Registry, Signal, Spawn, Sys, Wait};

use crate::api::API_SERVER;
use crate::controllers;
use crate::stream;
use carrier::Carrier;

/// Installs `kube-apiserver`.
pub fn install(registry: &mut Registry) {
    registry.install("kube-apiserver", |args| Box::new(ApiServer { args, state: None }));
}

/// `kube-apiserver`.
#[derive(Clone, Debug)]
struct ApiServer {
    args: Args,
    state: Option<State>,
}

/// What it has open.
#[derive(Clone, Debug)]
struct State {
    server: HttpServer,
    /// The address that it advertises.
    address: SocketAddr,
    /// What has been seen of the store.
    seen: u64,
    /// When it next looks after the Service `kubernetes`.
    reconcile: SimTime,
}

/// How often the API server puts its own address back behind the Service `kubernetes`. Kubernetes:
/// `DefaultEndpointReconcilerInterval`.
const RECONCILE_INTERVAL: Duration = Duration::from_secs(10);

/// Flags that have an effect.
const SETTINGS: &[&str] = &["advertise-address", "bind-address", "secure-port"];

/// Flags without effect: what they say stands in the cluster's settings, or isn't simulated.
const WITHOUT_EFFECT: &[&str] = &[
    "admission-control",
    "allow-privileged",
    "anonymous-auth",
    "apiserver-count",
    "audit-log-path",
    "authorization-mode",
    "client-ca-file",
    "cloud-provider",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "enable-aggregator-routing",
    "enable-bootstrap-token-auth",
    "endpoint-reconciler-type",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-keyfile",
    "etcd-prefix",
    "etcd-servers",
    "event-ttl",
    "external-hostname",
    "feature-gates",
    "kubelet-certificate-authority",
    "kubelet-client-certificate",
    "kubelet-client-key",
    "kubelet-preferred-address-types",
    "kubelet-timeout",
    "profiling",
    "proxy-client-cert-file",
    "proxy-client-key-file",
    "requestheader-allowed-names",
    "requestheader-client-ca-file",
    "requestheader-extra-headers-prefix",
    "requestheader-group-headers",
    "requestheader-username-headers",
    "runtime-config",
    "service-account-issuer",
    "service-account-key-file",
    "service-account-signing-key-file",
    "service-cluster-ip-range",
    "service-node-port-range",
    "storage-backend",
    "tls-cert-file",
    "tls-private-key-file",
    "token-auth-file",
    "v",
];

impl State {
    fn start(sys: &mut dyn Sys, args: &[String]) -> Result<Self, String> {
        let (mut advertised, mut bind, mut port) = (None, Ipv4Addr::UNSPECIFIED, 6443);
        let mut words = args.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let flag = word.strip_prefix("--").ok_or_else(|| format!("unknown command {word:?}"))?;
            let (name, attached) =
                flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            if !SETTINGS.contains(&name) && !WITHOUT_EFFECT.contains(&name) {
                return Err(format!("unknown flag: --{name}"));
            }
            let value = match attached {
                Some(value) => value,
                None if words.peek().is_some_and(|next| !next.starts_with("--")) => {
                    words.next().map_or("", String::as_str)
                }
                None => "true",
            };
            let invalid = || format!("invalid argument {value:?} for \"--{name}\" flag");
            match name {
                "advertise-address" => advertised = Some(value.parse().map_err(|_| invalid())?),
                "bind-address" => bind = value.parse().map_err(|_| invalid())?,
                "secure-port" => port = value.parse().map_err(|_| invalid())?,
                _ => {}
            }
        }
        let address = advertised.or_else(|| own_address(sys)).ok_or(
            "unable to find suitable network address.error='no default routes found in \"/proc/net/route\" or \
             \"/proc/net/ipv6_route\"'. Try to set the AdvertiseAddress directly or provide a valid BindAddress to \
             fix this",
        )?;
        let server = HttpServer::listen(sys, SocketAddr::new(bind.into(), port), 1024)
            .map_err(|errno| format!("failed to create listener: failed to listen on {bind}:{port}: listen tcp {bind}:{port}: bind: {}", crate::cni::go_text(errno)))?;
        let seen = sys.store().revision();
        let address = SocketAddr::new(IpAddr::V4(address), port);
        sys.store_put(API_SERVER, Arc::new(address));
        controllers::system_namespaces(sys);
        controllers::kubernetes_service(sys, address).map_err(|error| error.to_string())?;
        Ok(Self { server, address, seen, reconcile: sys.now() + RECONCILE_INTERVAL })
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Wait {
        let mut next = self.server.receive(sys);
        while let Some(request) = next.pop() {
            let answer = answer(&request.text);
            next.extend(self.server.answer(sys, request.connection, answer));
        }
        let revision = sys.store().revision();
        for (stream, request) in stream::requests(sys.store(), self.seen) {
            let carrier = Carrier::new(sys.pid(), stream, request);
            // Without descriptors and with its code at hand it can't fail.
            let _ = sys.spawn(Spawn {
                args: vec!["kube-apiserver".to_owned()],
                code: Some(Box::new(carrier)),
                ..Spawn::default()
            });
        }
        self.seen = revision;
        if sys.now() >= self.reconcile {
            // What was refused is tried again the next time.
            let _ = controllers::kubernetes_service(sys, self.address);
            self.reconcile = sys.now() + RECONCILE_INTERVAL;
        }
        Wait {
            fds: self.server.fds(),
            until: Some(self.reconcile),
            watch: Some(stream::any_request(self.seen)),
            ..Wait::default()
        }
    }
}

/// The address of the device of the default route.
fn own_address(sys: &dyn Sys) -> Option<Ipv4Addr> {
    let routes = sys.kernel().routes(NetnsId::INIT);
    let default = routes.iter().find(|route| route.dst.prefix_len() == 0)?;
    let dev = default.nexthops.first()?.dev.clone();
    let id = sys.kernel().dev_by_name(NetnsId::INIT, &dev)?;
    let index = sys.kernel().get_dev(id)?.ifindex;
    let addrs = sys.kernel().addrs(NetnsId::INIT);
    addrs.iter().filter(|info| info.ifindex == index).find_map(|info| match info.addr.local.addr() {
        IpAddr::V4(addr) => Some(addr),
        IpAddr::V6(_) => None,
    })
}

fn answer(request: &str) -> Vec<u8> {
    let path = request.split(' ').nth(1).unwrap_or("/");
    let (status, kind, body) = match path.split('?').next().unwrap_or(path) {
        "/healthz" | "/livez" | "/readyz" => ("200 OK", "text/plain; charset=utf-8", "ok".to_owned()),
        "/version" => {
            let version = serde_json::json!({
                "major": "1", "minor": "30", "gitVersion": "v1.30.14", "platform": "linux/amd64",
            });
            ("200 OK", "application/json", format!("{version:#}\n"))
        }
        other => {
            let status = serde_json::json!({
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": format!("forbidden: User \"system:anonymous\" cannot get path \"{other}\""),
                "reason": "Forbidden",
                "details": {},
                "code": 403,
            });
            ("403 Forbidden", "application/json", format!("{status:#}\n"))
        }
    };
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

impl Program for ApiServer {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut state = match self.state.take().map_or_else(|| State::start(sys, &self.args), Ok) {
            Ok(state) => state,
            Err(why) => {
                tools::console::write_all(sys, Fd::STDERR, &format!("Error: {why}\n"));
                return Next::Exit(1);
            }
        };
        let wait = state.turn(sys);
        self.state = Some(state);
        Next::Wait(wait)
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        if self.state.is_some() {
            sys.store_delete(API_SERVER);
        }
        Next::Exit(if signal == Signal::Kill { 128 + signal.number() } else { 0 })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
