//! Probes: the kubelet asks a container how it is. Kubernetes: `pkg/kubelet/prober`, `pkg/probe`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container as Spec, HTTPGetAction, Probe as Wanted};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kernel::Errno;
use kernel::socket::SocketKind;
use packet::{Pid, SimTime};
use tools::net::http_client::{Deadlines, HttpExchange, HttpFailure};
use world::{Fd, ReadResult, Signal, Spawn, Sys, Wait};

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The others wait for it.
    Startup,
    /// A container that fails it is started again.
    Liveness,
    /// A container that fails it gets no traffic of Services.
    Readiness,
}

impl Purpose {
    /// As events say it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }
}

/// A probe of a container that runs.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What it is for.
    pub purpose: Purpose,
    /// The container.
    pub container: String,
    wanted: Wanted,
    /// When it asks again.
    next: SimTime,
    attempt: Option<Attempt>,
    successes: i32,
    failures: i32,
}

/// A question that is under way.
#[derive(Clone, Debug)]
enum Attempt {
    Http { url: String, exchange: Box<HttpExchange> },
    Tcp { fd: Fd, to: SocketAddr, until: SimTime },
    Exec { pid: Pid, command: String, output: Fd, said: Vec<u8>, until: SimTime },
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the container has passed it: as often as it must.
    pub verdict: Verdict,
    /// What the event says, if this attempt failed.
    pub complaint: Option<String>,
}

/// What follows for the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Open,
    /// It is well.
    Passed,
    /// It isn't.
    Failed,
}

/// Where a probe goes.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// The container.
    pub spec: &'a Spec,
    /// The pod's address.
    pub ip: Ipv4Addr,
    /// The container's first process.
    pub pid: Pid,
    /// Its environment and root come from there.
    pub env: std::collections::BTreeMap<String, String>,
}

/// The kubelet looks at the runtime so often, and probes what it knows to run.
const RELIST: Duration = Duration::from_secs(1);

fn seconds(value: Option<i32>, default: i32) -> Duration {
    Duration::from_secs(u64::try_from(value.unwrap_or(default)).unwrap_or(0))
}

/// The number of a port that may be named.
fn port_of(spec: &Spec, port: &IntOrString) -> Option<u16> {
    match port {
        IntOrString::Int(number) => u16::try_from(*number).ok(),
        IntOrString::String(name) => {
            let named = spec.ports.iter().flatten().find(|port| port.name.as_deref() == Some(name));
            named.and_then(|port| u16::try_from(port.container_port).ok()).or_else(|| name.parse().ok())
        }
    }
}

impl Probe {
    /// The probes of a container that starts now.
    pub fn all(spec: &Spec, now: SimTime) -> Vec<Self> {
        let probes = [
            (Purpose::Startup, &spec.startup_probe),
            (Purpose::Liveness, &spec.liveness_probe),
            (Purpose::Readiness, &spec.readiness_probe),
        ];
        let make = |(purpose, wanted): (Purpose, &Option<Wanted>)| {
            let wanted = wanted.clone()?;
            let next = now + seconds(wanted.initial_delay_seconds, 0).max(RELIST);
            let container = spec.name.clone();
            Some(Self { purpose, container, wanted, next, attempt: None, successes: 0, failures: 0 })
        };
        probes.into_iter().filter_map(make).collect()
    }

    /// When it has something to do, and what it waits for.
    pub fn wait(&self) -> Wait {
        match &self.attempt {
            None => Wait::until(self.next),
            Some(Attempt::Http { exchange, .. }) => exchange.wait(),
            Some(Attempt::Tcp { fd, until, .. }) => {
                Wait { fds: vec![*fd], until: Some(*until), ..Wait::default() }
            }
            Some(Attempt::Exec { pid, until, output, .. }) => {
                Wait { fds: vec![*output], pids: vec![*pid], until: Some(*until), ..Wait::default() }
            }
        }
    }

    /// Whether it has something to do.
    pub fn has_turn(&self, now: SimTime) -> bool {
        self.attempt.is_some() || now >= self.next
    }

    /// Whether it runs a command in the container.
    pub fn runs_a_command(&self) -> bool {
        self.wanted.exec.is_some()
    }

