use std::task::Poll;
use std::time::Duration;

use packet::SimTime;
use tools::console::write_all;
use tools::net::http_server::HttpServer;
use world::{Args, Fd, Next, Program, Signal, Sys, Wait};

use super::backend::Backend;
use super::config::Config;
use super::etcd_manager::EtcdManager;
use super::iface::ExternalInterface;
use super::kube_manager::KubeManager;
use super::lease::{Lease, LeaseAttrs};
use super::log::Log;
use super::manager::{Manager, join};
use super::options::Options;
use super::run::Run;
use super::subnet_file;
use crate::cni::go_text;

/// The version that flannel's sources name, unless a release is built from them.
const VERSION: &str = "dev";

/// `flanneld`.
#[derive(Clone, Debug)]
pub struct Daemon {
    args: Args,
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    options: Options,
    log: Log,
    manager: Manager,
    healthz: Option<HttpServer>,
    stage: Stage,
}

/// How far it has come.
#[derive(Clone, Debug)]
enum Stage {
    /// Asks for the network's configuration; again at that time.
    Config(Option<SimTime>),
    /// Gets its part of the network.
    Lease(Box<Starting>),
    /// Runs.
    Run(Box<Run>),
}

/// What is known before there is a lease.
#[derive(Clone, Debug)]
struct Starting {
    config: Config,
    iface: ExternalInterface,
    backend: Backend,
    attrs: LeaseAttrs,
}

/// Its end: a status, after everything has been said.
pub struct Ended(pub i32);

impl Daemon {
    /// A daemon with these arguments.
    pub fn new(args: Args) -> Self {
        Self { args, state: None }
    }
}

impl State {
    fn start(sys: &mut dyn Sys, args: &Args) -> Result<Self, Ended> {
        let (options, record) = Options::parse(sys, args).map_err(|error| {
            let name = args.first().map_or("flanneld", String::as_str);
            write_all(sys, Fd::STDERR, &format!("{error}\nUsage: {name} [OPTION]...\n"));
            // The usage ends flanneld with status 0.
            Ended(if error.starts_with("hoplab: ") { 1 } else { 0 })
        })?;
        if options.version {
            write_all(sys, Fd::STDERR, &format!("{VERSION}\n"));
            return Err(Ended(0));
        }
        let log = Log(options.verbosity);
        log.info(sys, "main.go:229", &format!("CLI flags config: {record}"));
        if !(1..24 * 60).contains(&options.renew_margin) {
            let text = "Invalid subnet-lease-renew-margin option, out of acceptable range";
            log.error(sys, "main.go:233", text);
            return Err(Ended(1));
        }
        let manager = if options.kube_subnet_mgr {
            match KubeManager::new(sys, log, &options) {
                Ok(manager) => Manager::Kube(Box::new(manager)),
                Err(error) => {
                    log.error(sys, "main.go:251", &format!("Failed to create SubnetManager: {error}"));
                    return Err(Ended(1));
                }
            }
        } else {
            let previous = subnet_file::read(sys, log, &options.subnet_file, "FLANNEL_SUBNET");
            subnet_file::read(sys, log, &options.subnet_file, "FLANNEL_IPV6_SUBNET");
            log.warning(
                sys,
                "registry.go:84",
                "no certificate provided: connecting to etcd with http. This is insecure",
            );
            Manager::Etcd(Box::new(EtcdManager::new(&options, previous)))
        };
        log.info(sys, "main.go:255", &format!("Created subnet manager: {}", manager.name()));
        log.info(sys, "main.go:258", "Installing signal handlers");
        let healthz = Self::start_healthz(sys, log, &options)?;
        Ok(Self { options, log, manager, healthz, stage: Stage::Config(None) })
    }

