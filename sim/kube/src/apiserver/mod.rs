//! `kube-apiserver`: while it runs, others reach the store; it carries what clients say to
//! containers to the nodes' kubelets.
//!
//! Read first: [`door`] (who asks, and whether he may), `objects` (what is answered).
//!
//! Simplified: kubectl and the cluster's components read and write the store without packets
//! ([`crate::api`] does the API server's work in their processes); its port answers everybody else
//! in HTTP over TLS.

mod carrier;
mod discovery;
mod door;
mod flags;
mod http;
mod objects;
mod path;
pub(crate) mod review;
mod status;
mod watch;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use packet::{NetnsId, SimTime};
use tools::net::http_server::{ConnectionId, HttpServer};
use tools::tls::{Certificate, Identity};
use world::{Args, Fd, Next, Program, Registry, Signal, Spawn, Sys, Wait};

use crate::api::{API_SERVER, ClusterSettings, rbac};
use crate::cluster::pki;
use crate::controllers;
use crate::stream;
use carrier::Carrier;
use door::{Door, Outcome};
use flags::Flags;
use watch::Watcher;

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
    door: Door,
    /// Who is told of changes.
    watchers: BTreeMap<ConnectionId, Watcher>,
    /// Requests so far.
    answered: u64,
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

impl State {
    fn start(sys: &mut dyn Sys, args: &[String]) -> Result<Self, String> {
        let flags = Flags::parse(args)?;
        let address = flags.advertised.or_else(|| own_address(sys)).ok_or(
            "unable to find suitable network address.error='no default routes found in \"/proc/net/route\" or \
             \"/proc/net/ipv6_route\"'. Try to set the AdvertiseAddress directly or provide a valid BindAddress to \
             fix this",
        )?;
        let identity = identity(sys, &flags)?;
        let (bind, port) = (flags.bind, flags.port);
        let server = HttpServer::listen(sys, SocketAddr::new(bind.into(), port), 1024).map_err(|errno| {
            let why = crate::cni::go_text(errno);
            format!("failed to create listener: failed to listen on {bind}:{port}: listen tcp {bind}:{port}: bind: {why}")
        })?;
        let client_ca = match &flags.client_ca {
            None => Vec::new(),
            Some(path) => {
                let text = read(sys, path)?;
                Certificate::all_from_pem(&text).ok_or_else(|| {
                    format!("error reading {path}: data does not contain any valid RSA or ECDSA certificates")
                })?
            }
        };
        let seen = sys.store().revision();
        let address = SocketAddr::new(IpAddr::V4(address), port);
        sys.store_put(API_SERVER, Arc::new(address));
        controllers::system_namespaces(sys);
        controllers::kubernetes_service(sys, address).map_err(|error| error.to_string())?;
        rbac::bootstrap(sys);
        let door = Door { client_ca, anonymous: flags.anonymous, mode: flags.mode, address };
        let server = server.with_identity(identity);
        Ok(Self {
            server,
            door,
            watchers: BTreeMap::new(),
            answered: 0,
            address,
            seen,
            reconcile: sys.now() + RECONCILE_INTERVAL,
        })
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Wait {
        let mut next = self.server.receive(sys);
        while let Some(request) = next.pop() {
            self.answered += 1;
            match self.door.answer(sys, &request, self.answered) {
                Outcome::Answer(bytes) => next.extend(self.server.answer(sys, request.connection, bytes)),
                Outcome::Watch(watcher, head) => {
                    self.server.push(sys, request.connection, head);
                    self.watchers.insert(request.connection, watcher);
                }
            }
        }
        let watched = self.tell_watchers(sys);
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
        let mut watch = stream::any_request(self.seen);
        watch.prefixes.extend(self.watchers.values().map(Watcher::prefix));
        let until = watched.into_iter().fold(self.reconcile, SimTime::min);
        Wait { fds: self.server.fds(), until: Some(until), watch: Some(watch), ..Wait::default() }
    }

    /// Tells watchers what has changed; answers when one of them ends.
    fn tell_watchers(&mut self, sys: &mut dyn Sys) -> Option<SimTime> {
        let watchers = std::mem::take(&mut self.watchers);
        for (connection, mut watcher) in watchers {
            let news = watcher.news(sys.store());
            if watcher.until.is_some_and(|until| sys.now() >= until) {
                // What came behind the watch is given up with it.
                let _ = self.server.answer(sys, connection, [news, http::last_chunk()].concat());
                continue;
            }
            if !news.is_empty() {
                self.server.push(sys, connection, news);
            }
            if self.server.stands(connection) {
                self.watchers.insert(connection, watcher);
            }
        }
        self.watchers.values().filter_map(|watcher| watcher.until).min()
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

/// Who the API server is: as its files say, or (`Simplified`: the real one signs its own) with a
/// certificate of the cluster's authority.
fn identity(sys: &mut dyn Sys, flags: &Flags) -> Result<Identity, String> {
    match &flags.certificate {
        Some((certificate, key)) => {
            let (certificates, key) = (read(sys, certificate)?, read(sys, key)?);
            Identity::from_pem(&certificates, &key)
        }
        None => {
            let settings = ClusterSettings::of(sys.store()).unwrap_or_default();
            pki::server(&sys.hostname(), &settings)
                .ok_or_else(|| "unable to generate self signed cert".to_owned())
        }
    }
}

fn read(sys: &mut dyn Sys, path: &str) -> Result<String, String> {
    tools::net::read_file(sys, path).ok_or_else(|| format!("open {path}: no such file or directory"))
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