    /// Gives up what is under way.
    pub fn cancel(&mut self, sys: &mut dyn Sys) {
        match self.attempt.take() {
            Some(Attempt::Http { exchange, .. }) => exchange.cancel(sys),
            Some(Attempt::Tcp { fd, .. }) => sys.close(fd),
            Some(Attempt::Exec { pid, output, .. }) => {
                let _ = sys.kill(pid, Signal::Kill);
                sys.close(output);
            }
            None => {}
        }
    }

    /// Begins to ask if it is time, and answers what came out.
    pub fn turn(&mut self, sys: &mut dyn Sys, target: &Target<'_>) -> Option<Finding> {
        if self.attempt.is_none() {
            if sys.now() < self.next {
                return None;
            }
            self.next = sys.now() + seconds(self.wanted.period_seconds, 10).max(Duration::from_secs(1));
            match self.begin(sys, target) {
                Ok(attempt) => self.attempt = Some(attempt),
                Err(complaint) => return Some(self.count(Err(complaint))),
            }
        }
        let outcome = self.attempt.as_mut()?.poll(sys, &self.wanted);
        match outcome {
            Poll::Pending => None,
            Poll::Ready(outcome) => {
                self.attempt = None;
                Some(self.count(outcome))
            }
        }
    }

    /// Counts an answer. Kubernetes: `worker.doProbe`.
    fn count(&mut self, outcome: Result<(), String>) -> Finding {
        let (count, threshold, verdict) = match &outcome {
            Ok(()) => {
                self.failures = 0;
                self.successes += 1;
                (self.successes, self.wanted.success_threshold.unwrap_or(1), Verdict::Passed)
            }
            Err(_) => {
                self.successes = 0;
                self.failures += 1;
                (self.failures, self.wanted.failure_threshold.unwrap_or(3), Verdict::Failed)
            }
        };
        let verdict = if count >= threshold { verdict } else { Verdict::Open };
        Finding { verdict, complaint: outcome.err() }
    }

    fn begin(&self, sys: &mut dyn Sys, target: &Target<'_>) -> Result<Attempt, String> {
        let until = sys.now() + seconds(self.wanted.timeout_seconds, 1);
        if let Some(get) = &self.wanted.http_get {
            let (url, exchange) = http_get(sys, target, get, "kube-probe/1.30", Some(until))?;
            return Ok(Attempt::Http { url, exchange: Box::new(exchange) });
        }
        if let Some(tcp) = &self.wanted.tcp_socket {
            let port = port_of(target.spec, &tcp.port).ok_or("couldn't find port")?;
            let host = tcp.host.clone().filter(|host| !host.is_empty());
            let addr = host.map_or(Ok(target.ip), |host| {
                host.parse().map_err(|_| format!("dial tcp: lookup {host}: no such host"))
            })?;
            let to = SocketAddr::new(addr.into(), port);
            let fd = sys.socket(SocketKind::Tcp).map_err(|errno| dial(to, errno))?;
            return match sys.connect(fd, to) {
                Ok(()) | Err(Errno::InProgress) => Ok(Attempt::Tcp { fd, to, until }),
                Err(errno) => {
                    sys.close(fd);
                    Err(dial(to, errno))
                }
            };
        }
        if let Some(exec) = &self.wanted.exec {
            let command = exec.command.clone().unwrap_or_default();
            let (pid, output) = run_in(sys, target, &command)?;
            return Ok(Attempt::Exec { pid, command: command.join(" "), output, said: Vec::new(), until });
        }
        Err("hoplab: probes by gRPC are not simulated".to_owned())
    }
}

/// Begins to ask a container for a page; answers its address too.
pub fn http_get(
    sys: &mut dyn Sys,
    target: &Target<'_>,
    get: &HTTPGetAction,
    agent: &str,
    until: Option<SimTime>,
) -> Result<(String, HttpExchange), String> {
    let port = port_of(target.spec, &get.port).ok_or("couldn't find port")?;
    let host = get.host.clone().filter(|host| !host.is_empty()).unwrap_or_else(|| target.ip.to_string());
    let scheme = get.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
    let path = get.path.as_deref().unwrap_or("/");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let url = format!("{scheme}://{host}:{port}{path}");
    let addr: IpAddr =
        host.parse().map_err(|_| format!("Get {url:?}: dial tcp: lookup {host}: no such host"))?;
    let mut headers = String::new();
    for header in get.http_headers.iter().flatten() {
        headers.push_str(&format!("{}: {}\r\n", header.name, header.value));
    }
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n{headers}\
         Connection: close\r\n\r\n"
    );
    let to = SocketAddr::new(addr, port);
    match HttpExchange::start(sys, to, &request, Deadlines { connect: until, answer: until }) {
        Ok(exchange) => Ok((url, exchange)),
        Err(failure) => Err(http_complaint(&url, to, failure)),
    }
}