    fn start_healthz(sys: &mut dyn Sys, log: Log, options: &Options) -> Result<Option<HttpServer>, Ended> {
        let Some(addr) = options.healthz_addr() else { return Ok(None) };
        log.info(sys, "main.go:554", &format!("Start healthz server on {addr}"));
        match HttpServer::listen(sys, addr, 4096) {
            Ok(server) => Ok(Some(server)),
            Err(errno) => {
                let why = format!("listen tcp {addr}: bind: {}", go_text(errno));
                log.error(sys, "main.go:587", &format!("Start healthz server error. {why}"));
                Err(Ended(2))
            }
        }
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Result<Wait, Ended> {
        let wait = loop {
            match self.advance(sys)? {
                Some(wait) => break wait,
                None => continue,
            }
        };
        let ready = matches!(&self.stage, Stage::Run(run) if run.is_ready());
        let Some(healthz) = &mut self.healthz else { return Ok(wait) };
        serve_health(sys, healthz, ready);
        Ok(join(wait, Wait { fds: healthz.fds(), ..Wait::default() }))
    }

    /// Goes one stage further, or says what it waits for.
    fn advance(&mut self, sys: &mut dyn Sys) -> Result<Option<Wait>, Ended> {
        let log = self.log;
        match &mut self.stage {
            Stage::Config(Some(again)) if sys.now() < *again => Ok(Some(Wait::until(*again))),
            Stage::Config(again) => {
                if again.take().is_some() {
                    write_all(sys, Fd::STDOUT, "timed out\n");
                }
                match self.manager.config(sys) {
                    Poll::Pending => Ok(Some(self.manager.wait_starting())),
                    Poll::Ready(Ok(config)) => {
                        let text = format!("Found network config - Backend type: {}", config.backend_type);
                        log.info(sys, "main.go:540", &text);
                        self.stage = Stage::Lease(Box::new(self.prepare(sys, config)?));
                        Ok(None)
                    }
                    Poll::Ready(Err(error)) => {
                        log.error(sys, "main.go:536", &format!("Couldn't fetch network config: {error}"));
                        self.stage = Stage::Config(Some(sys.now() + Duration::from_secs(1)));
                        Ok(None)
                    }
                }
            }
            Stage::Lease(starting) => {
                let outcome = match self.manager.acquire(sys, log, &starting.attrs) {
                    Poll::Pending => return Ok(Some(self.manager.wait_starting())),
                    Poll::Ready(outcome) => outcome,
                };
                let started = outcome
                    .map_err(|error| format!("failed to acquire lease: {error}"))
                    .and_then(|lease| starting.start(sys, log, lease));
                match started {
                    Ok((lease, network)) => {
                        let config = starting.config.clone();
                        let run = Run::start(sys, log, &self.options, &config, lease, network)?;
                        self.stage = Stage::Run(Box::new(run));
                        Ok(None)
                    }
                    Err(error) => {
                        log.error(sys, "main.go:384", &format!("Error registering network: {error}"));
                        log.info(sys, "main.go:520", "Stopping shutdownHandler...");
                        Err(Ended(1))
                    }
                }
            }
            Stage::Run(run) => run.turn(sys, log, &mut self.manager).map(Some),
        }
    }

    /// Chooses interface and backend.
    fn prepare(&mut self, sys: &mut dyn Sys, config: Config) -> Result<Starting, Ended> {
        let log = self.log;
        const NF_CALL: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";
        if sys.stat(NF_CALL).is_err() {
            let why = format!("stat {NF_CALL}: no such file or directory");
            log.error(sys, "main.go:292", &format!("Failed to check br_netfilter: {why}"));
            return Err(Ended(1));
        }
        let stored = self.manager.stored_public_ip(sys, log);
        let public_ip = if stored.is_empty() { self.options.public_ip.clone() } else { stored };
        let found = ExternalInterface::find(sys, log, &self.options, &public_ip).and_then(|iface| {
            let backend = Backend::find(sys, log, &config, &iface, &self.manager)?;
            Ok((iface, backend))
        });
        match found {
            Ok((iface, backend)) => {
                let attrs = backend.attrs(&iface);
                Ok(Starting { config, iface, backend, attrs })
            }
            Err((place, error)) => {
                log.error(sys, place, &error);
                Err(Ended(1))
            }
        }
    }

    /// SIGINT and SIGTERM: what it did to the kernel stays.
    fn shut_down(&self, sys: &mut dyn Sys) {
        self.log.info(sys, "main.go:524", "shutdownHandler sent cancel signal...");
        if let Stage::Run(run) = &self.stage {
            run.shut_down(sys, self.log, &self.manager);
        }
    }
}

impl Starting {
    fn start(
        &self,
        sys: &mut dyn Sys,
        log: Log,
        lease: Lease,
    ) -> Result<(Lease, super::backend::Network), String> {
        let network = self.backend.start(sys, log, &self.config, &self.iface, &lease)?;
        Ok((lease, network))
    }
}

/// `/healthz` and `/readyz`.
fn serve_health(sys: &mut dyn Sys, server: &mut HttpServer, ready: bool) {
    let mut requests = server.receive(sys);
    while let Some(request) = requests.pop() {
        let path = request.text.split(' ').nth(1).unwrap_or_default();
        let (status, body) = match path.split('?').next() {
            Some("/healthz") => ("200 OK", "flanneld is running"),
            Some("/readyz") if ready => ("200 OK", "flanneld is ready"),
            Some("/readyz") => ("503 Service Unavailable", "flanneld is not ready yet"),
            _ => ("404 Not Found", "404 page not found\n"),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}",
            body.len()
        );
        requests.extend(server.answer(sys, request.connection, answer.into_bytes()));
    }
}

impl Program for Daemon {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let outcome = match &mut self.state {
            Some(state) => state.turn(sys),
            None => State::start(sys, &self.args).and_then(|state| self.state.insert(state).turn(sys)),
        };
        match outcome {
            Ok(wait) => Next::Wait(wait),
            Err(Ended(status)) => Next::Exit(status),
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match (&self.state, signal) {
            (Some(state), Signal::Int | Signal::Term) => {
                state.shut_down(sys);
                Next::Exit(0)
            }
            _ => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