/// Runs a command in a container; answers its process and what it says.
pub fn run_in(sys: &mut dyn Sys, target: &Target<'_>, command: &[String]) -> Result<(Pid, Fd), String> {
    let program = command.first().cloned().unwrap_or_default();
    let missing = || {
        format!(
            "rpc error: code = Unknown desc = failed to exec in container: failed to start exec: OCI runtime exec \
             failed: exec failed: unable to start container process: exec: {program:?}: executable file not found \
             in $PATH: unknown"
        )
    };
    let args = tools::image::program(command).filter(|args| sys.registry().get(&args[0]).is_some());
    let args = args.ok_or_else(missing)?;
    let null = sys.open("/dev/null", world::OpenMode::Read).map_err(|errno| errno.to_string())?;
    let (reader, writer) = sys.pipe();
    let spawned = sys.spawn(Spawn {
        args,
        netns: sys.netns_of_pid(target.pid),
        root: sys.root_of_pid(target.pid),
        cwd: Some("/".to_owned()),
        env: Some(target.env.clone()),
        fds: vec![(Fd::STDIN, null), (Fd::STDOUT, writer), (Fd::STDERR, writer)],
        ..Spawn::default()
    });
    sys.close(null);
    sys.close(writer);
    match spawned {
        Ok(pid) => Ok((pid, reader)),
        Err(_) => {
            sys.close(reader);
            Err(missing())
        }
    }
}

/// `dial tcp 10.244.1.3:80: connect: connection refused`, as Go says it.
pub fn dial(to: SocketAddr, errno: Errno) -> String {
    match errno {
        Errno::TimedOut => format!("dial tcp {to}: connect: connection timed out"),
        errno => format!("dial tcp {to}: connect: {}", crate::cni::go_text(errno)),
    }
}

fn http_complaint(url: &str, to: SocketAddr, failure: HttpFailure) -> String {
    let why = match failure {
        HttpFailure::Connect(errno) => dial(to, errno),
        HttpFailure::ConnectTimeout | HttpFailure::Timeout => {
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".to_owned()
        }
        HttpFailure::Broken(errno) => format!("read tcp {to}: read: {}", crate::cni::go_text(errno)),
        HttpFailure::Closed => "EOF".to_owned(),
        HttpFailure::Cut => "unexpected EOF".to_owned(),
    };
    format!("Get {url:?}: {why}")
}

impl Attempt {
    fn poll(&mut self, sys: &mut dyn Sys, wanted: &Wanted) -> Poll<Result<(), String>> {
        match self {
            Self::Http { url, exchange } => {
                let to = exchange.remote();
                exchange.poll(sys).map(|outcome| match outcome {
                    Ok(response) if (200..400).contains(&response.status()) => Ok(()),
                    Ok(response) => Err(format!("HTTP probe failed with statuscode: {}", response.status())),
                    Err(failure) => Err(http_complaint(url, to, failure)),
                })
            }
            Self::Tcp { fd, to, until } => {
                let (fd, to) = (*fd, *to);
                let outcome = match sys.take_error(fd) {
                    Some(errno) => Err(dial(to, errno)),
                    None if sys.peer_addr(fd).is_some() && sys.ready(fd).writable => Ok(()),
                    None if sys.now() >= *until => Err(format!("dial tcp {to}: i/o timeout")),
                    None => return Poll::Pending,
                };
                sys.close(fd);
                Poll::Ready(outcome)
            }
            Self::Exec { pid, command, output, said, until } => {
                while let Ok(ReadResult::Data(bytes)) = sys.read(*output, 1 << 16) {
                    said.extend(bytes);
                }
                let outcome = match sys.exit_status(*pid) {
                    Some(0) => Ok(()),
                    Some(_) => Err(String::from_utf8_lossy(said).into_owned()),
                    None if sys.now() >= *until => {
                        let _ = sys.kill(*pid, Signal::Kill);
                        let after = wanted.timeout_seconds.unwrap_or(1);
                        Err(format!("command timed out: {command:?} timed out after {after}s"))
                    }
                    None => return Poll::Pending,
                };
                sys.close(*output);
                Poll::Ready(outcome)
            }
        }
    }
}
